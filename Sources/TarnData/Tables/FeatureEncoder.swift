import TarnCore

/// Turns a table's columns into numbers to learn from, in the same way for every table: what was
/// learnt from the training table (means, deviations, the categories' levels) is kept, and stored
/// with the model as JSON.
///
/// Numbers become one feature, standardised as (x − mean) / deviation. Categories become one
/// feature a level, 1 for the row's level and 0 for the others.
///
/// ```swift
/// let encoder = try FeatureEncoder(fitting: train, except: ["species"])
/// let x = try encoder.encode(train)   // [rows, encoder.width]
/// let y = try encoder.encode(test)    // with the training table's means and levels
/// ```
public struct FeatureEncoder: Codable, Sendable, Hashable {
  /// What to do with a value that is missing.
  public enum Missing: String, Codable, Sendable, Hashable {
    /// It is an error.
    case refused
    /// A number becomes the training table's mean; a category has none of its levels.
    case mean
  }

  /// How one column is turned into features.
  public enum Field: Codable, Sendable, Hashable {
    case number(name: String, mean: Double, deviation: Double)
    case category(name: String, levels: [String])

    public var name: String {
      switch self {
      case .number(let name, _, _), .category(let name, _): name
      }
    }

    /// Number of features.
    public var width: Int {
      switch self {
      case .number: 1
      case .category(_, let levels): levels.count
      }
    }
  }

  public let fields: [Field]
  public let missing: Missing
  /// Whether numbers are standardised; otherwise they are taken as they are.
  public let isStandardised: Bool

  /// Learns from a table.
  /// - Parameters:
  ///   - columns: the columns to use; nil: all but those of text.
  ///   - excluded: columns not to use, such as the one to predict.
  public init(
    fitting table: Table, columns: [String]? = nil, except excluded: [String] = [],
    isStandardised: Bool = true, missing: Missing = .refused
  ) throws {
    let remaining = try table.dropping(excluded)
    let chosen =
      try columns.map { try remaining.selecting($0).columns }
      ?? remaining.columns.filter { $0.kind != .text }
    fields = try chosen.map { column in
      switch column.values {
      case .numbers(let numbers):
        let (mean, deviation) = Self.moments(numbers.filter { !$0.isNaN })
        guard mean.isFinite && deviation.isFinite else {
          throw DataError(
            .invalid, file: table.name,
            reason: "the column '\(column.name)' holds numbers that are infinite or too large",
            hint: "take such rows out, or leave the fields empty")
        }
        return .number(name: column.name, mean: mean, deviation: deviation)
      case .categories(let levels, _): return .category(name: column.name, levels: levels)
      case .texts:
        throw DataError(
          .unsupported, file: table.name, reason: "the column '\(column.name)' is text",
          hint: "read it as categories: CSV(types: [\"\(column.name)\": .category])")
      }
    }
    (self.missing, self.isStandardised) = (missing, isStandardised)
  }

  /// Number of features.
  public var width: Int { fields.reduce(0) { $0 + $1.width } }

  /// The features' names: `age`, `species=setosa`, ….
  public var names: [String] {
    fields.flatMap { field in
      switch field {
      case .number(let name, _, _): [name]
      case .category(let name, let levels): levels.map { "\(name)=\($0)" }
      }
    }
  }

  /// The table's features, `float32`, [rows, width].
  public func encode(_ table: Table) throws -> Tensor {
    let width = width
    var result = [Float](repeating: 0, count: table.rowCount * width)
    var start = 0
    let columns = Dictionary(table.columns.map { ($0.name, $0) }) { first, _ in first }
    for field in fields {
      let column = try columns[field.name] ?? table.column(field.name)
      for row in 0..<table.rowCount {
        try encode(column, row, field, table) { result[row * width + start + $0] = $1 }
      }
      start += field.width
    }
    return Tensor(result, shape: [table.rowCount, width])
  }

  private func encode(
    _ column: Column, _ row: Int, _ field: Field, _ table: Table, _ put: (Int, Float) -> Void
  ) throws {
    func failure(_ reason: String, _ hint: String) -> DataError {
      DataError(
        .invalid, file: table.name,
        reason: "row \(row + 1), column '\(column.name)': \(reason)", hint: hint)
    }
    if column.isMissing(row) && missing == .refused {
      throw failure("the value is missing", "drop such rows, or encode with missing: .mean")
    }
    switch (field, column.values) {
    case (.number(_, let mean, let deviation), .numbers(let numbers)):
      let value = numbers[row].isNaN ? mean : numbers[row]
      let feature = Float(isStandardised ? (value - mean) / deviation : value)
      guard feature.isFinite else {
        throw failure("\(value) is infinite or too large", "take the row out, or leave it empty")
      }
      put(0, feature)
    case (.category(_, let levels), _):
      guard let text = column.text(row) else { return }
      guard let place = levels.firstIndex(of: text) else {
        throw failure(
          "'\(text)' did not occur in training",
          suggestion(for: text, among: levels) ?? "known are \(levels.joined(separator: ", "))")
      }
      put(place, 1)
    case (.number, _):
      throw failure("is no number", "it was a column of numbers in training")
    }
  }

  /// Mean and deviation (1 where all values are the same, so that it can be divided by).
  private static func moments(_ values: [Double]) -> (mean: Double, deviation: Double) {
    guard !values.isEmpty else { return (0, 1) }
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    return (mean, variance > 0 ? variance.squareRoot() : 1)
  }
}

extension Table {
  /// The columns' features, `float32`, [rows, width], and the encoder that makes the same ones of
  /// other tables.
  ///
  /// ```swift
  /// let (x, encoder) = try train.features(except: ["species"])
  /// ```
  public func features(
    _ columns: [String]? = nil, except excluded: [String] = [], isStandardised: Bool = true,
    missing: FeatureEncoder.Missing = .refused
  ) throws -> (features: Tensor, encoder: FeatureEncoder) {
    let encoder = try FeatureEncoder(
      fitting: self, columns: columns, except: excluded, isStandardised: isStandardised,
      missing: missing)
    return (try encoder.encode(self), encoder)
  }
}
