import TarnCore
import TarnData
import TarnNN

/// Predicting numbers: the model gives [n, ...], as the labels are.
///
/// The loss is the mean squared error. Figures over all numbers: `mae` = mean |y − ŷ|, `rmse` = √mean (y − ŷ)², and
/// `r2` = 1 − Σ(y − ŷ)² / Σ(y − ȳ)², the share of the variance explained (all outputs taken together).
public struct Regression<Model: Layer>: TrainingTask {
  public init() {}

  public func count(_ batch: Batch) -> Int { batch.count }

  public func output(_ model: Model, _ batch: Batch) -> Tensor { model(batch.features) }

  public func loss(_ output: Tensor, _ batch: Batch) -> Tensor {
    error(output, batch).squared().mean()
  }

  public func sums(_ output: Tensor, _ batch: Batch) -> [String: Tensor] {
    // The spread is a difference of large sums: single precision would lose it.
    let error = error(output, batch).cast(to: .float64)
    let labels = batch.labels.cast(to: .float64)
    return [
      "absolute": error.abs().sum(), "squared": error.squared().sum(),
      "labels": labels.sum(), "squared labels": labels.squared().sum(),
      "numbers": Tensor(Float(labels.count)),
    ]
  }

  public func metrics(_ totals: Totals) -> [String: Double] {
    let count = max(1, totals["numbers"])
    let spread = totals["squared labels"] - totals["labels"] * totals["labels"] / count
    return [
      "mae": totals["absolute"] / count, "rmse": (totals["squared"] / count).squareRoot(),
      "r2": spread > 0 ? 1 - totals["squared"] / spread : 0,
    ]
  }

  private func error(_ output: Tensor, _ batch: Batch) -> Tensor {
    guard output.shape == batch.labels.shape else {
      return Diagnostic.report(
        Diagnostic(
          operation: "Regression", reason: "the model's output must have the labels' shape",
          facts: ["output \(output.shape)", "labels \(batch.labels.shape)"],
          hint: "reshape one of them; [n] and [n, 1] are not the same"),
        poison: output.shape, output.dtype)
    }
    return output - batch.labels.cast(to: output.dtype)
  }
}
