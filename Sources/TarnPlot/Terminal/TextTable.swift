/// Rows of text in aligned columns, for the terminal and for pages.
///
/// ```swift
/// var table = TextTable(["layer", "parameters"])
/// table.add(["conv1", "1,792"])
/// print(table)
/// ```
///
/// A column whose cells are all numbers stands at the right, any other at the left.
public struct TextTable: Sendable, Equatable, CustomStringConvertible {
  public enum Alignment: Sendable, Equatable { case left, right, centre }

  public let columns: [String]
  public private(set) var rows: [[String]] = []
  /// How to align columns, by number; found from the cells where not given.
  public var alignments: [Int: Alignment]
  /// The most characters of a column; longer texts end with an ellipsis.
  public var columnLimit: Int

  public init(
    _ columns: [String], _ rows: [[String]] = [], alignments: [Int: Alignment] = [:],
    columnLimit: Int = 60
  ) {
    (self.columns, self.alignments, self.columnLimit) = (columns, alignments, max(columnLimit, 4))
    for row in rows { add(row) }
  }

  /// Adds a row. Missing cells are blank; those beyond the last column are left out.
  public mutating func add(_ cells: [String]) {
    rows.append(columns.indices.map { $0 < cells.count ? cells[$0] : "" })
  }

  /// How column number `index` is aligned.
  public func alignment(_ index: Int) -> Alignment {
    if let chosen = alignments[index] { return chosen }
    let cells = rows.map { $0[index] }.filter { !$0.isEmpty }
    return !cells.isEmpty && cells.allSatisfy(Self.isNumber) ? .right : .left
  }

  private static func isNumber(_ text: String) -> Bool {
    if ["-", "–", "nan", "NaN", "∞", "-∞"].contains(text) { return true }
    guard text.contains(where: \.isNumber), let first = text.first else { return false }
    guard first.isNumber || "+-.−±".contains(first) else { return false }
    let unit = text.drop { $0.isNumber || "+-.,−±×⁻eE".contains($0) }
    return unit.count <= 6
      && (unit.isEmpty || unit.first == " " || unit.first == "%" || unit.count <= 2)
  }

  public var description: String {
    func cell(_ text: String) -> String {
      let line = String(text.map { $0.isNewline || $0 == "\t" ? " " : $0 })
      return TextMeasure.fitted(line, columns: columnLimit)
    }
    let heads = columns.map(cell)
    let body = rows.map { $0.map(cell) }
    let widths = columns.indices.map { index in
      ([heads[index]] + body.map { $0[index] }).map { TextMeasure.columns($0) }.max() ?? 0
    }
    let alignments = columns.indices.map(alignment)
    func line(_ cells: [String]) -> String {
      let padded = cells.enumerated().map { index, text in
        let room = widths[index] - TextMeasure.columns(text)
        let left =
          switch alignments[index] {
          case .left: 0
          case .right: room
          case .centre: room / 2
          }
        return String(repeating: " ", count: left) + text
          + String(repeating: " ", count: room - left)
      }
      let joined = padded.joined(separator: "  ")
      return String(joined.reversed().drop { $0 == " " }.reversed())
    }
    let rule = widths.map { String(repeating: "─", count: $0) }.joined(separator: "  ")
    return ([line(heads), rule] + body.map(line)).joined(separator: "\n")
  }
}

extension TextTable {
  /// Columns that `text` takes in a terminal.
  package static func columns(of text: String) -> Int { TextMeasure.columns(text) }

  /// `text` cut to at most `columns`, ended with an ellipsis where something is missing.
  package static func cut(_ text: String, columns: Int) -> String {
    TextMeasure.fitted(text, columns: columns)
  }
}
