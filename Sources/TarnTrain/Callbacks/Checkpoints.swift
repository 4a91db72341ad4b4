/// Has the run's state written after epochs, and every so many steps.
///
/// Epochs shorter than `seconds` share a checkpoint: writing one waits for the disk. Nothing is lost by it but the time to
/// compute those epochs again, and the state at the end is always written.
public final class Checkpoints: Callback {
  private let steps: Int?
  private let seconds: Double
  private var sinceLast = Stopwatch()

  /// - Parameters:
  ///   - steps: steps between checkpoints; nil: after epochs only.
  ///   - seconds: the least time between checkpoints after epochs.
  public init(every steps: Int? = nil, seconds: Double = 1) {
    (self.steps, self.seconds) = (steps, seconds)
  }

  public func didEndStep(_ step: StepReport, _ training: Training) {
    if let steps, steps > 0, step.globalStep % steps == 0 { request(training) }
  }

  public func didEndEpoch(_ record: EpochRecord, _ training: Training) {
    if sinceLast.seconds >= seconds { request(training) }
  }

  private func request(_ training: Training) {
    training.requestCheckpoint()
    sinceLast = Stopwatch()
  }
}
