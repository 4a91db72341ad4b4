/// Ends training when the loss has grown to more than `factor` times that of the first step, as char-rnn does.
///
/// The state is saved; the best weights are those from before.
public final class StopOnExplosion: Callback {
  private let factor: Double
  private var first: Double?

  public init(factor: Double = 3) { self.factor = factor }

  public func didEndStep(_ step: StepReport, _ training: Training) {
    let loss = step.loss
    guard let first else {
      self.first = loss
      return
    }
    if loss > factor * first {
      training.requestStop(
        .requested("the loss exploded: \(loss) at step \(step.globalStep), \(first) at the first"))
    }
  }

  public func save() -> [String: Double] { first.map { ["first": $0] } ?? [:] }
  public func restore(_ state: [String: Double]) { first = state["first"] }
}
