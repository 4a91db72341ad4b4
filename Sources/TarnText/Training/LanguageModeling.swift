import Foundation
import TarnCore
import TarnData
import TarnNN
import TarnTrain

/// Predicting the next symbol of a text.
///
/// The loss is the cross-entropy in nats a symbol. A recurrent model's state goes from batch to batch as a constant:
/// back-propagation through time is cut at the pieces' borders.
///
/// ```swift
/// var options = TrainingOptions()
/// options.gradientScale = Double(layout.steps)           // char-rnn: a sum over time, a mean over the streams
/// try fit(&model, LanguageModeling(), train: corpus.training(layout), validation: corpus.validation(layout), options: options)
/// ```
public struct LanguageModeling<Model: LanguageModel>: TrainingTask {
  public init() {}

  public func count(_ batch: TextBatch) -> Int { batch.count }

  public func output(_ model: Model, _ batch: TextBatch) -> Tensor {
    model.logits(batch.symbols, from: []).logits
  }

  public func output(_ model: Model, _ batch: TextBatch, following state: [Tensor])
    -> (output: Tensor, state: [Tensor])
  {
    let (logits, next) = model.logits(batch.symbols, from: state)
    return (logits, next)
  }

  public func loss(_ logits: Tensor, _ batch: TextBatch) -> Tensor {
    crossEntropy(logits, batch.next)
  }
}

extension Corpus {
  /// How well a model predicts the whole text, in nats a symbol.
  ///
  /// Long texts are read as up to `streams` streams side by side, each from a state of zeros; a few symbols at the end that do not fill
  /// all streams are left out.
  ///
  /// - Returns: the mean loss, and over how many symbols it is taken.
  /// - Throws: `DataError` for a text of less than two symbols.
  public func loss(
    of model: some LanguageModel, streams most: Int = 32
  ) throws -> (nats: Double, count: Int) {
    guard count > 1 else {
      throw DataError(
        .invalid, file: name, reason: "has no symbol that follows another",
        hint: "give a text of two symbols at least")
    }
    let steps = model.card.kind.isRecurrent ? 64 : model.card.context
    let streams = max(1, min(most, (count - 1) / (16 * steps)))
    let length = (count - 1) / streams
    let all = StreamPieces(
      corpus: self, streams: streams, steps: steps, streamLength: length, end: count,
      range: 0..<(length + steps - 1) / steps)
    func loss<Model: LanguageModel>(_ model: Model) throws -> Double {
      try evaluate(model, LanguageModeling<Model>(), on: all.batched(1) { $0[0] })["loss"] ?? .nan
    }
    return (try loss(model), streams * length)
  }
}
