import TarnCore

/// What becomes of the losses of the elements.
public enum LossReduction: String, Hashable, Sendable, Codable {
  case mean, sum, none
  /// The sum divided by the number of examples, the length of the first axis.
  case batchMean

  func callAsFunction(_ losses: Tensor, examples: Int) -> Tensor {
    switch self {
    case .mean: losses.mean()
    case .sum: losses.sum()
    case .none: losses
    case .batchMean: losses.sum() / Double(max(1, examples))
    }
  }
}

/// Checks that predictions and targets of a loss can be compared element by element.
struct LossOperands {
  let predictions: Tensor
  let targets: Tensor

  /// nil, after a report, if they do not fit.
  init?(_ loss: String, _ predictions: Tensor, _ targets: Tensor) {
    guard predictions.shape == targets.shape else {
      Diagnostic.report(
        Diagnostic(
          operation: loss, reason: "predictions and targets must have one shape",
          facts: ["predictions \(predictions.shape)", "targets     \(targets.shape)"],
          hint: Self.hint(predictions.shape, targets.shape)))
      return nil
    }
    guard predictions.dtype.isFloating else {
      Diagnostic.report(
        Diagnostic(
          operation: loss, reason: "predictions must be floating",
          facts: ["predictions \(predictions.dtype.name)"], hint: "call .cast(to: .float32)"))
      return nil
    }
    self.predictions = predictions
    self.targets = targets.cast(to: predictions.dtype)
  }

  /// [N, 1] beside [N] would broadcast to [N, N], silently.
  private static func hint(_ a: [Int], _ b: [Int]) -> String? {
    if a.last == 1, Array(a.dropLast()) == b {
      return "the predictions' last axis has length 1: call .squeezed(-1) on them"
    }
    if b.last == 1, Array(b.dropLast()) == a {
      return "the targets' last axis has length 1: call .squeezed(-1) on them"
    }
    return Hint.broadcast(a, b)
  }
}

/// A loss that could not be computed, in the shape it would have had.
func poisoned(_ x: Tensor, _ reduction: LossReduction, shape: [Int]? = nil) -> Tensor {
  .zeros(reduction == .none ? shape ?? x.shape : [], dtype: x.dtype.floating)
}
