import ArgumentParser
import Foundation
import Tarn

/// `tarn train text`.
struct TrainText: Verb {
  static let configuration = CommandConfiguration(
    commandName: "text", abstract: "Trains a model that writes text, character by character.",
    discussion: """
      The file is UTF-8 text, gzip or not, of any length; or a folder with an input.txt in it. Options and defaults are \
      char-rnn's. Those of a transformer: --size 128 --layers 4 --seq-length 64 --batch 12, AdamW with a learning rate \
      of 1e-3 along a cosine.
      """)

  @Argument(help: ArgumentHelp("The text.", valueName: "file"))
  var file: String

  @Option(help: "lstm, gru, rnn or transformer.")
  var model: TextModelCard.Kind = .lstm

  @Option(help: "Units of a layer. (default: 128)")
  var size: Int?

  @Option(help: "Layers. (default: 2; transformer: 4)")
  var layers: Int?

  @Option(help: "Attention heads of a transformer. (default: 4)")
  var heads: Int?

  @Option(help: "Length of the vectors for symbols. (default: 0, one-hot; transformer: the size)")
  var embedding: Int?

  @Flag(help: "A GRU's reset gate meets the state before the product, as in char-rnn.")
  var resetBefore = false

  @Flag(help: "Learn bytes instead of characters: for any file.")
  var bytes = false

  @Flag(help: "Learn words instead of characters.")
  var words = false

  @Option(help: "With --words: how many to keep.")
  var vocabulary = 20_000

  @Option(help: "Symbols in a piece, after which back-propagation is cut. (default: 50)")
  var seqLength: Int?

  @Option(help: "Pieces in a step. (default: 50)")
  var batch: Int?

  @Option(help: "Passes over the text.")
  var epochs = 50

  @Option(help: "Stop after so many steps.")
  var maxIterations: Int?

  @Option(help: "How weights follow the gradient. (default: rmsprop; transformer: adamw)")
  var optimizer: OptimizerKind?

  @Option(help: "The step length. (default: 2e-3)")
  var learningRate: Double?

  @Option(help: "Factor on the step length after an epoch. (default: 0.97; 1: none)")
  var decay: Double?

  @Option(help: "The first epoch after which the step length decays. (default: 10)")
  var decayAfter: Int?

  @Option(help: "rmsprop's alpha: how much of the mean square is kept. (default: 0.95)")
  var decayRate: Double?

  @Option(help: "Share of each layer's outputs silenced in training.")
  var dropout = 0.0

  @Option(help: "The greatest size of an element of the gradient; 0: any.")
  var clip = 5.0

  @Option(help: "Share of the text to validate with.")
  var valFraction = 0.05

  @Option(help: "Share of the text to leave out.")
  var testFraction = 0.0

  @Option(help: ArgumentHelp("Begin with the weights of a run.", valueName: "run"))
  var initFrom: String?

  @Option(help: "Validate after every so many steps, and after each epoch.")
  var evalEvery = 1000

  @Option(help: "Pieces to validate with at most.")
  var evalBatches = 500

  @Option(help: "Write a checkpoint after every so many steps, and after each epoch.")
  var checkpointEvery = 1000

  @Option(help: "Length of the samples shown while it learns; 0: none.")
  var sampleLength = 200

  @Option(help: "Stop after so many epochs without improvement.")
  var patience: Int?

  @Option(help: "Stop after so many seconds.")
  var timeLimit: Double?

  @Option(help: "The run's folder. (default: the next free runs/NAME-1, -2, …)")
  var out: String?

  @OptionGroup var textCommon: TextCommonOptions

  var common: CommonOptions { textCommon.options }

  func validate() throws {
    try check("size", size, 1...65_536)
    try check("layers", layers, 1...1000)
    try check("heads", heads, 1...1024)
    try check("embedding", embedding, 0...65_536)
    try check("vocabulary", vocabulary, 1...10_000_000)
    try check("seq-length", seqLength, 1...1 << 20)
    try check("batch", batch, 1...1 << 20)
    try check("epochs", epochs, 1...1_000_000)
    try check("max-iterations", maxIterations, 1...1_000_000_000)
    try check("decay-after", decayAfter, 1...1_000_000)
    try check("eval-every", evalEvery, 1...1_000_000_000)
    try check("eval-batches", evalBatches, 1...1_000_000_000)
    try check("checkpoint-every", checkpointEvery, 1...1_000_000_000)
    try check("sample-length", sampleLength, 0...1_000_000)
    try check("patience", patience, 1...1_000_000)
    try check("learning-rate", learningRate, "more than 0") { $0 > 0 }
    try check("decay", decay, "more than 0, at most 1") { $0 > 0 && $0 <= 1 }
    try check("decay-rate", decayRate, "from 0 up to, not including, 1") { $0 >= 0 && $0 < 1 }
    try check("dropout", dropout, "from 0 up to, not including, 1") { $0 >= 0 && $0 < 1 }
    try check("clip", clip, "0 or more") { $0 >= 0 }
    try check("val-fraction", valFraction, "from 0 to 0.5") { $0 >= 0 && $0 <= 0.5 }
    try check("test-fraction", testFraction, "from 0 to 0.4") { $0 >= 0 && $0 <= 0.4 }
    try check("time-limit", timeLimit, "more than 0") { $0 > 0 }
    if bytes && words { throw ValidationError("--bytes or --words, not both.") }
    try checkModel()
  }

