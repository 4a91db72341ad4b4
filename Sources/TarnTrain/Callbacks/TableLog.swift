import Foundation
import TarnData

/// Keeps `log.csv` in the run folder: a line an epoch.
public final class TableLog: Callback {
  public var name: String { file }
  private let file: String
  private var log: CSVLog?
  private var path: LogPath?

  public init(file: String = "log.csv") { self.file = file }

  public func willStart(_ training: Training) throws {
    path = try training.run.map { try LogPath($0.url(file), keeping: kept) }
    log = nil
  }

  public func didEndEpoch(_ record: EpochRecord, _ training: Training) throws {
    guard let path else { return }
    let fields = record.fields
    let log = try log ?? CSVLog(path: path.url.path, columns: fields.map(\.key))
    self.log = log
    try log.append(fields)
  }

  /// Bytes to keep of a log that was begun before.
  private var kept = 0
  public func save() -> [String: Double] { ["bytes": Double(path?.size ?? 0)] }
  public func restore(_ state: [String: Double]) throws { kept = try keptBytes(state, of: file) }
}

/// Keeps `log.jsonl` in the run folder: a line for every so many steps, and one for each epoch.
public final class EventLog: Callback {
  public var name: String { file }
  private let file: String
  private let steps: Int
  private var log: JSONLinesLog?
  private var path: LogPath?

  /// - Parameter steps: steps between lines; 0: only epochs.
  public init(file: String = "log.jsonl", every steps: Int = 0) {
    (self.file, self.steps) = (file, steps)
  }

  public func willStart(_ training: Training) throws {
    path = try training.run.map { try LogPath($0.url(file), keeping: kept) }
    log = try path.map { try JSONLinesLog(path: $0.url.path) }
  }

  public func didEndStep(_ step: StepReport, _ training: Training) throws {
    guard let log, steps > 0, step.globalStep % steps == 0 else { return }
    try log.append([
      ("event", "step"), ("epoch", .integer(step.epoch + 1)), ("step", .integer(step.globalStep)),
      ("loss", .real(step.loss)), ("learning_rate", .real(step.learningRate)),
    ])
  }

  public func didEndEpoch(_ record: EpochRecord, _ training: Training) throws {
    try log?.append([("event", "epoch")] + record.fields)
  }

  public func didValidate(_ record: ValidationRecord, _ training: Training) throws {
    let values = record.values.sorted { $0.key < $1.key }.map { ($0.key, LogValue.real($0.value)) }
    try log?.append([("event", "validation"), ("step", .integer(record.step))] + values)
  }

  private var kept = 0
  public func save() -> [String: Double] { ["bytes": Double(path?.size ?? 0)] }
  public func restore(_ state: [String: Double]) throws { kept = try keptBytes(state, of: file) }
}

/// How long a log was when the checkpoint was written.
private func keptBytes(_ state: [String: Double], of file: String) throws -> Int {
  let bytes = state["bytes"] ?? 0
  if let whole = Int(exactly: bytes), whole >= 0 { return whole }
  throw DataError(
    .invalid, file: Checkpoint.stateFile,
    reason: "says that \(file) was \(bytes) bytes long when the checkpoint was written",
    hint: "the checkpoint was damaged after it was written; restore the folder from a copy")
}

/// A log of a run, cut back to what the checkpoint knows of it: lines that a killed run wrote later are written again.
private struct LogPath {
  let url: URL

  init(_ url: URL, keeping bytes: Int) throws {
    self.url = url
    guard size > bytes else { return }
    guard truncate(url.path, off_t(bytes)) == 0 else {
      throw LogError(
        path: url.path, offset: bytes, reason: String(cString: strerror(errno)),
        remedy: "see that the file may be written")
    }
  }

  var size: Int {
    var status = stat()
    return stat(url.path, &status) == 0 ? Int(status.st_size) : 0
  }
}

extension EpochRecord {
  /// As logs have it, in a lasting order.
  var fields: [(key: String, value: LogValue)] {
    [("epoch", .integer(epoch)), ("step", .integer(step))]
      + values.sorted { $0.key < $1.key }.map { ($0.key, .real($0.value)) }
      + [
        ("learning_rate", .real(learningRate)), ("seconds", .real(seconds)),
        ("samples_per_second", .real(samplesPerSecond)),
      ]
  }
}
