import Foundation
import TarnData

extension Image {
  /// The picture encoded.
  /// - Parameters:
  ///   - format: of the result.
  ///   - quality: of JPEG, 1 to 100. From 90 on colours keep their full resolution.
  ///   - compression: of PNG, 0 fast to 9 small.
  public func encoded(
    as format: ImageFormat, quality: Int = 90, compression: Int = 6
  ) throws -> [UInt8] {
    try encoded(as: format, quality: quality, compression: compression, name: "picture")
  }

  private func encoded(
    as format: ImageFormat, quality: Int, compression: Int, name: String
  ) throws(DataError) -> [UInt8] {
    switch format {
    case .jpeg:
      try JPEG.encode(self, quality: quality, halvesColour: quality < 90, name: name)
    case .png: try PNG.encode(self, level: compression, name: name)
    case .bmp: try BMP.encode(self, name: name)
    case .netpbm: PortableMap.encode(self)
    }
  }

  /// Writes the picture, in the format that the file's name asks for if none is given: `.jpg`, `.png`,
  /// `.bmp`, `.ppm` or `.pgm`.
  public func write(
    to url: URL, as format: ImageFormat? = nil, quality: Int = 90, compression: Int = 6
  ) throws {
    guard let format = format ?? ImageFormat(fileExtension: url.pathExtension) else {
      throw DataError(
        .unwritable, file: url.path, reason: "'.\(url.pathExtension)' is no format for pictures",
        hint: "name it .png, .jpg, .bmp, .ppm or .pgm")
    }
    try AtomicWrite.write(
      encoded(as: format, quality: quality, compression: compression, name: url.path), to: url)
  }
}
