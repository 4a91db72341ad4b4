import TarnCore
import TarnData
import TarnNN

/// The training loop: for each epoch, for each batch, one step; after each epoch, validation.
///
/// Everything random derives from the seed and the number of the epoch or step, and everything else from the state that
/// checkpoints hold, so a run that was cut anywhere goes on to the same bits.
final class Loop<Task: TrainingTask> {
  let task: Task
  let train: Batches<Task.Examples>
  let validation: Batches<Task.Examples>?
  let training: Training
  let callbacks: [any Callback]
  let dataDescription: DataDescription?

  var learner: Learner<Task.Model>
  /// What the last batch left for the next.
  var carried: [Tensor] = []
  /// The epoch under way: its sums, and the time it took in earlier sessions.
  var totals = LazyTotals()
  var epochClock = EpochClock()
  /// The weights of the best epoch.
  var best: (model: Task.Model, value: Double)?
  /// The step whose weights the last checkpoint holds as the best.
  var savedBestStep: Int?

  init(
    _ model: Task.Model, _ task: Task, train: Batches<Task.Examples>,
    validation: Batches<Task.Examples>?, options: TrainingOptions, run: RunFolder?,
    data: DataDescription?, callbacks: [any Callback]
  ) {
    (self.task, self.train, self.validation) = (task, train, validation)
    (self.callbacks, dataDescription) = (callbacks, data)
    learner = Learner(model, options)
    training = Training(options: options, run: run, stepsPerEpoch: train.epoch(0).count)
    training.monitor = Monitor(
      options.monitor.isEmpty ? (validation == nil ? "loss" : "validation_loss") : options.monitor)
    training.currentParameters = { [unowned self] in learner.model.parameters }
  }

  /// Trains until all epochs are done or something asks to stop, and gives the weights to use.
  func run() throws -> Task.Model {
    try begin()
    try tell { try $0.willStart(training) }
    stopAtLimit()
    while training.stopReason == nil && training.epoch < training.options.epochs {
      try tell { try $0.willStartEpoch(training) }
      try trainEpoch()
      if training.stopReason == nil { try endEpoch() }
      try saveIfAsked()
    }
    training.requestStop(.finished)
    try validateAtLimit()
    training.history.stopReason = training.stopReason
    training.history.steps = training.globalStep
    let result = result
    try save(result: result)
    try tell { try $0.didEnd(training) }
    return result
  }

  /// The steps that are left of this epoch.
  private func trainEpoch() throws {
    let batches = train.epoch(at: training.position).prefetched()
    epochClock.start()
    while training.stopReason == nil, let batch = try batches.next() {
      try tell { try $0.willStartStep(training) }
      let report = step(batch)
      // Inside `Diagnostic.catching` a mistake is only noted; going on would train on zeros.
      if let mistake = Diagnostic.sink?.diagnostic { throw mistake }
      try tell { try $0.didEndStep(report, training) }
      stopAtLimit()
      try validateIfDue()
      try saveIfAsked()
    }
    epochClock.endSteps()
  }

  /// One step: loss, gradient and new statistics are recorded, the weights updated, and all of it computed in one plan.
  private func step(_ batch: Task.Examples) -> StepReport {
    let key = RandomKey(step: training.globalStep, seed: training.options.seed)
    var sums: [String: Tensor] = [:]
    var state: [Tensor] = []
    let result = valueGradientAndUpdates(
      at: learner.model, key: key, training: training.options.training
    ) { model in
      let (output, next) = task.output(model, batch, following: carried)
      sums = task.sums(output, batch)
      state = next
      return task.loss(output, batch)
    }
    learner.update(
      with: result, rate: training.learningRate, computing: Array(sums.values) + state)
    carried = state

    let count = task.count(batch)
    totals.add(loss: result.value, sums, count: count)
    let place = training.position
    training.position.step += 1
    training.globalStep += 1
    return StepReport(
      epoch: place.epoch, step: place.step, globalStep: training.globalStep, count: count,
      learningRate: training.learningRate, lossTensor: result.value)
  }

  /// Validation, the epoch's record, and what follows from it.
  private func endEpoch() throws {
    var values = task.figures(totals.read())
    let trained = totals.read().count
    try values.merge(validationFigures()) { $1 }
    let record = EpochRecord(
      epoch: training.epoch + 1, step: training.globalStep, values: values,
      learningRate: training.learningRate, seconds: epochClock.seconds,
      samplesPerSecond: Double(trained) / max(epochClock.stepSeconds, 1e-9),
      largestWeights: largestWeights(learner.model))
    keepIfBest(try training.monitor.value(in: record))
    training.history.epochs.append(record)
    training.history.steps = training.globalStep
    training.position = DataPosition(epoch: training.epoch + 1)
    totals = LazyTotals()
    epochClock = EpochClock()
    try tell { try $0.didEndEpoch(record, training) }
  }

  /// The best epoch's weights after an early stop, if they are wanted, else the last.
  private var result: Task.Model {
    guard case .early = training.stopReason, training.options.restoreBest, let best else {
      return learner.result
    }
    return best.model
  }

  /// Keeps the weights as they are now if they monitor better than any before.
  func keepIfBest(_ value: Double) {
    guard training.monitor.isBetter(value, than: best?.value) else { return }
    best = (learner.result, value)
    training.history.bestEpoch = training.epoch + 1
    training.history.bestStep = training.globalStep
  }

  private func saveIfAsked() throws {
    guard training.wantsCheckpoint else { return }
    training.wantsCheckpoint = false
    try save(result: learner.result)
  }

  func tell(_ event: (any Callback) throws -> Void) rethrows {
    for callback in callbacks { try event(callback) }
  }
}

extension RandomKey {
  /// The key of a training step. It is made on the host, so that every step records the same graph.
  init(step: Int, seed: UInt64) {
    var generator = SeededGenerator(seed: seed).forked(UInt64(bitPattern: Int64(step)))
    let words = [generator.next(), generator.next()].map { Int64(bitPattern: $0) }
    self.init(tensor: Tensor(words))
  }
}

/// How long an epoch takes, over all sessions it was spread over.
struct EpochClock {
  private var watch = Stopwatch()
  private var before = 0.0
  private var steps = 0.0
  private var isStepping = false

  init() {}

  /// Goes on from what was saved.
  init(seconds: Double, stepSeconds: Double) { (before, steps) = (seconds, stepSeconds) }

  mutating func start() {
    watch = Stopwatch()
    isStepping = true
  }

  mutating func endSteps() {
    steps = stepSeconds
    isStepping = false
  }

  var seconds: Double { before + watch.seconds }
  /// Those of them spent in steps.
  var stepSeconds: Double { isStepping ? steps + watch.seconds : steps }
}

/// max |w| of each parameter.
private func largestWeights(_ model: some Module) -> [LayerWeight] {
  let largest = model.parameters.map { (name: $0.name, tensor: $0.tensor.abs().max()) }
  Tensor.evaluate(largest.map(\.tensor))
  return largest.map { LayerWeight(name: $0.name, value: $0.tensor.number) }
}
