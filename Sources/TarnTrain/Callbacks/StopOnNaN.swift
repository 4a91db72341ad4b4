/// Ends training with an error when the loss is no longer a finite number.
///
/// No checkpoint is written then, so the last one, from before, stays.
public final class StopOnNaN: Callback {
  public init() {}

  public func didEndStep(_ step: StepReport, _ training: Training) throws {
    let loss = step.loss
    guard !loss.isFinite else { return }
    let rate = step.learningRate
    var hints = ["a smaller learning rate, such as \(rate / 10) instead of \(rate)"]
    if training.options.clipNorm == nil {
      hints.append("clip the gradient: options.clipNorm = 1 (--clip-norm 1)")
    }
    if step.globalStep <= training.stepsPerEpoch && training.options.warmupSteps == 0 {
      hints.append("a warm-up: options.warmupSteps = \(max(10, training.stepsPerEpoch / 2))")
    }
    hints.append("look for numbers that are not finite, or far too large, in the data")
    let words = loss.isNaN ? "not a number" : "\(loss)"
    throw TrainingError(
      reason: "the loss is \(words) at step \(step.globalStep) "
        + "(epoch \(step.epoch + 1), batch \(step.step + 1))",
      kept: training.run.map { "the last checkpoint, from before, is whole: \($0.url.path)" },
      hints: hints)
  }
}
