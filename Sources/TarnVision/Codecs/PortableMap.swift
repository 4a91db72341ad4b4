import TarnData

/// PBM, PGM and PPM files, through `Netpbm`.
enum PortableMap {
  static func read(
    _ file: FileBytes, _ reading: ImageReading,
    choosing choose: ((width: Int, height: Int)) -> PixelRectangle?
  ) throws -> ImagePart {
    let picture = try Netpbm.pixels(file) { width, height throws(DataError) in
      // A pixel of a plain bit map takes a bit.
      try checkSize(width, height, most: file.count * 8, file, reading)
      return choose((width, height)) != nil
    }
    guard let picture else { return .nothing }
    return ImagePart(
      Image(
        unchecked: picture.bytes, width: picture.width, height: picture.height,
        channels: picture.channels))
  }

  static func encode(_ image: Image) -> [UInt8] {
    Array("\(image.isGrey ? "P5" : "P6")\n\(image.width) \(image.height)\n255\n".utf8) + image.bytes
  }
}
