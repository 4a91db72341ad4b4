/// Has the run's state written after every epoch, and every so many steps.
public final class Checkpoints: Callback {
  private let steps: Int?

  /// - Parameter every: steps between checkpoints; nil: after epochs only.
  public init(every steps: Int? = nil) { self.steps = steps }

  public func didEndStep(_ step: StepReport, _ training: Training) {
    if let steps, steps > 0, step.globalStep % steps == 0 { training.requestCheckpoint() }
  }

  public func didEndEpoch(_ record: EpochRecord, _ training: Training) {
    training.requestCheckpoint()
  }
}
