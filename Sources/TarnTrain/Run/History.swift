/// What came of a run: one record an epoch.
public struct History: Codable, Hashable, Sendable {
  public var epochs: [EpochRecord] = []
  /// Steps taken in all.
  public var steps = 0
  /// What validation between the ends of epochs gave.
  public var checks: [ValidationRecord] = []
  /// The epoch (from 1) whose monitored figure was the best, and the steps taken by then.
  public var bestEpoch: Int?
  public var bestStep: Int?
  /// Why the run ended; nil while it goes on.
  public var stopReason: StopReason?

  public init() {}

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    epochs = try container.decode([EpochRecord].self, forKey: .epochs)
    steps = try container.decode(Int.self, forKey: .steps)
    // Runs of before have no checks.
    checks = try container.decodeIfPresent([ValidationRecord].self, forKey: .checks) ?? []
    bestEpoch = try container.decodeIfPresent(Int.self, forKey: .bestEpoch)
    bestStep = try container.decodeIfPresent(Int.self, forKey: .bestStep)
    stopReason = try container.decodeIfPresent(StopReason.self, forKey: .stopReason)
  }

  /// A figure over the epochs, such as `loss` or `validation_accuracy`. Epochs that lack it are left out.
  public func values(_ name: String) -> [Double] { epochs.compactMap { $0[name] } }
}

/// One epoch's figures.
public struct EpochRecord: Codable, Hashable, Sendable {
  /// Counted from 1.
  public var epoch: Int
  /// Steps taken in all by its end.
  public var step: Int
  /// The task's figures, `loss` among them; those on validation data begin with `validation_`.
  public var values: [String: Double]
  /// The learning rate of its last step.
  public var learningRate: Double
  /// How long it took, validation included.
  public var seconds: Double
  /// Training examples a second, validation left out.
  public var samplesPerSecond: Double
  /// The largest absolute value in each parameter.
  public var largestWeights: [LayerWeight]

  public subscript(name: String) -> Double? { values[name] }
}

/// What validation within an epoch gave.
public struct ValidationRecord: Codable, Hashable, Sendable {
  /// Steps taken in all by then.
  public var step: Int
  /// The task's figures, with `validation_` before their names.
  public var values: [String: Double]

  public init(step: Int, values: [String: Double]) { (self.step, self.values) = (step, values) }
}

/// The largest absolute value in one parameter.
public struct LayerWeight: Codable, Hashable, Sendable {
  /// The parameter's path.
  public var name: String
  public var value: Double

  public init(name: String, value: Double) {
    (self.name, self.value) = (name, value)
  }
}

/// Why a run ended.
public enum StopReason: Codable, Hashable, Sendable, CustomStringConvertible {
  /// All epochs are done.
  case finished
  /// The monitored figure stopped improving; best was the epoch given, counted from 1.
  case early(bestEpoch: Int)
  case timeLimit
  /// So many steps were asked for.
  case stepLimit
  /// By Ctrl-C or a signal to terminate.
  case interrupted
  /// By a callback, in its words.
  case requested(String)

  public var description: String {
    switch self {
    case .finished: "all epochs are done"
    case .early(let best): "no improvement since epoch \(best)"
    case .timeLimit: "the time is up"
    case .stepLimit: "the steps asked for are done"
    case .interrupted: "interrupted"
    case .requested(let words): words
    }
  }
}
