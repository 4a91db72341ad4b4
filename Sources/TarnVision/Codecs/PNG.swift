import CTarnImages
import TarnData

/// PNG files, through libpng.
enum PNG {
  static func read(
    _ file: FileBytes, _ reading: ImageReading,
    choosing choose: ((width: Int, height: Int)) -> PixelRectangle?
  ) throws -> ImagePart {
    try file.withBytes { bytes in
      var handle: OpaquePointer?
      var info = tarn_image_info()
      var message = [CChar](repeating: 0, count: TARN_IMAGE_MESSAGE)
      let status = tarn_png_open(
        bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count,
        reading.opacity == .dropped ? 0 : 1, &handle, &info, &message)
      guard status == 0, let handle else {
        throw imageError(status, message, file, format: "PNG")
      }
      defer { tarn_png_close(handle) }
      let (width, height, channels) = (Int(info.width), Int(info.height), Int(info.channels))
      let perByte = Gzip.greatestRatio * max(1, 8 / Int(info.bits))
      try checkSize(width, height, most: (file.count + 64) * perByte, file, reading)
      guard choose((width, height)) != nil else { return .nothing }
      let image = try Image.filling(width: width, height: height, channels: channels) { room in
        let status = tarn_png_read(handle, room, width * channels, &message)
        if status != 0 { throw imageError(status, message, file, format: "PNG") }
      }
      return ImagePart(laid(image, over: reading.opacity))
    }
  }

  /// Without the opacity that two and four channels have.
  private static func laid(_ image: Image, over opacity: ImageReading.Opacity) -> Image {
    guard image.channels % 2 == 0, case .over(let red, let green, let blue) = opacity else {
      return image
    }
    let isGrey = image.channels == 2
    let luma = (Int(red) * 19595 + Int(green) * 38470 + Int(blue) * 7471 + 0x8000) >> 16
    let background = isGrey ? [UInt8(luma)] : [red, green, blue]
    return Image.filling(
      width: image.width, height: image.height, channels: image.channels - 1
    ) { room in
      tarn_image_compose(
        image.bytes, Int64(image.width * image.height), Int32(image.channels), background, room)
    }
  }

  /// - Parameter level: how hard to compress, 0 to 9.
  static func encode(_ image: Image, level: Int, name: String) throws(DataError) -> [UInt8] {
    try encoded(name) { bytes, count, message in
      tarn_png_write(
        image.bytes, Int32(image.width), Int32(image.height), Int32(image.channels),
        Int32(min(max(level, 0), 9)), bytes, count, message)
    }
  }
}
