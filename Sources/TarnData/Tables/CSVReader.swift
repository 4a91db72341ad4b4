/// Cuts CSV text into records by RFC 4180: fields between delimiters, quoted where they hold a
/// delimiter, a line break or a quote (which is doubled). Lines may end in LF, CRLF or CR; empty
/// lines are passed over.
struct CSVReader {
  struct Field: Equatable {
    var text: String
    var isQuoted: Bool
    var column: Int
  }

  struct Record {
    var fields: [Field]
    var line: Int
  }

  private let file: FileBytes
  private let bytes: UnsafeRawBufferPointer
  private let delimiter: UInt8
  private var place = 0
  private var line = 1
  private var lineStart = 0

  private static let quote = UInt8(ascii: "\"")
  private static let lineFeed = UInt8(ascii: "\n")
  private static let carriageReturn = UInt8(ascii: "\r")

  /// `bytes` are those of `file`, lent for as long as this lives.
  init(_ file: FileBytes, _ bytes: UnsafeRawBufferPointer, delimiter: UInt8) {
    (self.file, self.bytes, self.delimiter) = (file, bytes, delimiter)
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { (place, lineStart) = (3, 3) }
  }

  func error(_ reason: String, line: Int, column: Int, hint: String? = nil) -> DataError {
    DataError(
      .invalid, file: file.name, at: .line(line, column: column), reason: reason, hint: hint)
  }

  private var column: Int { place - lineStart + 1 }
  private var next: UInt8? { place < bytes.count ? bytes[place] : nil }
  private var isAtLineEnd: Bool { next == Self.lineFeed || next == Self.carriageReturn }

  /// The next record, or nil at the end.
  mutating func record() throws(DataError) -> Record? {
    while isAtLineEnd { endLine() }
    guard next != nil else { return nil }
    var record = Record(fields: [], line: line)
    while true {
      record.fields.append(try next == Self.quote ? quotedField() : plainField())
      if next == delimiter {
        place += 1
        continue
      }
      if isAtLineEnd { endLine() }
      return record
    }
  }

  private mutating func endLine() {
    let isPair =
      next == Self.carriageReturn && place + 1 < bytes.count
      && bytes[place + 1] == Self.lineFeed
    place += isPair ? 2 : 1
    line += 1
    lineStart = place
  }

  private mutating func plainField() throws(DataError) -> Field {
    let (start, startColumn) = (place, column)
    while let byte = next, byte != delimiter, !isAtLineEnd {
      if byte == Self.quote {
        throw error(
          "a quote inside a field that does not begin with one", line: line, column: column,
          hint: "put the whole field in quotes and double the quotes in it")
      }
      place += 1
    }
    let text = try text(bytes[start..<place], line: line, column: startColumn)
    return Field(text: trimmed(text), isQuoted: false, column: startColumn)
  }

  private mutating func quotedField() throws(DataError) -> Field {
    let (startLine, startColumn) = (line, column)
    var content: [UInt8] = []
    place += 1
    while true {
      guard let byte = next else { throw unclosed(startLine, startColumn) }
      if isAtLineEnd {
        let before = place
        endLine()
        content += bytes[before..<place]
        continue
      }
      place += 1
      if byte == Self.quote {
        guard next == Self.quote else { break }
        place += 1
      }
      content.append(byte)
    }
    guard isAtLineEnd || next == nil || next == delimiter else {
      throw error(
        "something follows the closing quote of a field", line: line, column: column,
        hint: "double the quotes inside a quoted field")
    }
    let text = try text(content, line: startLine, column: startColumn)
    return Field(text: text, isQuoted: true, column: startColumn)
  }

  private func unclosed(_ line: Int, _ column: Int) -> DataError {
    error("a quoted field is never closed", line: line, column: column)
  }

  private func text(
    _ bytes: some Collection<UInt8>, line: Int, column: Int
  ) throws(DataError) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw error(
        "the field is not UTF-8 text", line: line, column: column,
        hint: "convert the file: iconv -f latin1 -t utf8")
    }
    return text
  }

  private func trimmed(_ text: String) -> String {
    guard text.first == " " || text.last == " " || text.first == "\t" || text.last == "\t" else {
      return text
    }
    let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
    let front = text.drop(while: isBlank)
    return String(front.prefix(front.count - front.reversed().prefix(while: isBlank).count))
  }
}
