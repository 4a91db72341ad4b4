import TarnNN

/// Everything that decides how a run goes, beside the model, the task and the data.
///
/// A run folder keeps them, so that a run can be taken up again with nothing else said.
///
/// ```swift
/// var options = TrainingOptions()
/// options.epochs = 20
/// options.optimizer = .adamW
/// options.schedule = .cosine(minimum: 1e-5)
/// ```
public struct TrainingOptions: Codable, Hashable, Sendable {
  /// Passes over the training data.
  public var epochs = 10
  /// Examples in a step.
  public var batchSize = 32
  /// What every random number of the run derives from: order of the data, dropout, augmentation.
  public var seed: UInt64 = 0
  /// The step length, before schedule and warm-up.
  public var learningRate = 1e-3
  public var optimizer: OptimizerKind = .adam
  /// α of `rmsprop`, how much of the mean square is kept; nil: its usual 0.99.
  public var squareDecay: Double?
  /// For the optimizers `momentum` and `nesterov`.
  public var momentum = 0.9
  public var weightDecay = 0.0
  public var schedule: ScheduleKind = .constant
  /// Steps over which the learning rate rises linearly to its full size.
  public var warmupSteps = 0
  /// Factor on the gradient before it is clipped, as where the loss is a mean but the gradient of a sum is wanted.
  public var gradientScale: Double?
  /// The greatest length of the gradient as one vector; a longer one is shortened to it.
  public var clipNorm: Double?
  /// The greatest size of an element of the gradient.
  public var clipValue: Double?
  /// Decay of a running average of the weights, such as 0.999. The average is what is validated and returned.
  public var averaging: Double?
  /// Which parameters are trained.
  public var training: ParameterFilter = .all
  /// Epochs without improvement after which to stop.
  public var patience: Int?
  /// The figure that tells the best epoch. Empty: `validation_loss`, or `loss` where nothing is validated.
  public var monitor = ""
  /// How much the figure must get better to count as an improvement, for `patience`.
  public var minimumDelta = 0.0
  /// Whether a run that stops early gives the weights of its best epoch instead of its last.
  public var restoreBest = true
  /// Seconds after which to stop, counted anew when a run is taken up again.
  public var timeLimit: Double?
  /// Steps after which to stop, if the epochs are not over before.
  public var maxSteps: Int?
  /// Steps between validations within an epoch. Each epoch ends with one in any case.
  public var validateEvery: Int?
  /// Steps between checkpoints. One is written after every epoch in any case.
  public var checkpointEvery: Int?
  /// Whether a last batch that is not full is left out.
  public var dropLast = false
  /// Threads the run was started with, for information.
  public var threads: Int?
  /// Whatever else the program that started the run wants to find again.
  public var extra: [String: String] = [:]

  public init() {}
}

extension TrainingOptions {
  /// What may change between a run and its continuation without making it another run.
  private var lasting: TrainingOptions {
    var options = self
    options.epochs = 0
    options.patience = nil
    options.minimumDelta = 0
    options.restoreBest = true
    options.timeLimit = nil
    options.maxSteps = nil
    options.validateEvery = nil
    options.checkpointEvery = nil
    options.threads = nil
    options.extra = [:]
    return options
  }

  /// Why a run with options `old` cannot go on with these; nil if it can.
  func conflict(with old: TrainingOptions) -> String? {
    guard lasting != old.lasting else { return nil }
    func words(_ value: Any) -> String {
      let mirror = Mirror(reflecting: value)
      guard mirror.displayStyle == .optional else { return "\(value)" }
      return mirror.children.first.map { "\($0.value)" } ?? "not set"
    }
    func facts(_ options: TrainingOptions) -> [String: String] {
      let fields = Mirror(reflecting: options.lasting).children
      return Dictionary(uniqueKeysWithValues: fields.map { ($0.label ?? "", words($0.value)) })
    }
    let (new, before) = (facts(self), facts(old))
    let changed = new.keys.sorted().filter { new[$0] != before[$0] }
    return changed.map { "\($0) was \(before[$0] ?? "?"), is \(new[$0] ?? "?")" }
      .joined(separator: "; ")
  }
}
