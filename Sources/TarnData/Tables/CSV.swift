import Foundation

/// Comma-separated values, read into a ``Table`` of typed columns.
///
/// ```swift
/// let irises = try CSV.read(contentsOf: URL(fileURLWithPath: "iris.csv"))
/// let (labels, species) = try irises.classes("species")
/// let encoder = try FeatureEncoder(fitting: irises, except: ["species"])
/// let features = try encoder.encode(irises)
/// ```
public struct CSV: Sendable {
  /// Whether the first record holds the columns' names.
  public enum Header: Sendable, Hashable {
    /// It does where its fields are not empty, all different, and none is a number.
    case detected
    case present
    /// The columns are called `column1`, `column2`, ….
    case absent
  }

  /// What separates fields; nil: the one of comma, semicolon, tab and bar that the first line has
  /// most of.
  public var delimiter: Character?
  public var header: Header
  /// Fields, not in quotes, that stand for a missing value.
  public var missing: Set<String>
  /// The types of columns where they should not be told from the values.
  public var types: [String: Column.Kind]
  /// A text column is one of categories if it has this many different values at most, and each
  /// twice on average.
  public var mostCategories: Int

  public init(
    delimiter: Character? = nil, header: Header = .detected,
    missing: Set<String> = ["", "NA", "N/A", "NaN", "nan", "null", "?"],
    types: [String: Column.Kind] = [:], mostCategories: Int = 1000
  ) {
    (self.delimiter, self.header, self.missing) = (delimiter, header, missing)
    (self.types, self.mostCategories) = (types, mostCategories)
  }

  /// Reads a file, plain or packed with gzip, with the usual options.
  public static func read(contentsOf url: URL) throws -> Table {
    try CSV().read(contentsOf: url)
  }

  /// Reads a file, plain or packed with gzip.
  public func read(contentsOf url: URL) throws -> Table {
    try read(Gzip.plain(FileBytes(mapping: url)))
  }

  /// Reads CSV text.
  /// - Parameter name: what errors call it.
  public func read(text: String, name: String = "text") throws -> Table {
    try read(FileBytes(Array(text.utf8), name: name))
  }

