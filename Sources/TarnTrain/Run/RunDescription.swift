import Foundation
import TarnCore

/// What `run.json` says: how a run was started, for taking it up again and for people.
public struct RunDescription: Codable, Hashable, Sendable {
  /// The version of this library that writes runs.
  public static let currentLibraryVersion = "0.1.0"
  /// The version of the files' form. Runs of another are refused.
  public static let currentFormatVersion = 1

  public var formatVersion = RunDescription.currentFormatVersion
  public var libraryVersion = RunDescription.currentLibraryVersion
  public var options: TrainingOptions
  /// The words the program was started with.
  public var commandLine: [String]
  /// Such as `classification`.
  public var task: String
  /// The model, where it is one of the kinds a run can name; `model.json` describes any.
  public var model: ModelCard?
  public var data: DataDescription?
  public var validation: DataDescription?
  /// The machine: `device`, `processors`, `system`, and what the program adds (SIMD level, say). For information only.
  public var machine: [String: String]
  /// When the run began, ISO 8601.
  public var started: String

  public init(
    options: TrainingOptions, task: String, model: ModelCard? = nil, data: DataDescription? = nil,
    validation: DataDescription? = nil, commandLine: [String] = CommandLine.arguments,
    machine: [String: String] = [:]
  ) {
    (self.options, self.task, self.commandLine) = (options, task, commandLine)
    self.model = model
    (self.data, self.validation) = (data, validation)
    self.machine = Self.thisMachine.merging(machine) { $1 }
    started = Date.now.formatted(.iso8601)
  }

  private static var thisMachine: [String: String] {
    [
      "device": "\(Device.current)",
      "processors": "\(ProcessInfo.processInfo.activeProcessorCount)",
      "system": ProcessInfo.processInfo.operatingSystemVersionString,
    ]
  }
}
