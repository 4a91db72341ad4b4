import TarnCore

/// A named column of a table.
public struct Column: Sendable, Hashable {
  public enum Kind: String, Sendable, Hashable, Codable {
    case number, category, text
  }

  public enum Values: Sendable, Hashable {
    /// NaN where missing.
    case numbers([Double])
    /// The sorted levels, and for each row the place of its level, -1 where missing.
    case categories(levels: [String], codes: [Int])
    /// nil where missing.
    case texts([String?])
  }

  public let name: String
  public let values: Values

  public init(name: String, values: Values) {
    (self.name, self.values) = (name, values)
  }

  /// Categories from the rows' texts; the levels are sorted, so that they do not depend on the
  /// rows' order.
  public init(name: String, categories texts: [String?]) {
    let levels = Set(texts.compactMap { $0 }).sorted()
    let places = Dictionary(uniqueKeysWithValues: levels.enumerated().map { ($1, $0) })
    self.init(
      name: name,
      values: .categories(levels: levels, codes: texts.map { $0.flatMap { places[$0] } ?? -1 }))
  }

  public var kind: Kind {
    switch values {
    case .numbers: .number
    case .categories: .category
    case .texts: .text
    }
  }

  public var count: Int {
    switch values {
    case .numbers(let numbers): numbers.count
    case .categories(_, let codes): codes.count
    case .texts(let texts): texts.count
    }
  }

  /// Whether the value of a row is missing.
  public func isMissing(_ row: Int) -> Bool {
    switch values {
    case .numbers(let numbers): numbers[row].isNaN
    case .categories(_, let codes): codes[row] < 0
    case .texts(let texts): texts[row] == nil
    }
  }

  /// How many values are missing.
  public var missingCount: Int { (0..<count).count { isMissing($0) } }

  /// The row's value as text, nil where missing.
  public func text(_ row: Int) -> String? {
    switch values {
    case .numbers(let numbers): numbers[row].isNaN ? nil : shortest(numbers[row])
    case .categories(let levels, let codes): codes[row] < 0 ? nil : levels[codes[row]]
    case .texts(let texts): texts[row]
    }
  }

  func rows(_ indices: [Int]) -> Column {
    switch values {
    case .numbers(let all): Column(name: name, values: .numbers(indices.map { all[$0] }))
    case .categories(let levels, let codes):
      Column(name: name, values: .categories(levels: levels, codes: indices.map { codes[$0] }))
    case .texts(let all): Column(name: name, values: .texts(indices.map { all[$0] }))
    }
  }

  private func shortest(_ value: Double) -> String {
    Int(exactly: value).map(String.init) ?? "\(value)"
  }
}

/// Columns of one length: what ``CSV`` reads.
public struct Table: Sendable, Hashable {
  public let columns: [Column]
  /// Where it came from, for errors.
  public let name: String

  public init(columns: [Column], name: String = "table") {
    if let first = columns.first, let odd = columns.first(where: { $0.count != first.count }) {
      Diagnostic.report(
        Diagnostic(
          operation: "Table", reason: "columns must have one length",
          facts: ["\(first.name) \(first.count)", "\(odd.name) \(odd.count)"]))
    }
    (self.columns, self.name) = (columns, name)
  }

  public var rowCount: Int { columns.first?.count ?? 0 }
  public var columnNames: [String] { columns.map(\.name) }

  /// The column of this name.
  public func column(_ name: String) throws -> Column {
    guard let column = columns.first(where: { $0.name == name }) else {
      throw DataError(
        .invalid, file: self.name, reason: "has no column '\(name)'",
        hint: suggestion(for: name, among: columnNames)
          ?? "its columns are \(columnNames.joined(separator: ", "))")
    }
    return column
  }

  /// Only these columns, in this order.
  public func selecting(_ names: [String]) throws -> Table {
    Table(columns: try names.map(column), name: name)
  }

  /// All columns but these.
  public func dropping(_ names: [String]) throws -> Table {
    for name in names { _ = try column(name) }
    return Table(columns: columns.filter { !names.contains($0.name) }, name: name)
  }

  /// The rows at these places, in this order.
  public func rows(_ indices: [Int]) -> Table {
    let sound = indices.filter { $0 >= 0 && $0 < rowCount }
    if sound.count != indices.count {
      Diagnostic.report(
        Diagnostic(
          operation: "Table.rows", reason: "there are no such rows", facts: ["rows \(rowCount)"],
          hint: "use 0..<\(rowCount)"))
    }
    return Table(columns: columns.map { $0.rows(sound) }, name: name)
  }

  /// The rows that have every value.
  public func droppingMissing() -> Table {
    rows((0..<rowCount).filter { row in !columns.contains { $0.isMissing(row) } })
  }

  /// A column to predict: numbers as `float32`, categories as the `int64` places of their levels;
  /// [rows].
  public func target(_ name: String) throws -> Tensor {
    let column = try column(name)
    switch column.values {
    case .numbers(let numbers):
      try checkPresent(column)
      return Tensor(numbers.map { Float($0) })
    case .categories(_, let codes):
      try checkPresent(column)
      return Tensor(codes.map { Int64($0) })
    case .texts: return try classes(name).labels
    }
  }

  /// A column of classes to predict: `int64` class numbers, [rows], and the classes' names. Any
  /// type of column will do; the classes are its sorted values (numbers by size).
  public func classes(_ name: String) throws -> (labels: Tensor, names: [String]) {
    let column = try column(name)
    try checkPresent(column)
    switch column.values {
    case .categories(let levels, let codes): return (Tensor(codes.map { Int64($0) }), levels)
    case .numbers(let numbers):
      let levels = Set(numbers).sorted()
      let places = Dictionary(uniqueKeysWithValues: levels.enumerated().map { ($1, Int64($0)) })
      let rows = Dictionary(numbers.enumerated().map { ($1, $0) }) { first, _ in first }
      let names = levels.map { level in rows[level].flatMap { column.text($0) } ?? "\(level)" }
      return (Tensor(numbers.map { places[$0] ?? 0 }), names)
    case .texts(let texts):
      return try Table(columns: [Column(name: name, categories: texts)], name: self.name)
        .classes(name)
    }
  }

  private func checkPresent(_ column: Column) throws {
    guard let row = (0..<column.count).first(where: { column.isMissing($0) }) else { return }
    throw DataError(
      .invalid, file: name,
      reason:
        "row \(row + 1) has no value in the column '\(column.name)', which is to be predicted",
      hint: "drop such rows with droppingMissing()")
  }
}

extension Table {
  /// The table as CSV text with a header, quoted where needed.
  public var csv: String {
    func quoted(_ text: String) -> String {
      let needsQuotes = text.utf8.contains { [34, 44, 10, 13].contains($0) }
      return needsQuotes || text.isEmpty || text.first == " " || text.last == " "
        ? "\""
          + text.split(separator: "\"", omittingEmptySubsequences: false)
          .joined(separator: "\"\"") + "\"" : text
    }
    var lines = [columnNames.map(quoted).joined(separator: ",")]
    for row in 0..<rowCount {
      lines.append(columns.map { $0.text(row).map(quoted) ?? "" }.joined(separator: ","))
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
