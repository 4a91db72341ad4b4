/// Reads numbers and strings from bytes one after another, and never past the end.
///
/// ```swift
/// var reader = ByteReader(bytes)
/// let magic = try reader.integer(UInt32.self, .big, "the magic number")
/// ```
package struct ByteReader: Sendable {
  package enum Order: Sendable { case little, big }

  package let bytes: FileBytes
  /// Where the next read begins, counted from the start of the file.
  package private(set) var offset: Int
  /// Where reading must stop.
  package let end: Int

  package init(_ bytes: FileBytes) {
    self.init(bytes, unchecked: 0..<bytes.count)
  }

  /// Reads only within `range`.
  package init(_ bytes: FileBytes, _ range: Range<Int>) throws(DataError) {
    guard range.lowerBound >= 0, range.upperBound <= bytes.count else {
      throw DataError(
        .invalid, file: bytes.name, at: .byte(range.lowerBound),
        reason: "bytes \(range.lowerBound) to \(range.upperBound) lie outside the file, "
          + "which has \(bytes.count)",
        hint: "the file is damaged or was cut short; fetch it again")
    }
    self.init(bytes, unchecked: range)
  }

  private init(_ bytes: FileBytes, unchecked range: Range<Int>) {
    (self.bytes, offset, end) = (bytes, range.lowerBound, range.upperBound)
  }

  package var name: String { bytes.name }
  package var remaining: Int { end - offset }

  /// An error at the place reached, or at another one.
  package func error(
    _ reason: String, at place: Int? = nil, kind: DataError.Kind = .invalid, hint: String? = nil
  ) -> DataError {
    DataError(kind, file: name, at: .byte(place ?? offset), reason: reason, hint: hint)
  }

  /// The range of the next `count` bytes, which are passed over.
  package mutating func take(_ count: Int, _ what: String) throws(DataError) -> Range<Int> {
    guard count >= 0, count <= remaining else {
      throw error(
        "the file ends in \(what): \(count) bytes wanted, \(remaining) left",
        hint: "the file is damaged or was cut short; fetch it again")
    }
    defer { offset += count }
    return offset..<(offset + count)
  }

  /// The next `count` bytes.
  package mutating func array(_ count: Int, _ what: String) throws(DataError) -> [UInt8] {
    let range = try take(count, what)
    return bytes.withBytes(range) { Array($0) }
  }

  /// The next bytes as one integer.
  package mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(
    _ type: T.Type, _ order: Order, _ what: String
  ) throws(DataError) -> T {
    let range = try take(MemoryLayout<T>.size, what)
    let value = bytes.withBytes(range) { $0.loadUnaligned(as: T.self) }
    return order == .little ? T(littleEndian: value) : T(bigEndian: value)
  }

  /// The next `count` bytes as text.
  package mutating func text(_ count: Int, _ what: String) throws(DataError) -> String {
    let start = offset
    let raw = try array(count, what)
    guard let text = String(validating: raw, as: UTF8.self) else {
      throw error("\(what) is not UTF-8 text", at: start)
    }
    return text
  }

  /// Goes to another place in the file.
  package mutating func seek(to place: Int, _ what: String) throws(DataError) {
    guard place >= 0, place <= end else {
      throw error("\(what) should lie at byte \(place), but the file has \(end)")
    }
    offset = place
  }
}
