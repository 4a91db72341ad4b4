import TarnCore
import TarnData

/// A run under way, as callbacks see it.
public final class Training {
  public let options: TrainingOptions
  public let run: RunFolder?
  /// Batches in an epoch.
  public let stepsPerEpoch: Int
  /// Whether this session goes on with a run begun before.
  public internal(set) var isResumed = false
  /// Everything told of it so far; of the epoch under way, nothing yet.
  public internal(set) var history = History()
  /// The step length of the next step.
  public var learningRate: Double
  /// Why it is to end after this step; nil: it goes on.
  public private(set) var stopReason: StopReason?
  /// The parameters as they are now, with their paths.
  public var parameters: [(name: String, tensor: Tensor)] { currentParameters() }

  var position = DataPosition()
  var wantsCheckpoint = false
  var currentParameters: () -> [(name: String, tensor: Tensor)] = { [] }

  init(options: TrainingOptions, run: RunFolder?, stepsPerEpoch: Int) {
    (self.options, self.run, self.stepsPerEpoch) = (options, run, stepsPerEpoch)
    learningRate = options.learningRate
  }

  /// The epoch under way, from 0.
  public var epoch: Int { position.epoch }
  /// Steps taken in this epoch.
  public var step: Int { position.step }
  /// Steps taken in all.
  public internal(set) var globalStep = 0
  /// Steps of the whole run, if nothing ends it early.
  public var totalSteps: Int { min(options.epochs * stepsPerEpoch, options.maxSteps ?? .max) }
  /// The figure that tells the best epoch.
  public internal(set) var monitor = Monitor("loss")

  /// Ends the run after this step. The first reason given counts.
  public func requestStop(_ reason: StopReason) {
    stopReason = stopReason ?? reason
  }

  /// Writes a checkpoint once all callbacks have seen this step or epoch. Without a run folder it does nothing.
  public func requestCheckpoint() { wantsCheckpoint = true }
}

/// A figure of the epochs' records and which way it is better.
public struct Monitor: Hashable, Sendable, Codable {
  public var name: String
  /// Whether larger is better.
  public var isGain: Bool

  /// By its name: accuracies, shares of hits and `r2` are better when larger, everything else when smaller.
  public init(_ name: String) {
    self.name = name
    let figure = name.hasPrefix("validation_") ? String(name.dropFirst("validation_".count)) : name
    isGain = figure == "accuracy" || figure == "r2" || figure == "f1" || figure.hasPrefix("top")
  }

  public init(_ name: String, isGain: Bool) {
    (self.name, self.isGain) = (name, isGain)
  }

  /// Whether `value` betters `best` by more than `delta`. Nothing betters with a value that is no number.
  public func isBetter(_ value: Double, than best: Double?, by delta: Double = 0) -> Bool {
    guard !value.isNaN else { return false }
    guard let best else { return true }
    return isGain ? value > best + delta : value < best - delta
  }

  /// Its value in a record, or an error that says what there is.
  public func value(in record: EpochRecord) throws -> Double {
    if let value = record[name] { return value }
    throw TrainingError(
      reason: "there is no figure '\(name)' to watch",
      hints: ["the figures of this run are \(record.values.keys.sorted().joined(separator: ", "))"])
  }
}
