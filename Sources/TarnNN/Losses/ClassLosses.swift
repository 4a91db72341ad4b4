import TarnCore

/// −log softmax(x) at the class of each example, from logits.
///
/// ```swift
/// let loss = crossEntropy(model(x), labels)                    // [32, 10], [32]
/// let soft = crossEntropy(logits, probabilities)               // [32, 10], [32, 10]
/// ```
///
/// - Parameters:
///   - logits: [N, C] or [N, C, …]; or [C], one example.
///   - labels: class numbers [N] or [N, …], or [] for one example; or probabilities (one-hot too) in the shape of the logits.
///   - weights: one a class [C]. The mean is then over the weights of the labels; for probabilities over the examples.
///   - smoothing: ε: the target is (1 − ε) of the label and ε spread over all classes (Szegedy et al., 2015).
///   - ignoring: a label that marks examples to leave out.
public func crossEntropy(
  _ logits: Tensor, _ labels: Tensor, weights: Tensor? = nil, smoothing: Double = 0,
  ignoring: Int? = nil, reduction: LossReduction = .mean
) -> Tensor {
  if logits.rank == 1 {
    return ofOneExample(logits, labels) {
      crossEntropy(
        $0, $1, weights: weights, smoothing: smoothing, ignoring: ignoring, reduction: reduction)
    }
  }
  if labels.dtype.isFloating, labels.shape == logits.shape {
    return softCrossEntropy(logits, labels, weights, smoothing, reduction)
  }
  guard
    let operands = ClassOperands(
      "crossEntropy", logits, labels, weights: weights, ignoring: ignoring)
  else { return poisoned(logits, reduction, shape: labels.shape) }
  let (rows, targets) = (operands.rows, operands.targets)
  if smoothing == 0 { return operands.reduced(rowCrossEntropy(rows, targets), reduction) }
  let logs = rows.logSoftmax()
  let nll = operands.weighted(-logs.takeAlong(targets.expandedDims(-1), axis: -1).squeezed(-1))
  let spread = -(operands.weights.map { logs * $0 } ?? logs).sum(axis: -1)
  let share = smoothing / Double(operands.classes)
  return operands.reduced(
    weighted: nll * (1 - smoothing) + operands.masked(spread) * share, reduction)
}

/// A loss of a batch, for one example without a batch axis, as functions under `vmap` see it.
private func ofOneExample(
  _ scores: Tensor, _ label: Tensor, _ loss: (Tensor, Tensor) -> Tensor
) -> Tensor {
  let value = loss(scores.expandedDims(0), label.expandedDims(0))
  return value.rank == 0 ? value : value.squeezed(0)
}

/// −Σ t log softmax(x) over axis 1.
private func softCrossEntropy(
  _ logits: Tensor, _ targets: Tensor, _ weights: Tensor?, _ smoothing: Double,
  _ reduction: LossReduction
) -> Tensor {
  guard logits.rank >= 2, logits.dtype.isFloating else {
    return logits.rejected(
      "crossEntropy", "logits are floating [N, C] or [N, C, …]", as: [])
  }
  let classes = logits.shape[1]
  var terms = logits.logSoftmax(axis: 1)
  if let weights {
    terms =
      terms
      * weights.reshaped([-1] + [Int](repeating: 1, count: logits.rank - 2)).cast(to: logits.dtype)
  }
  let targets = targets.cast(to: logits.dtype)
  let smooth = smoothing == 0 ? targets : targets * (1 - smoothing) + smoothing / Double(classes)
  return reduction(-(smooth * terms).sum(axis: 1), examples: logits.shape[0])
}

/// The loss of each row of logits [N, C] at its class [N]: one operation that a backend may do in one pass.
private func rowCrossEntropy(_ rows: Tensor, _ targets: Tensor) -> Tensor {
  let fallback = -rows.logSoftmax().takeAlong(targets.expandedDims(-1), axis: -1).squeezed(-1)
  return Tensor.record(
    .call(.crossEntropy), [fallback, rows, targets], fallback.shape, fallback.dtype)
}

