import TarnCore

/// Scores and class numbers of a loss, checked and as rows: [N, C, …] with [N, …] becomes [N …, C] with [N …].
struct ClassOperands {
  let rows: Tensor
  /// int64, 0 where ignored.
  let targets: Tensor
  let weights: Tensor?
  let classes: Int
  private let shape: [Int]
  /// 1 where the example counts, else 0; nil where all do.
  private let mask: Tensor?

  /// nil, after a report, if they do not fit.
  init?(_ loss: String, _ scores: Tensor, _ labels: Tensor, weights: Tensor?, ignoring: Int?) {
    guard Self.check(loss, scores, labels, weights, ignoring) else { return nil }
    classes = scores.shape[1]
    shape = labels.shape
    let last = scores.rank == 2 ? scores : scores.permuted([0] + Array(2..<scores.rank) + [1])
    rows = scores.rank == 2 ? scores : last.reshaped([-1, classes])
    let flat = labels.reshaped([-1]).cast(to: .int64)
    if let ignoring {
      let counts = flat .!= ignoring
      mask = counts.cast(to: scores.dtype)
      targets = which(counts, flat, 0)
    } else {
      mask = nil
      targets = flat
    }
    self.weights = weights?.cast(to: scores.dtype)
  }

  func masked(_ losses: Tensor) -> Tensor { mask.map { losses * $0 } ?? losses }

  /// Times the weight of each label.
  func weighted(_ losses: Tensor) -> Tensor {
    masked(weights.map { losses * $0.take(targets, axis: 0) } ?? losses)
  }

  func reduced(_ losses: Tensor, _ reduction: LossReduction) -> Tensor {
    reduced(weighted: weighted(losses), reduction)
  }

  /// The mean is over the weights that count.
  func reduced(weighted losses: Tensor, _ reduction: LossReduction) -> Tensor {
    if reduction == .none { return losses.reshaped(shape) }
    guard reduction == .mean, mask != nil || weights != nil else {
      return reduction(losses, examples: shape.first ?? 1)
    }
    return losses.sum() / weighted(.ones(like: losses)).sum()
  }

  // MARK: Checks

  private static func check(
    _ loss: String, _ scores: Tensor, _ labels: Tensor, _ weights: Tensor?, _ ignoring: Int?
  ) -> Bool {
    func fail(_ reason: String, hint: String? = nil, _ more: [String] = []) -> Bool {
      let facts = [
        "scores \(scores.shape) \(scores.dtype.name)",
        "labels \(labels.shape) \(labels.dtype.name)",
      ]
      Diagnostic.report(
        Diagnostic(operation: loss, reason: reason, facts: facts + more, hint: hint))
      return false
    }
    guard scores.rank >= 2, scores.dtype.isFloating else {
      return fail("scores are floating [N, C] or [N, C, …]")
    }
    guard labels.dtype.isInteger else {
      return fail(
        "labels must be integers, or probabilities in the shape of the scores",
        hint: Hint.labels(labels.dtype))
    }
    let expected = [scores.shape[0]] + scores.shape[2...]
    guard labels.shape == expected else {
      let squeezes = labels.shape.last == 1 && Array(labels.shape.dropLast()) == expected
      let isOneHot = labels.shape == scores.shape
      return fail(
        "labels should be \(expected)",
        hint: squeezes
          ? "call .squeezed(-1) on the labels"
          : isOneHot ? "one-hot labels must be floating: call .cast(to: .float32)" : nil)
    }
    if let weights, weights.shape != [scores.shape[1]] {
      return fail(
        "weights should be [\(scores.shape[1])], one a class", ["weights \(weights.shape)"])
    }
    if let label = outside(labels, classes: scores.shape[1], ignoring) {
      return fail(
        "there is a label \(label) and classes are 0…\(scores.shape[1] - 1)",
        hint: label == -100
          ? "pass ignoring: -100 to leave such examples out"
          : Hint.offByOne(label: label, classes: scores.shape[1]))
    }
    return true
  }

  /// A label that is no class. Looks only at labels that are there already, and are not too many to look at.
  private static func outside(_ labels: Tensor, classes: Int, _ ignoring: Int?) -> Int? {
    guard !labels.node.isUnevaluated, labels.count <= 1 << 16 else { return nil }
    return labels.array(of: Int.self).first { !(0..<classes).contains($0) && $0 != ignoring }
  }
}
