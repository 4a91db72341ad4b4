import TarnCore
import TarnData
import TarnNN

/// What is learned from what: how a model is applied to some examples, how well it did, and the figures people read.
///
/// Everything is recorded, not computed: the loop evaluates a whole step in one plan. Figures are given as sums over
/// examples, so that they add up over batches of any size, and over a run that was cut in two.
///
/// ```swift
/// struct Denoising<Model: Layer>: TrainingTask {
///   func count(_ batch: Batch) -> Int { batch.count }
///   func output(_ model: Model, _ batch: Batch) -> Tensor { model(batch.features) }
///   func loss(_ output: Tensor, _ batch: Batch) -> Tensor { (output - batch.labels).squared().mean() }
/// }
/// ```
public protocol TrainingTask<Model>: Sendable {
  associatedtype Model: Module
  associatedtype Examples: Sendable
  associatedtype Output: Sendable

  /// Number of examples in a batch.
  func count(_ examples: Examples) -> Int
  /// What the model makes of them. During training the phase is `Phase.training`.
  func output(_ model: Model, _ examples: Examples) -> Output
  /// As ``output(_:_:)`` for batches that follow on one another, such as pieces of a long text.
  ///
  /// - Parameter state: what the batch before left behind, taken as constants; empty at the start.
  /// - Returns: the output, and what to hand to the next batch. Checkpoints hold it, so that a run goes on to the same bits.
  func output(_ model: Model, _ examples: Examples, following state: [Tensor])
    -> (output: Output, state: [Tensor])
  /// The mean loss of the examples, a scalar.
  func loss(_ output: Output, _ examples: Examples) -> Tensor
  /// Scalars that add up over batches. The name `loss` is taken.
  func sums(_ output: Output, _ examples: Examples) -> [String: Tensor]
  /// The figures for people, from the sums of all batches.
  func metrics(_ totals: Totals) -> [String: Double]
}

extension TrainingTask {
  /// Batches that have nothing to do with one another.
  public func output(_ model: Model, _ examples: Examples, following state: [Tensor])
    -> (output: Output, state: [Tensor])
  {
    (output(model, examples), [])
  }

  public func sums(_ output: Output, _ examples: Examples) -> [String: Tensor] { [:] }
  public func metrics(_ totals: Totals) -> [String: Double] { [:] }

  /// The task's figures with the mean loss.
  func figures(_ totals: Totals) -> [String: Double] {
    var figures = metrics(totals)
    figures["loss"] = totals.count > 0 ? totals[LazyTotals.loss] / Double(totals.count) : .nan
    return figures
  }
}
