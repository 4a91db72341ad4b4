import Foundation
import TarnCore

/// The plainest picture formats: PGM (grey) and PPM (colour).
public enum Netpbm {
  /// Reads a grey picture in text (P2) or binary (P5) form: [H, W], `uint8`.
  ///
  /// Pictures whose brightest value is not 255 are scaled to 0…255.
  public static func readGrey(contentsOf url: URL) throws -> Tensor {
    try readGrey(FileBytes(mapping: url))
  }

  package static func readGrey(_ file: FileBytes) throws(DataError) -> Tensor {
    guard file.starts(with: Array("P2".utf8)) || file.starts(with: Array("P5".utf8)) else {
      throw DataError(
        .invalid, file: file.name, at: .byte(0),
        reason: "does not begin with P2 or P5, so it is no PGM picture",
        hint: "convert it to PGM, or use the picture reader for PNG and JPEG")
    }
    var reader = ByteReader(file)
    let header = try NetpbmHeader(&reader)
    let pixels = try header.bytes(&reader)
    return pixels.withUnsafeBytes {
      Tensor(bytes: $0, shape: [header.height, header.width], dtype: .uint8)
    }
  }

  /// A picture's bytes, [height, width, channels].
  package struct Pixels {
    package let width: Int
    package let height: Int
    /// 1 or 3.
    package let channels: Int
    package let bytes: [UInt8]
  }

  /// Reads a bit map (P1, P4), a grey (P2, P5) or a colour picture (P3, P6).
  /// - Parameter isWanted: is told the width and height beforehand; false stops, with nil.
  package static func pixels(
    _ file: FileBytes, isWanted: (Int, Int) throws(DataError) -> Bool
  ) throws(DataError) -> Pixels? {
    var reader = ByteReader(file)
    let header = try NetpbmHeader(&reader)
    guard try isWanted(header.width, header.height) else { return nil }
    return Pixels(
      width: header.width, height: header.height, channels: header.channels,
      bytes: try header.bytes(&reader))
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

/// What a picture file says before its pixels, and how they follow.
private struct NetpbmHeader {
  let isText: Bool
  /// Of one bit each, 1 being black.
  let isBits: Bool
  let channels: Int
  let width: Int
  let height: Int
  let brightest: Int

  init(_ reader: inout ByteReader) throws(DataError) {
    let magic = try reader.array(2, "the magic number")
    guard magic[0] == UInt8(ascii: "P"), (49...54).contains(magic[1]) else {
      throw reader.error(
        "does not begin with P1 to P6, so it is no PBM, PGM or PPM picture", at: 0)
    }
    let kind = Int(magic[1]) - 48
    isText = kind <= 3
    isBits = kind == 1 || kind == 4
    channels = kind % 3 == 0 ? 3 : 1
    width = try Self.number(&reader, "the width", most: 1 << 20)
    height = try Self.number(&reader, "the height", most: 1 << 20)
    brightest = isBits ? 1 : try Self.number(&reader, "the brightest value", most: 65535)
    guard width > 0 && height > 0 && brightest > 0 else {
      throw reader.error("width, height and brightest value must be 1 or more")
    }
    if !isText { _ = try reader.take(1, "the space after the header") }
  }

  /// The pixels as bytes 0…255.
  func bytes(_ reader: inout ByteReader) throws(DataError) -> [UInt8] {
    if isBits { return try isText ? digits(&reader) : packedBits(&reader) }
    let values = try isText ? textValues(&reader) : binaryValues(&reader)
    return values.map { UInt8((Int($0) * 255 + brightest / 2) / brightest) }
  }

  /// Not more than 2⁴² for the sides there can be.
  private var count: Int { width * height * channels }

  private func binaryValues(_ reader: inout ByteReader) throws(DataError) -> [UInt16] {
    let start = reader.offset
    let size = brightest < 256 ? 1 : 2
    let bytes = try reader.array(size * count, "the pixels")
    let values: [UInt16] =
      size == 1
      ? bytes.map(UInt16.init)
      : (0..<count).map { UInt16(bytes[2 * $0]) << 8 | UInt16(bytes[2 * $0 + 1]) }
    if let bad = values.firstIndex(where: { $0 > brightest }) {
      throw tooBright(reader, Int(values[bad]), at: start + size * bad)
    }
    return values
  }

  private func textValues(_ reader: inout ByteReader) throws(DataError) -> [UInt16] {
    try checkRoom(reader)
    var values: [UInt16] = []
    values.reserveCapacity(count)
    for i in 0..<count {
      let value = try Self.number(&reader, "pixel \(i)", most: 65535)
      guard value <= brightest else { throw tooBright(reader, value, at: reader.offset) }
      values.append(UInt16(value))
    }
    return values
  }

  /// Each pixel takes a digit.
  private func checkRoom(_ reader: ByteReader) throws(DataError) {
    guard count <= reader.remaining else {
      throw reader.error("\(count) pixels do not fit the \(reader.remaining) bytes left")
    }
  }

  private func tooBright(_ reader: ByteReader, _ value: Int, at place: Int) -> DataError {
    reader.error("a pixel is \(value), but the header says \(brightest) at most", at: place)
  }

  /// Digits 0 and 1, with spaces between them or not.
  private func digits(_ reader: inout ByteReader) throws(DataError) -> [UInt8] {
    try checkRoom(reader)
    var result: [UInt8] = []
    result.reserveCapacity(count)
    while result.count < count {
      let byte = try Self.next(&reader, "the pixels")
      if Self.isSpace(byte) { continue }
      guard byte == UInt8(ascii: "0") || byte == UInt8(ascii: "1") else {
        throw reader.error("a pixel is neither 0 nor 1", at: reader.offset - 1)
      }
      result.append(byte == UInt8(ascii: "1") ? 0 : 255)
    }
    return result
  }

  /// Eight pixels a byte, each row from a new one.
  private func packedBits(_ reader: inout ByteReader) throws(DataError) -> [UInt8] {
    let stride = (width + 7) / 8
    let bytes = try reader.array(stride * height, "the pixels")
    return (0..<count).map { i in
      let (y, x) = (i / width, i % width)
      return bytes[y * stride + x / 8] >> UInt8(7 - x % 8) & 1 == 1 ? 0 : 255
    }
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
