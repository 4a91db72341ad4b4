import TarnCore

/// The share of examples whose largest score is at the label. A metric: it has no derivative.
///
/// ```swift
/// let share = accuracy(model(x), labels).item()                          // [32, 10], [32]
/// let right = accuracy(model(x), labels, reduction: .sum)                // to add up over batches
/// ```
///
/// - Parameters:
///   - scores: logits or probabilities [N, C] or [N, C, …]. Of equal ones the first counts as the largest.
///   - labels: class numbers [N] or [N, …].
///   - ignoring: a label that marks examples to leave out.
///   - reduction: `.none` gives 1 where right and 0 where wrong, in the shape of the labels.
public func accuracy(
  _ scores: Tensor, _ labels: Tensor, ignoring: Int? = nil, reduction: LossReduction = .mean
) -> Tensor {
  guard
    let operands = ClassOperands("accuracy", scores, labels, weights: nil, ignoring: ignoring)
  else { return poisoned(scores, reduction, shape: labels.shape) }
  let isRight = operands.rows.argMax(axis: -1) .== operands.targets
  return operands.reduced(isRight.cast(to: .float32), reduction)
}

/// The share of examples whose label is among the `k` largest scores. A metric: it has no derivative.
///
/// ```swift
/// let top5 = topKAccuracy(model(x), labels, k: 5).item()
/// ```
///
/// Arguments as of ``accuracy(_:_:ignoring:reduction:)``, which it is for `k` = 1. Of equal scores the first counts as
/// the larger; NaN counts as larger than any.
public func topKAccuracy(
  _ scores: Tensor, _ labels: Tensor, k: Int = 5, ignoring: Int? = nil,
  reduction: LossReduction = .mean
) -> Tensor {
  guard
    let operands = ClassOperands("topKAccuracy", scores, labels, weights: nil, ignoring: ignoring)
  else { return poisoned(scores, reduction, shape: labels.shape) }
  guard k >= 1 else {
    Diagnostic.report(
      Diagnostic(
        operation: "topKAccuracy", reason: "k must be at least 1", facts: ["k \(k)"],
        hint: "5 is usual"))
    return poisoned(scores, reduction, shape: labels.shape)
  }
  let (rows, label) = (operands.rows, operands.targets.expandedDims(-1))
  let own = rows.takeAlong(label, axis: -1)
  // Written so that a comparison with NaN, which is false, counts against the label.
  let isBelow = (rows .< own) .| ((rows .== own) .& (Tensor.arange(operands.classes) .>= label))
  let above = (.!isBelow).cast(to: .float32).sum(axis: -1)
  return operands.reduced((above .< Double(k)).cast(to: .float32), reduction)
}
