import TarnCore
import TarnData
import TarnNN

/// Telling classes apart: the model gives logits [n, classes], the labels are class numbers [n], or shares of
/// the classes [n, classes].
///
/// The loss is cross-entropy, −log softmax(logits)[label], averaged. Figures: `accuracy`, the share of examples whose
/// largest logit is at the label, and with `topK` the share whose label is among the K largest, as `top5`.
///
/// ```swift
/// try fit(&model, Classification(), train: train, validation: test)
/// ```
public struct Classification<Model: Layer>: TrainingTask {
  /// Share of the target spread evenly over all classes.
  public var labelSmoothing: Double
  /// How many of the largest logits count as a hit for the second figure; 0: none.
  public var topK: Int

  public init(labelSmoothing: Double = 0, topK: Int = 0) {
    (self.labelSmoothing, self.topK) = (labelSmoothing, topK)
  }

  public func count(_ batch: Batch) -> Int { batch.count }

  public func output(_ model: Model, _ batch: Batch) -> Tensor { model(batch.features) }

  public func loss(_ logits: Tensor, _ batch: Batch) -> Tensor {
    crossEntropy(logits, batch.labels, smoothing: labelSmoothing)
  }

  public func sums(_ logits: Tensor, _ batch: Batch) -> [String: Tensor] {
    // Of mixed examples the class with the largest share counts.
    let labels =
      batch.labels.dtype.isFloating && batch.labels.rank == logits.rank
      ? batch.labels.argMax(axis: -1) : batch.labels
    var sums = ["hits": accuracy(logits, labels, reduction: .sum)]
    if topK > 0 {
      sums["top"] = topKAccuracy(logits, labels, k: topK, reduction: .sum)
    }
    return sums
  }

  public func metrics(_ totals: Totals) -> [String: Double] {
    let count = Double(max(1, totals.count))
    var metrics = ["accuracy": totals["hits"] / count]
    if topK > 0 { metrics["top\(topK)"] = totals["top"] / count }
    return metrics
  }
}
