/// A line on the terminal for each epoch: how far it is, how fast, how long yet, and the loss.
public final class ShowProgress: Callback {
  private let unit: String
  private let isQuiet: Bool
  private var bar: ProgressBar?
  /// A running mean of the loss, for the eye only.
  private var loss: Double?

  /// - Parameter unit: what an example is called.
  public init(unit: String = "example", isQuiet: Bool = false) {
    (self.unit, self.isQuiet) = (unit, isQuiet)
  }

  public func willStartEpoch(_ training: Training) {
    loss = nil
    bar = ProgressBar(
      title: "epoch \(training.epoch + 1)/\(training.options.epochs)",
      total: training.stepsPerEpoch, start: training.step, unit: unit,
      unitsPerStep: training.options.batchSize, isQuiet: isQuiet)
  }

  public func didEndStep(_ step: StepReport, _ training: Training) {
    let smooth = loss.map { 0.9 * $0 + 0.1 * step.loss } ?? step.loss
    loss = smooth
    bar?.update(done: step.step + 1, figures: [("loss", smooth)])
  }

  public func didEndEpoch(_ record: EpochRecord, _ training: Training) {
    let others = record.values.filter { $0.key != "loss" }.sorted { $0.key < $1.key }
    bar?.update(
      done: training.stepsPerEpoch,
      figures: [("loss", record["loss"] ?? .nan)] + others.map { ($0.key, $0.value) })
    bar?.finish()
    bar = nil
  }

  public func didEnd(_ training: Training) { bar?.finish() }
}
