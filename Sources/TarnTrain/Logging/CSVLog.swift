import Foundation

/// A log as a table: one line of column names, then one record a line.
///
/// ```swift
/// let log = try CSVLog(path: "run/log.csv", columns: ["step", "loss", "accuracy"])
/// try log.append([("step", 1), ("loss", 2.303)])  // 1,2.303,
/// ```
///
/// Columns without a value in a record are left empty. NaN is written as `nan`, infinities as
/// `inf` and `-inf`.
public final class CSVLog: Sendable {
  private let file: LogFile
  public let columns: [String]

  public var path: String { file.path }

  /// Opens a log for writing at its end, and writes the column names when it is new.
  ///
  /// - Parameters:
  ///   - columns: Their names and order. A log that is there must have the same.
  ///   - step: Of a log that is there already, the records up to the first whose `step` is greater
  ///     are kept, and
  ///     a torn one at the end is cut off. When nil, everything complete is kept.
  /// - Throws: ``LogError``.
  public init(path: String, columns: [String], resumingAfter step: Int? = nil) throws {
    self.columns = columns
    let kept =
      FileManager.default.fileExists(atPath: path)
      ? try Self.keptLength(of: path, columns: columns, through: step) : 0
    file = try LogFile(path: path, mode: .append)
    try file.truncate(to: kept)
    if kept == 0 { try file.append(Array((Self.header(columns) + "\n").utf8)) }
  }

  /// Adds one record.
  ///
  /// - Throws: ``LogError``, also for a key that is no column.
  public func append(_ record: [(key: String, value: LogValue)]) throws {
    var cells = [String](repeating: "", count: columns.count)
    for (key, value) in record {
      guard let column = columns.firstIndex(of: key) else {
        throw LogError(
          path: path, offset: nil, reason: "there is no column \"\(key)\"",
          remedy: "name it when the log is opened; there are \(columns.joined(separator: ", "))")
      }
      cells[column] = value.csv
    }
    let line = Array((cells.joined(separator: ",") + "\n").utf8)
    try file.append(line)
  }

  private static func header(_ columns: [String]) -> String {
    columns.map(LogValue.cell).joined(separator: ",")
  }

  private static func keptLength(of path: String, columns: [String], through step: Int?) throws
    -> Int
  {
    var kept = 0
    let stepColumn = columns.firstIndex(of: "step")
    try LogLines.forEach(of: path) { line in
      let text = String(decoding: line.bytes, as: UTF8.self)
      if line.start == 0 {
        guard text == header(columns) else {
          throw LogError(
            path: path, offset: 0, reason: "the columns are \(text), not \(header(columns))",
            remedy: "move the file away, or resume with the columns it has")
        }
      } else if let step, let stepColumn {
        let cells = cells(text)
        guard cells.count == columns.count else {
          throw LogError(
            path: path, offset: line.start,
            reason: "this line has \(cells.count) cells for \(columns.count) columns",
            remedy: "correct or remove the line, or move the file away, and resume")
        }
        if let found = Double(cells[stepColumn]), found > Double(step) { return false }
      }
      kept = line.end
      return true
    }
    return kept
  }

  /// The cells of one line.
  package static func cells(_ line: String) -> [String] {
    var cells = [""]
    var isQuoted = false
    var rest = line[...]
    while let character = rest.popFirst() {
      switch character {
      case "\"" where isQuoted && rest.first == "\"":
        rest.removeFirst()
        cells[cells.count - 1].append("\"")
      case "\"": isQuoted.toggle()
      case "," where !isQuoted: cells.append("")
      default: cells[cells.count - 1].append(character)
      }
    }
    return cells
  }
}
