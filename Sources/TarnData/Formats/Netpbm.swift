import Foundation
import TarnCore

/// The plainest picture formats: PGM (grey) is read and written, PPM (colour) written.
public enum Netpbm {
  /// Reads a grey picture in text (P2) or binary (P5) form: [H, W], `uint8`.
  ///
  /// Pictures whose brightest value is not 255 are scaled to 0…255.
  public static func readGrey(contentsOf url: URL) throws -> Tensor {
    try readGrey(FileBytes(mapping: url))
  }

  package static func readGrey(_ file: FileBytes) throws(DataError) -> Tensor {
    var reader = ByteReader(file)
    let header = try NetpbmHeader(&reader)
    let values =
      header.isText
      ? try textValues(&reader, header) : try binaryValues(&reader, header)
    let pixels = values.map { UInt8((Int($0) * 255 + header.brightest / 2) / header.brightest) }
    return pixels.withUnsafeBytes {
      Tensor(bytes: $0, shape: [header.height, header.width], dtype: .uint8)
    }
  }

  private static func binaryValues(
    _ reader: inout ByteReader, _ header: NetpbmHeader
  ) throws(DataError) -> [UInt16] {
    let count = header.width * header.height
    if header.brightest < 256 {
      let start = reader.offset
      let bytes = try reader.array(count, "the pixels")
      if let bad = bytes.firstIndex(where: { Int($0) > header.brightest }) {
        throw tooBright(reader, Int(bytes[bad]), header, at: start + bad)
      }
      return bytes.map(UInt16.init)
    }
    let start = reader.offset
    let bytes = try reader.array(2 * count, "the pixels")
    var values: [UInt16] = []
    values.reserveCapacity(count)
    for i in 0..<count {
      let value = UInt16(bytes[2 * i]) << 8 | UInt16(bytes[2 * i + 1])
      guard value <= header.brightest else {
        throw tooBright(reader, Int(value), header, at: start + 2 * i)
      }
      values.append(value)
    }
    return values
  }

  private static func textValues(
    _ reader: inout ByteReader, _ header: NetpbmHeader
  ) throws(DataError) -> [UInt16] {
    let count = header.width * header.height
    // Each pixel takes a digit, and a space from the next.
    guard count <= reader.remaining else {
      throw reader.error("\(count) pixels do not fit the \(reader.remaining) bytes left")
    }
    var values: [UInt16] = []
    values.reserveCapacity(count)
    for i in 0..<count {
      let value = try NetpbmHeader.number(&reader, "pixel \(i)", most: 65535)
      guard value <= header.brightest else {
        throw tooBright(reader, value, header, at: reader.offset)
      }
      values.append(UInt16(value))
    }
    return values
  }

  private static func tooBright(
    _ reader: ByteReader, _ value: Int, _ header: NetpbmHeader, at place: Int
  ) -> DataError {
    reader.error("a pixel is \(value), but the header says \(header.brightest) at most", at: place)
  }

  /// Writes a grey picture, [H, W], as binary PGM. Floating values are taken as 0…1.
  public static func writeGrey(_ image: Tensor, to url: URL) throws {
    guard image.rank == 2 else { return reportShape("writeGrey", "[H, W]", image) }
    try write("P5", image, width: image.shape[1], height: image.shape[0], to: url)
  }

  /// Writes a colour picture, [H, W, 3], as binary PPM. Floating values are taken as 0…1.
  public static func writeColour(_ image: Tensor, to url: URL) throws {
    guard image.rank == 3, image.shape[2] == 3 else {
      return reportShape("writeColour", "[H, W, 3]", image)
    }
    try write("P6", image, width: image.shape[1], height: image.shape[0], to: url)
  }

  private static func write(
    _ magic: String, _ image: Tensor, width: Int, height: Int, to url: URL
  ) throws {
    let header = "\(magic)\n\(width) \(height)\n255\n"
    try AtomicWrite.write(Array(header.utf8) + pixelBytes(image), to: url)
  }

  private static func reportShape(_ operation: String, _ wanted: String, _ image: Tensor) {
    Diagnostic.report(
      Diagnostic(
        operation: "Netpbm.\(operation)", reason: "the picture must have the shape \(wanted)",
        facts: ["picture \(image.shape)"], hint: "reshape or permute it first"))
  }
}

/// The values of a picture as bytes: floating 0…1 becomes 0…255, rounded; whatever lies outside is
/// clamped.
package func pixelBytes(_ image: Tensor) -> [UInt8] {
  if image.dtype == .uint8 { return image.bytes() }
  let scale: Float = image.dtype.isFloating || image.dtype == .bool ? 255 : 1
  return image.array(of: Float.self).map {
    $0.isNaN ? 0 : UInt8(min(255, max(0, ($0 * scale).rounded())))
  }
}

private struct NetpbmHeader {
  let isText: Bool
  let width: Int
  let height: Int
  let brightest: Int

  init(_ reader: inout ByteReader) throws(DataError) {
    let magic = try reader.array(2, "the magic number")
    switch magic {
    case Array("P2".utf8): isText = true
    case Array("P5".utf8): isText = false
    default:
      throw reader.error(
        "does not begin with P2 or P5, so it is no PGM picture", at: 0,
        hint: "convert it to PGM, or use the picture reader for PNG and JPEG")
    }
    width = try Self.number(&reader, "the width", most: 1 << 20)
    height = try Self.number(&reader, "the height", most: 1 << 20)
    brightest = try Self.number(&reader, "the brightest value", most: 65535)
    guard width > 0 && height > 0 && brightest > 0 else {
      throw reader.error("width, height and brightest value must be 1 or more")
    }
    if !isText { _ = try reader.take(1, "the space after the header") }
  }

  /// A decimal number after spaces and comments.
  static func number(
    _ reader: inout ByteReader, _ what: String, most: Int
  ) throws(DataError) -> Int {
    var byte = try next(&reader, what)
    while isSpace(byte) || byte == UInt8(ascii: "#") {
      if byte == UInt8(ascii: "#") {
        while byte != UInt8(ascii: "\n") { byte = try next(&reader, what) }
      }
      byte = try next(&reader, what)
    }
    var value = 0
    let start = reader.offset - 1
    while true {
      guard byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") else {
        throw reader.error("\(what) is not a number", at: start)
      }
      value = value * 10 + Int(byte - UInt8(ascii: "0"))
      guard value <= most else {
        throw reader.error("\(what) is more than \(most)", at: start)
      }
      guard reader.remaining > 0 else { return value }
      byte = try next(&reader, what)
      if isSpace(byte) || byte == UInt8(ascii: "#") {
        try reader.seek(to: reader.offset - 1, what)
        return value
      }
    }
  }

  private static func next(_ reader: inout ByteReader, _ what: String) throws(DataError) -> UInt8 {
    try reader.integer(UInt8.self, .little, what)
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 32 || (9...13).contains(byte)
  }
}
