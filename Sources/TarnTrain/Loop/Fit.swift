import TarnCore
import TarnData
import TarnNN

/// Trains a model, or goes on with training it.
///
/// With a run folder the state is kept there after every epoch, and a folder that holds a state is gone on from: a run that was
/// killed at any moment ends with the same bits as one that was not. The model given must then have the structure of the
/// run's; its weights do not matter.
///
/// ```swift
/// var options = TrainingOptions()
/// options.epochs = 5
/// let history = try fit(&model, Classification(), train: batches, validation: test, options: options)
/// ```
///
/// - Parameters:
///   - model: the trained model afterwards: of the best epoch if it stopped early and the options ask for it, else
///     of the last. If training throws, it stays as it was.
///   - run: where to keep the state and logs.
///   - data: what is compared when the run is taken up again, so that it goes on with the same data.
///   - callbacks: called in this order, between those that the options ask for: schedule, stop on NaN; and
///     early stopping, time limit, logs, checkpoints.
/// - Returns: the figures of all epochs, and why it ended.
/// - Throws: ``TrainingError``, errors of the data, and `DataError` if the run folder cannot be written, is damaged, or belongs
///   to other options or data.
@discardableResult
public func fit<Task: TrainingTask>(
  _ model: inout Task.Model, _ task: Task, train: Batches<Task.Examples>,
  validation: Batches<Task.Examples>? = nil, options: TrainingOptions = .init(),
  run: RunFolder? = nil, data: DataDescription? = nil, callbacks: [any Callback] = []
) throws -> History {
  let loop = Loop(
    model, task, train: train, validation: validation, options: options, run: run, data: data,
    callbacks: before(callbacks, options) + callbacks + after(callbacks, options, run))
  model = try loop.run()
  return loop.training.history
}

/// As `fit` over batches, for examples: batches of `options.batchSize`, in an order that depends on `options.seed` and the epoch.
///
/// ```swift
/// let (train, test) = Digits.split()
/// var model = MLP(inputShape: [1, 8, 8], hidden: [32], classes: 10)
/// try fit(&model, Classification(), train: train, validation: test)
/// ```
///
/// - Parameter data: nil: with a run folder, worked out by looking at every training example once.
@discardableResult
public func fit<Task: TrainingTask>(
  _ model: inout Task.Model, _ task: Task, train: some Source<Example>,
  validation: (any Source<Example>)? = nil, options: TrainingOptions = .init(),
  run: RunFolder? = nil, data: DataDescription? = nil, callbacks: [any Callback] = []
) throws -> History where Task.Examples == Batch {
  try fit(
    &model, task,
    train: train.batched(
      options.batchSize, sampler: .shuffled(seed: options.seed), dropLast: options.dropLast),
    validation: validation.map { $0.batched(options.batchSize) }, options: options, run: run,
    data: try data ?? run.map { _ in try DataDescription(of: train, name: "examples") },
    callbacks: callbacks)
}

/// What the options ask for that comes before the callbacks given.
private func before(_ given: [any Callback], _ options: TrainingOptions) -> [any Callback] {
  var own: [any Callback] = [ScheduleCallback(options)]
  if !given.contains(where: { $0 is StopOnNaN }) { own.append(StopOnNaN()) }
  return own
}

/// What the options ask for that comes after.
private func after(
  _ given: [any Callback], _ options: TrainingOptions, _ run: RunFolder?
) -> [any Callback] {
  var own: [any Callback] = []
  if let patience = options.patience {
    own.append(EarlyStopping(patience: patience, minimumDelta: options.minimumDelta))
  }
  if let limit = options.timeLimit { own.append(TimeLimit(seconds: limit)) }
  guard run != nil else { return own }
  own += [TableLog(), EventLog(), Checkpoints(every: options.checkpointEvery)]
  return own
}
