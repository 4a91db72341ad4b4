/// Writes events for TensorBoard into the run folder: the loss of every so many steps, and the figures of each epoch.
public final class TensorBoard: Callback {
  private let steps: Int
  private let showsWeights: Bool
  private var writer: TensorBoardWriter?

  /// - Parameters:
  ///   - steps: steps between points of the training loss; 0: none.
  ///   - weights: whether the distribution of each parameter is written after each epoch.
  public init(every steps: Int = 10, weights: Bool = false) {
    (self.steps, showsWeights) = (steps, weights)
  }

  public func willStart(_ training: Training) throws {
    writer = try training.run.map {
      try TensorBoardWriter(
        folder: $0.url.path, resumingAt: training.isResumed ? training.globalStep + 1 : nil)
    }
  }

  public func didEndStep(_ step: StepReport, _ training: Training) throws {
    guard let writer, steps > 0, step.globalStep % steps == 0 else { return }
    try writer.scalar("step/loss", step.loss, step: step.globalStep)
    try writer.scalar("step/learning_rate", step.learningRate, step: step.globalStep)
  }

  public func didValidate(_ record: ValidationRecord, _ training: Training) throws {
    for (name, value) in record.values.sorted(by: { $0.key < $1.key }) {
      try writer?.scalar("step/\(name)", value, step: record.step)
    }
  }

  public func didEndEpoch(_ record: EpochRecord, _ training: Training) throws {
    guard let writer else { return }
    for (name, value) in record.values.sorted(by: { $0.key < $1.key }) {
      try writer.scalar("epoch/\(name)", value, step: record.step)
    }
    guard showsWeights else { return }
    for (name, tensor) in training.parameters {
      try writer.histogram("weights/\(name)", tensor.array(of: Double.self), step: record.step)
    }
  }
}
