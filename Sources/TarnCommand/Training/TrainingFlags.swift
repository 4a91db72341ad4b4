import ArgumentParser
import Tarn

/// The options of every training run. What is not given is chosen by the data and the model.
struct TrainingFlags: ParsableArguments {
  @Option(help: "Passes over the training samples.")
  var epochs: Int?

  @Option(help: "Samples in a step.")
  var batch: Int?

  @Option(help: "How weights follow the gradient.")
  var optimizer: OptimizerKind?

  @Option(help: "The step length.")
  var learningRate: Double?

  @Option(help: "For the optimizers momentum and nesterov. (default: 0.9)")
  var momentum: Double?

  @Option(help: "Pull of the weights towards 0. (default: 0)")
  var weightDecay: Double?

  @Option(
    help: ArgumentHelp(
      "How the step length changes.",
      discussion: """
        constant, step:EPOCHS,FACTOR, exponential:FACTOR, cosine, cosine:MINIMUM, one-cycle or \
        plateau:FACTOR,PATIENCE.
        """, valueName: "schedule"))
  var schedule: ScheduleKind?

  @Option(help: "Steps over which the step length rises to its full size. (default: 0)")
  var warmUp: Int?

  @Option(help: "The greatest length of the gradient; a longer one is shortened.")
  var clipNorm: Double?

  @Option(help: "The greatest size of an element of the gradient.")
  var clipValue: Double?

  @Option(help: "Share of the target spread over all classes. (default: 0)")
  var labelSmoothing: Double?

  @Option(help: "Stop after so many epochs without improvement.")
  var patience: Int?

  @Option(help: "Stop after so many seconds.")
  var timeLimit: Double?

  @Option(help: "Keep a running average of the weights with this decay, such as 0.999.")
  var ema: Double?

  @Option(help: "Share of the training samples kept for validation. (default: 0.1)")
  var validationFraction: Double?

  @Option(help: "Write a checkpoint after every so many steps too, not only after each epoch.")
  var checkpointEvery: Int?

  @Option(help: "The run's folder. (default: the next free runs/NAME-1, -2, …)")
  var out: String?

  func validate() throws {
    try check("epochs", epochs, 1...1_000_000)
    try check("batch", batch, 1...1_000_000)
    try check("warm-up", warmUp, 0...1_000_000_000)
    try check("patience", patience, 1...1_000_000)
    try check("checkpoint-every", checkpointEvery, 1...1_000_000_000)
    try check("learning-rate", learningRate, "more than 0") { $0 > 0 }
    try check("momentum", momentum, "from 0 up to, not including, 1") { $0 >= 0 && $0 < 1 }
    if momentum != nil, optimizer != .momentum && optimizer != .nesterov {
      throw ValidationError("--momentum is for --optimizer momentum or nesterov.")
    }
    try check("weight-decay", weightDecay, "0 or more") { $0 >= 0 }
    try check("clip-norm", clipNorm, "more than 0") { $0 > 0 }
    try check("clip-value", clipValue, "more than 0") { $0 > 0 }
    try check("label-smoothing", labelSmoothing, "from 0 up to, not including, 1") {
      $0 >= 0 && $0 < 1
    }
    try check("time-limit", timeLimit, "more than 0") { $0 > 0 }
    try check("ema", ema, "between 0 and 1") { $0 > 0 && $0 < 1 }
    try check("validation-fraction", validationFraction, "from 0 to 0.5") { $0 >= 0 && $0 <= 0.5 }
  }

  private func check(_ name: String, _ value: Int?, _ range: ClosedRange<Int>) throws {
    guard let value, !range.contains(value) else { return }
    throw ValidationError(
      "--\(name) \(value): give a number from \(range.lowerBound) to \(range.upperBound).")
  }

  private func check(
    _ name: String, _ value: Double?, _ words: String, _ isSound: (Double) -> Bool
  ) throws {
    guard let value, !value.isFinite || !isSound(value) else { return }
    throw ValidationError("--\(name) \(value): give a number \(words).")
  }

  /// `defaults` with what was given.
  func options(_ defaults: TrainingOptions, common: CommonOptions) -> TrainingOptions {
    var options = defaults
    options.epochs = epochs ?? options.epochs
    options.batchSize = batch ?? options.batchSize
    options.optimizer = optimizer ?? options.optimizer
    options.learningRate = learningRate ?? options.learningRate
    options.momentum = momentum ?? options.momentum
    options.weightDecay = weightDecay ?? options.weightDecay
    options.schedule = schedule ?? options.schedule
    options.warmupSteps = warmUp ?? options.warmupSteps
    options.clipNorm = clipNorm
    options.clipValue = clipValue
    options.patience = patience
    options.timeLimit = timeLimit
    options.averaging = ema
    options.checkpointEvery = checkpointEvery
    options.seed = common.seed
    options.threads = Machine.threads
    return options
  }

  func split(seed: UInt64) -> Split {
    Split(seed: seed, validation: validationFraction ?? 0.1)
  }
}

extension OptimizerKind: ExpressibleByArgument {}

extension ScheduleKind: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
  public var defaultValueDescription: String { description }
}

extension Activation: ExpressibleByArgument {}

/// Whole numbers with commas between: `128,64`.
struct Sizes: ExpressibleByArgument, Hashable {
  var values: [Int]

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Int($0) }.filter { (1...1_000_000).contains($0) }
    guard numbers.count == parts.count else { return nil }
    values = numbers
  }
}

/// Which network.
enum ModelKind: String, CaseIterable, ExpressibleByArgument {
  case linear, mlp, lenet
}

/// The options that say how a network is built.
struct ModelFlags: ParsableArguments {
  @Option(help: ArgumentHelp("Units of an mlp's hidden layers.", valueName: "128,64"))
  var hidden: Sizes?

  @Option(help: "What follows each hidden layer of an mlp. (default: relu)")
  var activation: Activation?

  @Option(help: "Share of an mlp's hidden units silenced in each step. (default: 0)")
  var dropout: Double?

  func validate() throws {
    guard let dropout, !(dropout >= 0 && dropout < 1) else { return }
    throw ValidationError("--dropout \(dropout): give a number from 0 up to, not including, 1.")
  }

  /// Refuses what a model of this kind would not heed.
  func check(for kind: ModelKind) throws {
    let given = [
      ("hidden", hidden != nil), ("activation", activation != nil), ("dropout", dropout != nil),
    ]
    guard kind != .mlp, let name = given.first(where: \.1)?.0 else { return }
    throw ValidationError("--\(name) is for the model mlp, not for \(kind.rawValue).")
  }

  /// Whether any of them is given.
  var isGiven: Bool { hidden != nil || activation != nil || dropout != nil }

  func card(
    _ kind: String, input: [Int], outputs: Int, hidden defaults: [Int]
  ) -> ModelCard {
    ModelCard(
      kind: kind, inputShape: input, classes: outputs,
      hidden: hidden?.values ?? defaults, activation: activation ?? .relu, dropout: dropout ?? 0)
  }
}
