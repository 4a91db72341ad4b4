import Foundation
import Tarn
import Testing

@Suite struct TrainingTests {
  private func corpus(_ scratch: Scratch) throws -> Corpus {
    try Corpus(contentsOf: scratch.file("text.txt", refrain))
  }

  private var options: TrainingOptions {
    var options = TrainingOptions()
    options.optimizer = .rmsprop
    options.learningRate = 1e-2
    options.squareDecay = 0.95
    options.gradientScale = 20
    options.clipValue = 5
    options.epochs = 8
    options.validateEvery = 5
    return options
  }

  @Test(arguments: TextModelCard.Kind.allCases) func learnsARefrain(
    _ kind: TextModelCard.Kind
  ) throws {
    let scratch = try Scratch()
    let corpus = try corpus(scratch)
    let layout = try StreamLayout(count: corpus.count, batch: 8, steps: 20, validation: 0.1)
    let card = TextModelCard(
      kind, vocabulary: corpus.vocabulary.count, size: 32, layers: 1, context: 20)
    var options = options
    if !kind.isRecurrent {
      options.optimizer = .adamw
      options.gradientScale = nil
      options.epochs = 16
    }
    func check<Model: LanguageModel>(_ model: Model) throws {
      var model = model
      let history = try fit(
        &model, LanguageModeling<Model>(),
        train: corpus.training(layout, random: kind.isRecurrent ? nil : 1),
        validation: corpus.validation(layout), options: options)
      #expect(try #require(history.values("validation_loss").last) < 0.6)
      #expect(!history.checks.isEmpty)
      #expect(history.checks.allSatisfy { $0.step % 5 == 0 })
      let (nats, count) = try corpus.loss(of: model)
      #expect(nats < 0.7)
      #expect(count > corpus.count - 40)
      var writer = try TextGenerator(
        model, corpus.vocabulary, prime: "the quick ", choice: SymbolChoice(isGreedy: true))
      #expect(writer.text(9) == "brown fox")
    }
    try check(try card.model(seed: 1))
  }

  /// The state that goes from batch to batch is in the checkpoint, and so are the validations.
  @Test func cutRunsGoOnToTheSameBits() throws {
    let scratch = try Scratch()
    let corpus = try corpus(scratch)
    let layout = try StreamLayout(count: corpus.count, batch: 8, steps: 20, validation: 0.1)
    let card = TextModelCard(
      .lstm, vocabulary: corpus.vocabulary.count, size: 16, dropout: 0.2)
    let start = try #require(try card.model(seed: 1) as? RecurrentLanguageModel)
    func run(_ name: String, stops: [Int]) throws -> (RecurrentLanguageModel, History) {
      let url = scratch.file(name)
      var (model, history) = (start, History())
      for (number, stop) in stops.enumerated() {
        let folder =
          number == 0 ? try RunFolder(creating: url) : try RunFolder(opening: url)
        var options = options
        options.maxSteps = stop
        model = start
        history = try fit(
          &model, LanguageModeling(), train: corpus.training(layout),
          validation: corpus.validation(layout), options: options, run: folder,
          data: corpus.description, callbacks: [SmoothedLoss()])
      }
      return (model, history)
    }
    let (whole, first) = try run("whole", stops: [40])
    let (cut, second) = try run("cut", stops: [7, 19, 40])
    #expect(whole.tensors(.all).map { $0.bytes() } == cut.tensors(.all).map { $0.bytes() })
    #expect(first.epochs.map(\.values) == second.epochs.map(\.values))
    #expect(first.steps == 40 && first.stopReason == .stepLimit)
    #expect(second.checks.map(\.step).contains(7))
  }

  @Test func aFewBatchesMayDoToValidate() throws {
    let scratch = try Scratch()
    let corpus = try corpus(scratch)
    let layout = try StreamLayout(count: corpus.count, batch: 2, steps: 10, validation: 0.3)
    #expect(corpus.validation(layout, most: 3)?.stepsPerEpoch == 3)
    #expect(corpus.validation(layout)?.stepsPerEpoch == layout.validation)
    let none = try StreamLayout(count: corpus.count, batch: 2, steps: 10, validation: 0)
    #expect(corpus.validation(none) == nil && none.train == none.batches)
  }

  @Test func explosionsEndARun() throws {
    let scratch = try Scratch()
    let corpus = try corpus(scratch)
    let layout = try StreamLayout(count: corpus.count, batch: 8, steps: 20)
    let card = TextModelCard(.rnn, vocabulary: corpus.vocabulary.count, size: 16)
    var model = try #require(try card.model(seed: 1) as? RecurrentLanguageModel)
    var options = options
    options.learningRate = 20
    let history = try fit(
      &model, LanguageModeling(), train: corpus.training(layout), options: options,
      callbacks: [StopOnExplosion()])
    guard case .requested(let words) = history.stopReason else {
      Issue.record("ended because \(String(describing: history.stopReason))")
      return
    }
    #expect(words.contains("exploded"))
  }
}
