import Foundation
import Tarn

/// How well a model predicts a text.
struct TextEvaluation: Answer {
  var run: String
  /// The text: the one given, or the part of the run's own that it was validated with.
  var data: String
  /// Symbols predicted, and what they are.
  var symbols: Int
  var unit: Vocabulary.Unit
  /// Nats and bits a symbol, and e to the nats.
  var loss: Double
  var bitsPerSymbol: Double
  var perplexity: Double
  var seed: UInt64

  private enum CodingKeys: String, CodingKey {
    case run, data, symbols, unit, loss, perplexity, seed
    case bitsPerSymbol = "bits_per_character"
  }

  init(_ text: TextRun, data: String?, best: Bool) throws {
    run = Paths.shown(text.folder.url)
    unit = text.vocabulary.unit
    seed = try text.folder.description().options.seed
    let model = try text.model(best ? .best : .last)
    if let data {
      let corpus = try Corpus(
        contentsOf: URL(fileURLWithPath: data), vocabulary: text.vocabulary)
      let (nats, count) = try corpus.loss(of: model)
      (self.data, symbols, loss) = (data, count, nats)
    } else {
      let corpus = try text.corpus()
      let layout = try text.setup.layout(of: corpus)
      guard let held = corpus.validation(layout, most: text.setup.validationBatches) else {
        throw DataError(
          .invalid, file: run, reason: "nothing was kept to validate with",
          hint: "give --data, a text to read")
      }
      func loss(_ model: some LanguageModel) throws -> Double { try Self.loss(model, held) }
      self.data = "\(corpus.name), validation"
      symbols = min(layout.validation, text.setup.validationBatches) * layout.batch * layout.steps
      self.loss = try loss(model)
    }
    bitsPerSymbol = self.loss / 0.6931471805599453
    perplexity = exp(self.loss)
  }

  private static func loss<Model: LanguageModel>(
    _ model: Model, _ held: Batches<TextBatch>
  ) throws -> Double {
    try evaluate(model, LanguageModeling<Model>(), on: held)["loss"] ?? .nan
  }

  var text: String {
    "\(run) on \(Text.count(symbols)) \(unit.name(symbols)) of \(data): "
      + "\(Text.number(loss)) nats, \(Text.number(bitsPerSymbol)) bits a \(unit.name(1)), "
      + "perplexity \(Text.number(perplexity))"
  }
}

/// What an evaluation gave, of whichever kind of run.
enum EvaluationAnswer: Answer {
  case samples(EvaluateAnswer)
  case text(TextEvaluation)
  case network(NetworkEvaluation)

  private var inner: any Answer {
    switch self {
    case .samples(let answer): answer
    case .text(let answer): answer
    case .network(let answer): answer
    }
  }

  var text: String { inner.text }
  func encode(to encoder: any Encoder) throws { try inner.encode(to: encoder) }
}
