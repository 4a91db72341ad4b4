import TarnData

/// Numbers and texts.
extension Unpickler {
  /// Pushes a number if that is what the operation does.
  mutating func pushNumber(_ code: UInt8) throws(DataError) -> Bool {
    switch code {
    case UInt8(ascii: "N"): push(.none)
    case 0x88: push(.bool(true))
    case 0x89: push(.bool(false))
    case UInt8(ascii: "K"): push(.int(Int(try reader.integer(UInt8.self, .little, "a number"))))
    case UInt8(ascii: "M"): push(.int(Int(try reader.integer(UInt16.self, .little, "a number"))))
    case UInt8(ascii: "J"): push(.int(Int(try reader.integer(Int32.self, .little, "a number"))))
    case UInt8(ascii: "G"):
      push(.number(Double(bitPattern: try reader.integer(UInt64.self, .big, "a number"))))
    case 0x8a: push(try integer(Int(reader.integer(UInt8.self, .little, "a number's length"))))
    case 0x8b: push(try integer(Int(reader.integer(UInt32.self, .little, "a number's length"))))
    case UInt8(ascii: "I"), UInt8(ascii: "L"): push(try decimal())
    case UInt8(ascii: "F"):
      guard let value = Double(try line()) else { throw error("a number that is none") }
      push(.number(value))
    default: return false
    }
    return true
  }

  /// A two's complement number of `count` bytes.
  private mutating func integer(_ count: Int) throws(DataError) -> PickleValue {
    guard count <= 1024 else { throw error("an integer of \(count) bytes") }
    let bytes = try reader.array(count, "a number")
    guard count <= 8 else { return .wide(bytes) }
    let isNegative = bytes.last.map { $0 >= 128 } ?? false
    var value: UInt64 = isNegative ? .max : 0
    for byte in bytes.reversed() { value = value << 8 | UInt64(byte) }
    return .int(Int(Int64(bitPattern: value)))
  }

  /// A line with a number; `01` and `00` are Booleans of protocol 0 and 1, an L may follow.
  private mutating func decimal() throws(DataError) -> PickleValue {
    let text = try line()
    if text == "01" { return .bool(true) }
    if text == "00" { return .bool(false) }
    guard let value = Int(text.hasSuffix("L") ? String(text.dropLast()) : text) else {
      throw error("an integer that is none, or has more than 64 bits")
    }
    return .int(value)
  }

  /// Pushes a text or bytes if that is what the operation does.
  mutating func pushText(_ code: UInt8) throws(DataError) -> Bool {
    switch code {
    case 0x8c: push(.text(try text(length(UInt8.self))))
    case UInt8(ascii: "X"): push(.text(try text(length(UInt32.self))))
    case 0x8d: push(.text(try text(length(UInt64.self))))
    case UInt8(ascii: "C"), UInt8(ascii: "U"): push(.bytes(try contents(length(UInt8.self))))
    case UInt8(ascii: "B"), UInt8(ascii: "T"): push(.bytes(try contents(length(UInt32.self))))
    case 0x8e, 0x96: push(.bytes(try contents(length(UInt64.self))))
    case UInt8(ascii: "S"): push(.bytes(try quoted()))
    case UInt8(ascii: "V"): push(.text(try escaped()))
    default: return false
    }
    return true
  }

  private mutating func length<T: FixedWidthInteger & BitwiseCopyable>(
    _ type: T.Type
  ) throws(DataError) -> Int {
    let value = try reader.integer(type, .little, "a length")
    guard let length = Int(exactly: value) else { throw error("a length of \(value) bytes") }
    return length
  }

  private mutating func text(_ count: Int) throws(DataError) -> String {
    // Python writes halves of surrogate pairs that stand alone; they become replacement characters.
    let range = try reader.take(count, "a text")
    return reader.bytes.withBytes(range) { String(decoding: $0, as: UTF8.self) }
  }

  private mutating func contents(_ count: Int) throws(DataError) -> FileBytes {
    FileBytes(part: try reader.take(count, "bytes"), of: reader.bytes, name: reader.name)
  }

  /// The bytes up to the end of the line, which is passed over.
  private mutating func lineBytes() throws(DataError) -> [UInt8] {
    let rest = reader.offset..<reader.end
    let found = reader.bytes.withBytes(rest) { $0.prefix(1 << 16).firstIndex(of: 10) }
    guard let count = found else { throw error("a line without an end") }
    let line = try reader.array(count, "a line")
    _ = try reader.take(1, "a line")
    return line
  }

  mutating func line() throws(DataError) -> String {
    let bytes = try lineBytes()
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw error("a name that is no text")
    }
    return text
  }

  /// A line with bytes in quotes, as Python prints them.
  private mutating func quoted() throws(DataError) -> FileBytes {
    let line = try lineBytes()
    guard line.count >= 2, let quote = line.first, quote == line.last,
      quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"")
    else { throw error("a text without quotes") }
    guard let bytes = PickleEscapes.bytes(line.dropFirst().dropLast()) else {
      throw error("a text with an unknown escape")
    }
    return FileBytes(bytes, name: reader.name)
  }

  /// A line of text in which characters beyond Latin-1 are escaped.
  private mutating func escaped() throws(DataError) -> String {
    guard let text = PickleEscapes.text(try lineBytes()) else {
      throw error("a text with a broken escape")
    }
    return text
  }
}

/// The escapes of protocol 0.
enum PickleEscapes {
  private static let simple: [UInt8: UInt8] = [
    UInt8(ascii: "\\"): UInt8(ascii: "\\"), UInt8(ascii: "'"): UInt8(ascii: "'"),
    UInt8(ascii: "\""): UInt8(ascii: "\""), UInt8(ascii: "n"): 10, UInt8(ascii: "r"): 13,
    UInt8(ascii: "t"): 9, UInt8(ascii: "a"): 7, UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12,
    UInt8(ascii: "v"): 11,
  ]

  /// `\n`, `\'`, `\xe9` and the like; nil where one is unknown.
  static func bytes(_ escaped: ArraySlice<UInt8>) -> [UInt8]? {
    var result: [UInt8] = []
    var rest = escaped
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "\\") else {
        result.append(byte)
        continue
      }
      guard let kind = rest.popFirst() else { return nil }
      if let plain = simple[kind] {
        result.append(plain)
      } else {
        guard kind == UInt8(ascii: "x"), let value = hexadecimal(&rest, 2) else { return nil }
        result.append(UInt8(truncatingIfNeeded: value))
      }
    }
    return result
  }

  /// `\u20ac` and `\U0001f600` in Latin-1; nil where one is broken.
  static func text(_ escaped: [UInt8]) -> String? {
    var units: [Unicode.Scalar] = []
    var rest = escaped[...]
    while let byte = rest.popFirst() {
      let digits = rest.first == UInt8(ascii: "u") ? 4 : rest.first == UInt8(ascii: "U") ? 8 : 0
      guard byte == UInt8(ascii: "\\"), digits > 0 else {
        units.append(Unicode.Scalar(byte))
        continue
      }
      rest.removeFirst()
      guard let value = hexadecimal(&rest, digits) else { return nil }
      units.append(Unicode.Scalar(value) ?? "\u{fffd}")
    }
    return String(String.UnicodeScalarView(units))
  }

  private static func hexadecimal(_ rest: inout ArraySlice<UInt8>, _ count: Int) -> UInt32? {
    let digits = rest.prefix(count)
    let isSound =
      digits.count == count && digits.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
    guard isSound else { return nil }
    rest = rest.dropFirst(count)
    return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
  }
}
