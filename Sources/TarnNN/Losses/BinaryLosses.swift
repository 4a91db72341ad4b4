import TarnCore

/// −t log p − (1 − t) log(1 − p) from probabilities p, logarithms not below −100 as in PyTorch.
///
/// Prefer ``binaryCrossEntropy(logits:_:positiveWeight:reduction:)``, which keeps its precision at both ends.
public func binaryCrossEntropy(
  probabilities: Tensor, _ targets: Tensor, reduction: LossReduction = .mean
) -> Tensor {
  elementwise("binaryCrossEntropy", probabilities, targets, reduction) { p, t in
    let slopes: @Sendable (Tensor, Tensor) -> (p: Tensor, t: Tensor) = { p, t in
      (
        (p - t) / (p * (1 - p)).maximum(1e-12),
        (1 - p).log().maximum(-100) - p.log().maximum(-100)
      )
    }
    return customDerivative(
      [p, t],
      { -($0[1] * $0[0].log().maximum(-100) + (1 - $0[1]) * (1 - $0[0]).log().maximum(-100)) },
      vjp: { x, _, g in
        let slope = slopes(x[0], x[1])
        return [g * slope.p, g * slope.t]
      },
      jvp: { x, _, v in
        let slope = slopes(x[0], x[1])
        let terms = [v[0].map { $0 * slope.p }, v[1].map { $0 * slope.t }].compactMap { $0 }
        return terms.dropFirst().reduce(terms.first) { sum, term in sum.map { $0 + term } }
      })
  }
}

/// −w t log σ(x) − (1 − t) log(1 − σ(x)) from logits x, exact for large ones: (1 − t) x + (1 + (w − 1) t) softplus(−x).
///
/// ```swift
/// let loss = binaryCrossEntropy(logits: model(x).squeezed(-1), targets)
/// ```
///
/// - Parameters:
///   - targets: 0 or 1, or a probability, in the shape of the logits.
///   - positiveWeight: w of the targets 1, [] or broadcastable to the logits; above 1 it favours recall.
public func binaryCrossEntropy(
  logits: Tensor, _ targets: Tensor, positiveWeight: Tensor? = nil, reduction: LossReduction = .mean
) -> Tensor {
  elementwise("binaryCrossEntropy", logits, targets, reduction) { x, t in
    let tail = (-x).softplus()
    guard let positiveWeight else { return (1 - t) * x + tail }
    return (1 - t) * x + (1 + (positiveWeight.cast(to: x.dtype) - 1) * t) * tail
  }
}

/// log(1 + e^(−t y)) for targets ±1.
public func logistic(
  _ predictions: Tensor, _ targets: Tensor, reduction: LossReduction = .mean
) -> Tensor {
  elementwise("logistic", predictions, targets, reduction) { (-($0 * $1)).softplus() }
}

/// max(0, 1 − t y) for targets ±1.
public func hinge(
  _ predictions: Tensor, _ targets: Tensor, reduction: LossReduction = .mean
) -> Tensor {
  elementwise("hinge", predictions, targets, reduction) { (1 - $0 * $1).relu() }
}

/// t (log t − x) for log-probabilities x: the divergence KL(t ‖ eˣ), with 0 log 0 = 0.
///
/// - Parameter reduction: `.batchMean` is the mathematical one, summed over each distribution.
public func klDivergence(
  logProbabilities: Tensor, _ targets: Tensor, reduction: LossReduction = .batchMean
) -> Tensor {
  elementwise("klDivergence", logProbabilities, targets, reduction) { x, t in
    let isPositive = t .> 0
    return which(isPositive, t * which(isPositive, t, 1).log(), 0) - t * x
  }
}
