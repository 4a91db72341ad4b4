import Foundation
import TarnCore
import TarnData
import TarnInterop
import TarnNN

/// A run as a folder: how it was started, its weights, its logs, and what it takes to go on.
///
/// ```
/// run.json  model.json              how it was started; which model
/// model.safetensors                 the weights as of the last checkpoint, or of the end
/// best/model.safetensors            those of the best epoch
/// optimizer.safetensors             the optimizer's state
/// log.csv  log.jsonl                a line an epoch; a line an event
/// latest  checkpoint-7/             the last checkpoint, whole at any moment
/// ```
public struct RunFolder: Hashable, Sendable {
  public let url: URL

  private init(url: URL) { self.url = url }

  /// Makes the folder, or takes an empty one. One that holds something is refused.
  public init(creating url: URL) throws {
    self.init(url: url)
    let contents = try? FileManager.default.contentsOfDirectory(atPath: url.path)
    if let found = contents?.first {
      let isRun = contents?.contains(Self.descriptionFile) == true
      throw DataError(
        .unwritable, file: url.path,
        reason: isRun ? "holds a run already" : "is not empty: there is '\(found)' in it",
        hint: isRun ? "take it up again, or choose another folder" : "choose another folder")
    }
    try Folders.make(url)
  }

  /// Takes the folder of a run that was described. A folder that holds no run, a damaged one, or one of another version
  /// is refused.
  public init(opening url: URL) throws {
    self.init(url: url)
    _ = try description()
  }

  /// Makes the next free of NAME-1, NAME-2, … in `folder`.
  public static func next(in folder: URL, named name: String) throws -> RunFolder {
    try Folders.make(folder)
    var number = 1
    while FileManager.default.fileExists(atPath: folder.path + "/\(name)-\(number)") { number += 1 }
    return try RunFolder(creating: folder.appendingPathComponent("\(name)-\(number)"))
  }

  static let descriptionFile = "run.json"

  /// Where a file of the run lies.
  public func url(_ file: String) -> URL { url.appendingPathComponent(file) }

  /// Writes `run.json`.
  public func describe(_ description: RunDescription) throws {
    try JSONFile.write(description, to: url(Self.descriptionFile))
  }

  private struct Version: Decodable { let formatVersion: Int }

  /// What `run.json` says.
  public func description() throws -> RunDescription {
    let file = url(Self.descriptionFile)
    guard FileManager.default.fileExists(atPath: file.path) else {
      throw DataError(
        .missing, file: url.path, reason: "holds no run: there is no \(Self.descriptionFile)",
        hint: "name the folder that a training run made")
    }
    let version = try JSONFile.read(Version.self, from: file).formatVersion
    try Self.check(version: version, file: file)
    let description = try JSONFile.read(RunDescription.self, from: file)
    if let problem = description.options.problem {
      throw DataError(
        .invalid, file: file.path, reason: "the option \(problem)",
        hint: "restore the file from a copy, or begin a new run")
    }
    return description
  }

  static func check(version: Int, file: URL) throws {
    let own = RunDescription.currentFormatVersion
    guard version != own else { return }
    throw DataError(
      .unsupported, file: file.path,
      reason:
        "was written in version \(version) of the form of runs; this program reads version \(own)",
      hint: version > own ? "use a newer version of this program" : "use the version that wrote it")
  }

  /// Whether there is a state to go on from.
  public var hasCheckpoint: Bool { checkpoints.exists }

  /// The run's figures as of its last checkpoint.
  public func history() throws -> History { try checkpoints.latest().state().history }

  /// Which weights of a run.
  public enum Stage: String, Sendable, Hashable, Codable, CaseIterable {
    /// As of the last checkpoint, or of the end.
    case last
    /// Of the best epoch.
    case best

    var file: String { self == .last ? "model.safetensors" : "best/model.safetensors" }
  }

  /// `model` with the run's weights. Its structure must be that of the run's model.
  public func load<Model: Module>(_ model: Model, _ stage: Stage = .last) throws -> Model {
    try model.filled(from: url(stage.file))
  }

  var checkpoints: CheckpointStore { CheckpointStore(folder: url) }
}
