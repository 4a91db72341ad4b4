import TarnCore
import TarnData
import TarnModels
import TarnNN

/// ``Classification`` of a network with classifiers on the way: in training their losses are added, each times the network's
/// `auxiliaryShare`. Figures are of the network's own logits, and so is the loss wherever it does not train.
///
/// ```swift
/// var model = GoogLeNet(classes: 10, hasAuxiliaries: true)
/// try fit(&model, AuxiliaryClassification(), train: train, validation: test)
/// ```
public struct AuxiliaryClassification<Model: AuxiliaryClassifying>: TrainingTask {
  /// What is learned from each of the logits.
  public var classification: Classification<Model>

  /// Parameters as of ``Classification``.
  public init(labelSmoothing: Double = 0, topK: Int = 0) {
    classification = Classification(labelSmoothing: labelSmoothing, topK: topK)
  }

  public func count(_ batch: Batch) -> Int { batch.count }

  /// All logits in training, the network's first; its own alone elsewhere.
  public func output(_ model: Model, _ batch: Batch) -> [Tensor] {
    Phase.current.isTraining ? model.allLogits(batch.features) : [model(batch.features)]
  }

  public func loss(_ logits: [Tensor], _ batch: Batch) -> Tensor {
    let losses = logits.map { classification.loss($0, batch) }
    return losses.dropFirst().reduce(losses[0]) { $0 + $1 * Model.auxiliaryShare }
  }

  public func sums(_ logits: [Tensor], _ batch: Batch) -> [String: Tensor] {
    classification.sums(logits[0], batch)
  }

  public func metrics(_ totals: Totals) -> [String: Double] { classification.metrics(totals) }
}