extension Call {
  /// ∂/∂x = softmax(x) − one-hot(label).
  fileprivate static let crossEntropy = Call(
    "crossEntropy",
    vjp: { x, _, g in [gradient(x[0], x[1], g), nil] },
    jvp: { x, _, t in t[0].map { (slope(x) * $0).sum(axis: -1) } })

  /// Also one operation to a backend that has it. Its own derivatives are those of its formula.
  private static func gradient(_ rows: Tensor, _ targets: Tensor, _ g: Tensor) -> Tensor {
    let fallback = slope([rows, targets]) * g.expandedDims(-1)
    return Tensor.record(
      .call(Call("crossEntropyGradient")), [fallback, rows, targets, g], rows.shape, rows.dtype)
  }

  private static func slope(_ x: [Tensor]) -> Tensor {
    x[0].softmax() - x[1].oneHot(x[0].shape[1], dtype: x[0].dtype)
  }
}

/// −x at the class of each example, from log-probabilities. Arguments as of
/// ``crossEntropy(_:_:weights:smoothing:ignoring:reduction:)``.
public func negativeLogLikelihood(
  logProbabilities: Tensor, _ labels: Tensor, weights: Tensor? = nil, ignoring: Int? = nil,
  reduction: LossReduction = .mean
) -> Tensor {
  if logProbabilities.rank == 1 {
    return ofOneExample(logProbabilities, labels) {
      negativeLogLikelihood(
        logProbabilities: $0, $1, weights: weights, ignoring: ignoring, reduction: reduction)
    }
  }
  guard
    let operands = ClassOperands(
      "negativeLogLikelihood", logProbabilities, labels, weights: weights, ignoring: ignoring)
  else { return poisoned(logProbabilities, reduction, shape: labels.shape) }
  let picked = operands.rows.takeAlong(operands.targets.expandedDims(-1), axis: -1).squeezed(-1)
  return operands.reduced(-picked, reduction)
}

/// Σ max(0, margin − x_label + x_c) / C over the other classes c (Crammer and Singer, 2001).
public func multiClassHinge(
  _ scores: Tensor, _ labels: Tensor, margin: Double = 1, reduction: LossReduction = .mean
) -> Tensor {
  if scores.rank == 1 {
    return ofOneExample(scores, labels) {
      multiClassHinge($0, $1, margin: margin, reduction: reduction)
    }
  }
  guard
    let operands = ClassOperands("multiClassHinge", scores, labels, weights: nil, ignoring: nil)
  else { return poisoned(scores, reduction, shape: labels.shape) }
  let own = operands.rows.takeAlong(operands.targets.expandedDims(-1), axis: -1)
  // The label's own term is always the margin.
  let sum = (operands.rows - own + margin).relu().sum(axis: -1) - margin
  return operands.reduced(sum / Double(operands.classes), reduction)
}

/// Share of examples whose prediction is wrong: a metric, it has no derivative.
///
/// - Parameters:
///   - scores: [N, C], predicting the largest; or [N], predicting 1 from `threshold` on.
///   - labels: class numbers [N].
public func zeroOne(
  _ scores: Tensor, _ labels: Tensor, threshold: Double = 0.5, reduction: LossReduction = .mean
) -> Tensor {
  let isBinary = scores.rank == 1
  let predictions = isBinary ? (scores .>= threshold).cast(to: .int64) : scores.argMax(axis: 1)
  guard predictions.shape == labels.shape else {
    Diagnostic.report(
      Diagnostic(
        operation: "zeroOne", reason: "one label for each prediction",
        facts: ["scores \(scores.shape)", "labels \(labels.shape)"]))
    return poisoned(scores, reduction, shape: labels.shape)
  }
  let wrong = (predictions .!= labels.cast(to: .int64)).cast(to: .float32)
  return reduction(wrong, examples: labels.shape.first ?? 1)
}
