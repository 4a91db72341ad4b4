import TarnCore

/// |y − t|.
///
/// ```swift
/// let loss = absoluteError(model(x), targets)
/// ```
public func absoluteError(
  _ predictions: Tensor, _ targets: Tensor, reduction: LossReduction = .mean
) -> Tensor {
  elementwise("absoluteError", predictions, targets, reduction) { ($0 - $1).abs() }
}

/// (y − t)².
public func squaredError(
  _ predictions: Tensor, _ targets: Tensor, reduction: LossReduction = .mean
) -> Tensor {
  elementwise("squaredError", predictions, targets, reduction) { ($0 - $1).squared() }
}

/// ½ d² where |d| = |y − t| ≤ δ, δ (|d| − ½ δ) elsewhere (Huber, 1964).
public func huber(
  _ predictions: Tensor, _ targets: Tensor, delta: Double = 1, reduction: LossReduction = .mean
) -> Tensor {
  elementwise("huber", predictions, targets, reduction) { huber(($0 - $1).abs(), delta) }
}

/// ½ d² / β where |d| = |y − t| < β, |d| − ½ β elsewhere.
public func smoothL1(
  _ predictions: Tensor, _ targets: Tensor, beta: Double = 1, reduction: LossReduction = .mean
) -> Tensor {
  elementwise("smoothL1", predictions, targets, reduction) { y, t in
    beta > 0 ? huber((y - t).abs(), beta) / beta : (y - t).abs()
  }
}

/// With c = min(d, δ) both branches are c (d − c / 2).
private func huber(_ distance: Tensor, _ delta: Double) -> Tensor {
  let c = distance.minimum(delta)
  return c * (distance - 0.5 * c)
}

/// A loss of each prediction and its target.
func elementwise(
  _ name: String, _ predictions: Tensor, _ targets: Tensor, _ reduction: LossReduction,
  _ loss: (Tensor, Tensor) -> Tensor
) -> Tensor {
  guard let operands = LossOperands(name, predictions, targets) else {
    return poisoned(predictions, reduction)
  }
  return reduction(
    loss(operands.predictions, operands.targets), examples: predictions.shape.first ?? 1)
}