  package func read(_ file: FileBytes) throws(DataError) -> Table {
    let result: Result<Table, DataError> = file.withBytes { bytes in
      do throws(DataError) { return .success(try read(file, bytes)) } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  private func read(
    _ file: FileBytes, _ bytes: UnsafeRawBufferPointer
  ) throws(DataError) -> Table {
    var reader = CSVReader(file, bytes, delimiter: try delimiterByte(file, bytes))
    guard let first = try reader.record() else {
      throw DataError(.invalid, file: file.name, at: .byte(0), reason: "the file has no records")
    }
    let hasHeader = isHeader(first)
    let names =
      hasHeader
      ? try headerNames(first, reader) : first.fields.indices.map { "column\($0 + 1)" }
    try checkTypes(names, file)
    var columns = names.map { ColumnBuilder(name: $0) }
    var pending = hasHeader ? try reader.record() : first
    while let record = pending {
      guard record.fields.count == names.count else { throw wrongCount(record, names, reader) }
      for (i, field) in record.fields.enumerated() {
        let isMissing = !field.isQuoted && missing.contains(field.text)
        columns[i].append(isMissing ? nil : field.text, line: record.line, column: field.column)
      }
      pending = try reader.record()
    }
    var finished: [Column] = []
    for builder in columns {
      finished.append(
        try builder.column(
          as: types[builder.name], mostCategories: mostCategories, file: file.name))
    }
    return Table(columns: finished, name: file.name)
  }

  private func wrongCount(
    _ record: CSVReader.Record, _ names: [String], _ reader: CSVReader
  ) -> DataError {
    let last = record.fields.last?.column ?? 1
    return reader.error(
      "the record has \(record.fields.count) fields, but there are \(names.count) columns",
      line: record.line, column: last,
      hint: "check for a missing delimiter, or for a delimiter in a field that is not in quotes")
  }

  private func isHeader(_ record: CSVReader.Record) -> Bool {
    switch header {
    case .present: true
    case .absent: false
    case .detected:
      Set(record.fields.map(\.text)).count == record.fields.count
        && record.fields.allSatisfy { !$0.text.isEmpty && number($0.text) == nil }
    }
  }

  private func headerNames(
    _ record: CSVReader.Record, _ reader: CSVReader
  ) throws(DataError) -> [String] {
    var seen: Set<String> = []
    for field in record.fields where !seen.insert(field.text).inserted {
      throw reader.error(
        "two columns are named '\(field.text)'", line: record.line, column: field.column,
        hint: "rename one, or read with header: .absent")
    }
    return record.fields.map(\.text)
  }

  private func checkTypes(_ names: [String], _ file: FileBytes) throws(DataError) {
    for name in types.keys.sorted() where !names.contains(name) {
      throw DataError(
        .invalid, file: file.name, reason: "has no column '\(name)' to give a type",
        hint: suggestion(for: name, among: names))
    }
  }

  private func delimiterByte(
    _ file: FileBytes, _ bytes: UnsafeRawBufferPointer
  ) throws(DataError) -> UInt8 {
    if let delimiter {
      guard let byte = delimiter.asciiValue, !"\"\r\n".contains(delimiter) else {
        throw DataError(
          .unsupported, file: file.name, reason: "'\(delimiter)' cannot separate fields",
          hint: "use an ASCII character other than a quote or a line break")
      }
      return byte
    }
    var counts: [UInt8: Int] = [:]
    var isQuoted = false
    for byte in bytes {
      if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
      if !isQuoted && (byte == 10 || byte == 13) && !counts.isEmpty { break }
      if !isQuoted { counts[byte, default: 0] += 1 }
    }
    let candidates = ",;\t|".utf8
    let best = candidates.max { counts[$0, default: 0] < counts[$1, default: 0] }
    guard let best, counts[best, default: 0] > 0 else { return UInt8(ascii: ",") }
    return candidates.first { counts[$0] == counts[best] } ?? best
  }
}

/// The number a field stands for: decimal, with an exponent or not, or an infinity; nil otherwise.
func number(_ text: String) -> Double? {
  guard let first = text.utf8.first else { return nil }
  let isPlain = text.utf8.allSatisfy { "0123456789+-.eE".utf8.contains($0) }
  let isInfinity = ["inf", "-inf", "+inf", "infinity", "-infinity"].contains(text.lowercased())
  guard isPlain || isInfinity, first != UInt8(ascii: "e"), first != UInt8(ascii: "E") else {
    return nil
  }
  return Double(text)
}

/// What is longer, in bytes, names no category.
private let longestCategory = 256

/// A column while its fields come in.
private struct ColumnBuilder {
  let name: String
  private var values: [String?] = []
  private var places: [(line: Int, column: Int)] = []

  init(name: String) { self.name = name }

  mutating func append(_ value: String?, line: Int, column: Int) {
    values.append(value)
    places.append((line, column))
  }

  func column(
    as wanted: Column.Kind?, mostCategories: Int, file: String
  ) throws(DataError) -> Column {
    let kind = wanted ?? likelyKind(mostCategories)
    switch kind {
    case .number:
      var numbers: [Double] = []
      numbers.reserveCapacity(values.count)
      for (i, value) in values.enumerated() {
        guard let value else {
          numbers.append(.nan)
          continue
        }
        guard let number = number(value) else {
          throw DataError(
            .invalid, file: file, at: .line(places[i].line, column: places[i].column),
            reason: "'\(value)' in the column '\(name)' is not a number",
            hint: "add it to the texts that stand for a missing value, or read the column as text")
        }
        numbers.append(number)
      }
      return Column(name: name, values: .numbers(numbers))
    case .category: return Column(name: name, categories: values)
    case .text: return Column(name: name, values: .texts(values))
    }
  }

  private func likelyKind(_ mostCategories: Int) -> Column.Kind {
    let present = values.lazy.compactMap { $0 }
    if present.allSatisfy({ number($0) != nil }) { return .number }
    let distinct = Set(present).count
    guard present.allSatisfy({ $0.utf8.count <= longestCategory }) else { return .text }
    return distinct <= mostCategories && 2 * distinct <= values.count ? .category : .text
  }
}