  private func checkModel() throws {
    if resetBefore && model != .gru { throw ValidationError("--reset-before is for --model gru.") }
    if heads != nil && model != .transformer {
      throw ValidationError("--heads is for --model transformer.")
    }
    if embedding != nil && model == .transformer {
      throw ValidationError("--embedding is not for --model transformer, which has embeddings.")
    }
    if model == .transformer && initFrom == nil && (size ?? 128) % (heads ?? 4) != 0 {
      throw ValidationError("--heads \(heads ?? 4) does not divide --size \(size ?? 128).")
    }
    if decayRate != nil && (optimizer ?? .rmsprop) != .rmsprop {
      throw ValidationError("--decay-rate is for --optimizer rmsprop.")
    }
  }

  func answer(_ console: Console) throws -> TextAnswer {
    let url = URL(fileURLWithPath: file)
    let start = try initFrom.map { try TextRun(Paths.run($0)) }
    let corpus = try corpus(url, start)
    let card = start.map { inherited($0.setup.card) } ?? newCard(corpus.vocabulary.count)
    let isTransformer = card.kind == .transformer
    let steps = seqLength ?? (isTransformer ? card.context : 50)
    if isTransformer && steps > card.context {
      throw ValidationError(
        "--seq-length \(steps) is more than the model's context of \(card.context).")
    }
    let setup = TextSetup(
      file: url.standardizedFileURL.path, card: card, batch: batch ?? (isTransformer ? 12 : 50),
      steps: steps, validation: valFraction, test: testFraction, validationBatches: evalBatches,
      sampleLength: sampleLength)
    let options = isTransformer ? transformerOptions(setup) : recurrentOptions(setup)
    return try TextJob.begin(
      setup, corpus, options, from: start, out: out, console: console
    ).perform()
  }

  /// The text, with the vocabulary of the run to begin with, which must have all of its symbols.
  private func corpus(_ url: URL, _ start: TextRun?) throws -> Corpus {
    if let start {
      let wanted = bytes ? Vocabulary.Unit.bytes : words ? .words : start.vocabulary.unit
      guard wanted == start.vocabulary.unit else {
        throw ValidationError("--init-from is a run on \(start.vocabulary.unit.name()).")
      }
      return try Corpus(contentsOf: url, vocabulary: start.vocabulary)
    }
    return try Corpus(
      contentsOf: url, unit: bytes ? .bytes : words ? .words : .characters, words: vocabulary)
  }

  /// Sizes and kind of the run to begin with; the dropout may be another.
  private func inherited(_ card: TextModelCard) -> TextModelCard {
    var card = card
    card.dropout = dropout
    return card
  }

  private func newCard(_ symbols: Int) -> TextModelCard {
    let embedding = embedding ?? (words ? size ?? 128 : 0)
    return TextModelCard(
      model, vocabulary: symbols, size: size ?? 128,
      layers: layers ?? (model == .transformer ? 4 : 2), dropout: dropout,
      embedding: embedding == 0 || model == .transformer ? nil : embedding,
      resetBefore: resetBefore, heads: heads ?? 4, context: seqLength ?? 64)
  }

  private func commonOptions(_ setup: TextSetup) -> TrainingOptions {
    var options = TrainingOptions()
    options.epochs = epochs
    options.batchSize = setup.batch
    options.seed = common.seed
    options.maxSteps = maxIterations
    options.validateEvery = evalEvery
    options.checkpointEvery = checkpointEvery
    options.patience = patience
    options.timeLimit = timeLimit
    options.threads = Machine.threads
    return options
  }

  /// char-rnn's recipe: the gradient is a sum over time, clipped element by element.
  private func recurrentOptions(_ setup: TextSetup) -> TrainingOptions {
    var options = commonOptions(setup)
    options.optimizer = optimizer ?? .rmsprop
    options.learningRate = learningRate ?? 2e-3
    options.squareDecay = options.optimizer == .rmsprop ? decayRate ?? 0.95 : nil
    options.gradientScale = Double(setup.steps)
    options.clipValue = clip > 0 ? clip : nil
    let decay = decay ?? 0.97
    options.schedule = decay == 1 ? .constant : .decay(factor: decay, first: decayAfter ?? 10)
    return options
  }

  /// nanoGPT's recipe for small models.
  private func transformerOptions(_ setup: TextSetup) -> TrainingOptions {
    var options = commonOptions(setup)
    options.optimizer = optimizer ?? .adamw
    options.learningRate = learningRate ?? 1e-3
    options.weightDecay = options.optimizer == .adamw ? 0.1 : 0
    options.warmupSteps = 100
    options.clipNorm = 1
    options.schedule =
      decay.map { .decay(factor: $0, first: decayAfter ?? 10) }
      ?? .cosine(minimum: options.learningRate / 10)
    return options
  }
}
