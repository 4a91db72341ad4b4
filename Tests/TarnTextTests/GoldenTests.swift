import Foundation
import Tarn
import Testing

/// Keeps every step's loss.
private final class Losses: Callback {
  var all: [Double] = []
  func didEndStep(_ step: StepReport, _ training: Training) { all.append(step.loss) }
}

/// Against PyTorch.
@Suite struct GoldenTests {
  @Test(arguments: [
    ("lstm", TextModelCard.Kind.lstm, false), ("gru", .gru, false),
    ("gru_resetbefore", .gru, true), ("rnn", .rnn, false),
  ])
  func runsAsCharRNN(_ name: String, _ kind: TextModelCard.Kind, _ resetBefore: Bool) throws {
    let goldens = try Goldens("text", name)
    let scratch = try Scratch()
    let letters = Array("abcde".utf8)
    let text = try goldens("text").map { letters[Int($0)] }
    let corpus = try Corpus(contentsOf: scratch.file("text.txt", text))
    let layout = try StreamLayout(count: corpus.count, batch: 3, steps: 4, validation: 0.2)
    #expect([Int]([layout.batches, layout.train, layout.validation]) == [5, 4, 1])
    let card = TextModelCard(kind, vocabulary: 5, size: 6, resetBefore: resetBefore)
    let fresh = try #require(try card.model(seed: 1) as? RecurrentLanguageModel)
    var model = try fresh.loading(goldens.weights.strippingPrefix("param.")).model

    var options = TrainingOptions()
    options.epochs = 3
    options.optimizer = .rmsprop
    options.learningRate = 0.01
    options.squareDecay = 0.95
    options.gradientScale = 4
    options.clipValue = 0.02
    options.schedule = .decay(factor: 0.5, first: 1)
    let losses = Losses()
    let history = try fit(
      &model, LanguageModeling(), train: corpus.training(layout),
      validation: corpus.validation(layout), options: options, callbacks: [losses])

    expectClose(losses.all, try goldens("losses"), 1e-5, "losses")
    expectClose(
      history.values("validation_loss"), try goldens("validations"), 1e-5, "validation")
    for (name, tensor) in model.parameters {
      expectClose(
        tensor.array(of: Double.self), try goldens("result.\(name)"), 2e-4, "\(name)")
    }
  }

  @Test func transformer() throws {
    let goldens = try Goldens("text", "transformer")
    let card = TextModelCard(.transformer, vocabulary: 7, size: 8, heads: 2, context: 6)
    let fresh = try #require(try card.model(seed: 1) as? TransformerLanguageModel)
    let model = try fresh.loading(goldens.weights.strippingPrefix("param.")).model
    let symbols = try goldens.weights.tensor("symbols").transposed()
    let targets = try goldens.weights.tensor("targets").transposed().reshaped(-1)
    let logits = model.logits(symbols, from: []).logits.reshaped(5, 3, 7).transposed(0, 1)
    expectClose(logits.array(of: Double.self), try goldens("logits"), 1e-5, "logits")
    let step = valueGradientAndUpdates(at: model, key: RandomKey(seed: 1)) {
      crossEntropy($0.logits(symbols, from: []).logits, targets)
    }
    expectClose([step.value.item()], try goldens("loss"), 1e-5, "loss")
    for (name, gradient) in step.gradient.parameters {
      expectClose(
        gradient.array(of: Double.self), try goldens("grad.\(name)"), 1e-5, "\(name)")
    }
  }

  /// Symbol by symbol with keys and values kept, it expects the same as at once.
  @Test func transformerReadsStepByStep() throws {
    let card = TextModelCard(.transformer, vocabulary: 7, size: 8, heads: 2, context: 6)
    let fresh = try #require(try card.model(seed: 3) as? TransformerLanguageModel)
    let model = fresh.mapParameters { _, w in w * 10 }
    let symbols = [3, 1, 4, 1, 5, 2, 6, 0]
    let stepper = model.stepper()
    let found = symbols.map { stepper.logits(after: $0) }
    func expected(_ symbols: [Int]) -> [Double] {
      let logits = model.logits(
        Tensor(symbols.map(Int64.init), shape: [symbols.count, 1]), from: [])
      return logits.logits[symbols.count - 1].array(of: Double.self)
    }
    for count in 1...6 {
      expectClose(
        found[count - 1].map(Double.init), expected(Array(symbols[..<count])), 1e-5, "\(count)")
    }
    // The context is full after six; the last three are read again.
    expectClose(found[6].map(Double.init), expected([1, 5, 2, 6]), 1e-5, "seventh")
    expectClose(found[7].map(Double.init), expected([1, 5, 2, 6, 0]), 1e-5, "eighth")
    stepper.restart()
    #expect(stepper.logits(after: 3) == found[0])
  }
}
