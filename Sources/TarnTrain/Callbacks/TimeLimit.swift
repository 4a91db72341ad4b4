/// Ends training after the step during which the time is up.
public final class TimeLimit: Callback {
  private let seconds: Double
  private var watch = Stopwatch()

  /// - Parameter seconds: counted from the first step of this session.
  public init(seconds: Double) { self.seconds = seconds }

  public func willStart(_ training: Training) { watch = Stopwatch() }

  public func didEndStep(_ step: StepReport, _ training: Training) {
    if watch.seconds >= seconds { training.requestStop(.timeLimit) }
  }
}
