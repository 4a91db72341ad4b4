import Foundation

/// A log with one JSON object a line, keys in the order they were given.
///
/// ```swift
/// let log = try JSONLinesLog(path: "run/log.jsonl")
/// try log.append([("step", 1), ("loss", 2.303)])
/// ```
///
/// Every record is on disk's way when `append` returns. Numbers are written with the fewest digits
/// that give the
/// same `Double` back. A run that goes on from a checkpoint opens its log with `resumingAfter:`,
/// which cuts
/// off what the killed run wrote later, so that both logs end the same.
public final class JSONLinesLog: Sendable {
  private let file: LogFile

  public var path: String { file.path }

  /// Opens a log for writing at its end.
  ///
  /// - Parameters:
  ///   - step: Of a log that is there already, the records up to the first whose `step` is greater
  ///     are kept, and
  ///     a torn one at the end is cut off. When nil, everything complete is kept.
  /// - Throws: ``LogError``.
  public init(path: String, resumingAfter step: Int? = nil) throws {
    let kept =
      FileManager.default.fileExists(atPath: path)
      ? try Self.keptLength(of: path, through: step) : nil
    file = try LogFile(path: path, mode: .append)
    if let kept { try file.truncate(to: kept) }
  }

  /// Adds one record.
  ///
  /// - Throws: ``LogError``.
  public func append(_ record: [(key: String, value: LogValue)]) throws {
    let fields = record.map { LogValue.quoted($0.key) + ":" + $0.value.json }
    let line = Array(("{" + fields.joined(separator: ",") + "}\n").utf8)
    try file.append(line)
  }

  /// The part of a record that says when it was written.
  private struct Stamp: Decodable {
    let step: Double?
  }

  private static func keptLength(of path: String, through step: Int?) throws -> Int {
    var kept = 0
    let decoder = JSONDecoder()
    try LogLines.forEach(of: path) { line in
      let stamp: Stamp
      do { stamp = try decoder.decode(Stamp.self, from: Data(line.bytes)) } catch {
        throw LogError(
          path: path, offset: line.start, reason: "this line is no record of a log",
          remedy: "correct or remove the line, or move the file away, and resume")
      }
      if let step, let found = stamp.step, found > Double(step) { return false }
      kept = line.end
      return true
    }
    return kept
  }
}
