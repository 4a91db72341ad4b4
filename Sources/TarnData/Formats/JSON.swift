/// A JSON value as it stands in a file: object members in their order, none twice, numbers as
/// written.
package indirect enum JSON: Sendable, Equatable {
  case null
  case bool(Bool)
  /// The number's text.
  case number(String)
  case string(String)
  case array([JSON])
  case object([Member])

  package struct Member: Sendable, Equatable {
    package let name: String
    package let value: JSON
    /// Where its name begins in the file.
    package let place: Int

    package init(name: String, value: JSON, place: Int) {
      (self.name, self.value, self.place) = (name, value, place)
    }
  }

  package subscript(name: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name == name }?.value
  }

  package var string: String? {
    if case .string(let text) = self { text } else { nil }
  }

  package var int: Int? {
    if case .number(let text) = self { Int(text) } else { nil }
  }

  package var array: [JSON]? {
    if case .array(let values) = self { values } else { nil }
  }

  package var members: [Member]? {
    if case .object(let members) = self { members } else { nil }
  }
}

extension JSON {
  /// Parses the bytes in `range` strictly. Values may be nested 64 deep.
  package init(_ file: FileBytes, _ range: Range<Int>) throws(DataError) {
    var parser = try JSONParser(ByteReader(file, range))
    self = try parser.document()
  }

  /// The text in quotes, escaped.
  package static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where scalar.value < 32:
        result += "\\u00" + hexadecimal(UInt8(scalar.value))
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

private struct JSONParser {
  private let reader: ByteReader
  private let bytes: [UInt8]
  private var place = 0
  private static let greatestDepth = 64

  init(_ reader: ByteReader) throws(DataError) {
    self.reader = reader
    var all = reader
    bytes = try all.array(reader.remaining, "the JSON text")
  }

  mutating func document() throws(DataError) -> JSON {
    let value = try value(depth: 0)
    skipSpaces()
    guard place == bytes.count else { throw error("something follows the JSON value") }
    return value
  }

  private func error(_ reason: String, at own: Int? = nil) -> DataError {
    reader.error(reason, at: reader.offset + (own ?? place))
  }

  private mutating func skipSpaces() {
    while place < bytes.count, [32, 9, 10, 13].contains(bytes[place]) { place += 1 }
  }

  private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

  private mutating func accept(_ symbol: Unicode.Scalar) -> Bool {
    skipSpaces()
    guard next == UInt8(ascii: symbol) else { return false }
    place += 1
    return true
  }

  private mutating func value(depth: Int) throws(DataError) -> JSON {
    guard depth <= Self.greatestDepth else { throw error("JSON nested too deep") }
    skipSpaces()
    switch next {
    case UInt8(ascii: "{"): return try object(depth)
    case UInt8(ascii: "["): return try array(depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case nil: throw error("the JSON text ends too early")
    default: return try number()
    }
  }

  private mutating func word(_ word: String, _ value: JSON) throws(DataError) -> JSON {
    guard bytes[place...].starts(with: word.utf8) else { throw error("no JSON value here") }
    place += word.utf8.count
    return value
  }

  private mutating func object(_ depth: Int) throws(DataError) -> JSON {
    place += 1
    var members: [JSON.Member] = []
    var names: Set<String> = []
    if accept("}") { return .object([]) }
    repeat {
      skipSpaces()
      let start = place
      guard next == UInt8(ascii: "\"") else { throw error("a name in quotes is due here") }
      let name = try string()
      guard names.insert(name).inserted else {
        throw error("the name \(JSON.quoted(name)) comes twice", at: start)
      }
      guard accept(":") else { throw error("a colon is due here") }
      let value = try value(depth: depth + 1)
      members.append(JSON.Member(name: name, value: value, place: reader.offset + start))
    } while accept(",")
    guard accept("}") else { throw error("a comma or } is due here") }
    return .object(members)
  }

  private mutating func array(_ depth: Int) throws(DataError) -> JSON {
    place += 1
    var values: [JSON] = []
    if accept("]") { return .array([]) }
    repeat { values.append(try value(depth: depth + 1)) } while accept(",")
    guard accept("]") else { throw error("a comma or ] is due here") }
    return .array(values)
  }

  /// -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
  private mutating func number() throws(DataError) -> JSON {
    let start = place
    func fail() -> DataError { error("no JSON value here", at: start) }
    if next == UInt8(ascii: "-") { place += 1 }
    let leading = next
    let whole = digits()
    guard whole == 1 || (whole > 1 && leading != UInt8(ascii: "0")) else { throw fail() }
    if next == UInt8(ascii: ".") {
      place += 1
      guard digits() > 0 else { throw fail() }
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      place += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { place += 1 }
      guard digits() > 0 else { throw fail() }
    }
    return .number(String(decoding: bytes[start..<place], as: UTF8.self))
  }

  private mutating func digits() -> Int {
    let start = place
    while let byte = next, byte >= 48 && byte <= 57 { place += 1 }
    return place - start
  }

  private mutating func string() throws(DataError) -> String {
    let start = place
    place += 1
    var text: [UInt8] = []
    while let byte = next {
      place += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let result = String(validating: text, as: UTF8.self) else {
          throw error("the text is not UTF-8", at: start)
        }
        return result
      case UInt8(ascii: "\\"): try escape(into: &text)
      case 0..<32: throw error("an unescaped control character in a text", at: place - 1)
      default: text.append(byte)
      }
    }
    throw error("the text is never closed", at: start)
  }

  private mutating func escape(into text: inout [UInt8]) throws(DataError) {
    let simple: [UInt8: UInt8] = [34: 34, 92: 92, 47: 47, 98: 8, 102: 12, 110: 10, 114: 13, 116: 9]
    guard let byte = next else { throw error("the JSON text ends too early") }
    place += 1
    if let plain = simple[byte] { return text.append(plain) }
    guard byte == UInt8(ascii: "u") else { throw error("an unknown escape", at: place - 2) }
    let start = place - 2
    var code = UInt32(try hexadecimalWord())
    if code & 0xfc00 == 0xd800, bytes[place...].starts(with: "\\u".utf8) {
      place += 2
      let low = UInt32(try hexadecimalWord())
      guard low & 0xfc00 == 0xdc00 else { throw error("half a surrogate pair", at: start) }
      code = 0x10000 + (code & 0x3ff) << 10 + low & 0x3ff
    }
    guard let scalar = Unicode.Scalar(code) else { throw error("half a surrogate pair", at: start) }
    text += Array(String(Character(scalar)).utf8)
  }

  private mutating func hexadecimalWord() throws(DataError) -> UInt16 {
    let digits = bytes[place...].prefix(4)
    let isSound =
      digits.count == 4 && digits.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
    guard isSound, let word = UInt16(String(decoding: digits, as: UTF8.self), radix: 16) else {
      throw error("four hexadecimal digits are due here")
    }
    place += 4
    return word
  }
}
