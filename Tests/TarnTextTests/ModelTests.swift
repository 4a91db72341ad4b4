import Foundation
import Tarn
import Testing

@Suite struct ModelTests {
  /// char-rnn's counts at its defaults.
  @Test(arguments: [
    (TextModelCard.Kind.lstm, 128, 2, 240_321), (.gru, 128, 2, 182_337), (.rnn, 128, 2, 66_369),
    (.lstm, 512, 2, 3_320_385), (.lstm, 512, 3, 5_421_633),
  ])
  func parameterCounts(_ kind: TextModelCard.Kind, _ size: Int, _ layers: Int, _ count: Int) throws
  {
    let card = TextModelCard(kind, vocabulary: 65, size: size, layers: layers)
    let model = try Initialization.skipped { try card.model(seed: 1) }
    #expect(model.parameterCount == count)
  }

  @Test func startsAsCharRNN() throws {
    let card = TextModelCard(.lstm, vocabulary: 65)
    let model = try #require(try card.model(seed: 123) as? RecurrentLanguageModel)
    for (name, tensor) in model.parameters {
      let values = tensor.array(of: Float.self)
      if name.hasPrefix("rnn.bias_ih") {
        #expect(values[128..<256].allSatisfy { $0 == 1 }, "\(name)")
        #expect((values[..<128] + values[256...]).allSatisfy { abs($0) <= 0.08 }, "\(name)")
      } else {
        #expect(values.allSatisfy { abs($0) <= 0.08 }, "\(name)")
        #expect(values.contains { abs($0) > 0.06 }, "\(name)")
      }
    }
    let names = model.parameters.map(\.name)
    #expect(
      names == [
        "rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.bias_ih_l0", "rnn.bias_hh_l0",
        "rnn.weight_ih_l1", "rnn.weight_hh_l1", "rnn.bias_ih_l1", "rnn.bias_hh_l1",
        "decoder.weight", "decoder.bias",
      ])
    // Almost even chances at the start.
    let x = Tensor.randomIntegers([50, 50], in: 0..<65, key: RandomKey(seed: 1))
    let loss = crossEntropy(model.logits(x, from: []).logits, x.reshaped(-1)).item()
    #expect(abs(loss - log(65)) < 0.05)
  }

  @Test(arguments: TextModelCard.Kind.allCases) func savedModelsComeBack(
    _ kind: TextModelCard.Kind
  ) throws {
    let scratch = try Scratch()
    let card = TextModelCard(
      kind, vocabulary: 9, size: 8, embedding: kind == .gru ? 4 : nil, heads: 2, context: 5)
    func check<Model: LanguageModel>(_ model: Model) throws {
      try model.save(to: scratch.url)
      let again = try Model(contentsOf: scratch.url)
      #expect(again.card == card)
      let x = Tensor([Int64](arrayLiteral: 1, 2, 3, 4), shape: [2, 2])
      #expect(
        again.logits(x, from: []).logits.array(of: Float.self)
          == model.logits(x, from: []).logits.array(of: Float.self))
    }
    try check(try card.model(seed: 2))
  }

  @Test func sizesNoModelHas() {
    for card in [
      TextModelCard(.lstm, vocabulary: 0), TextModelCard(.gru, vocabulary: 5, size: -1),
      TextModelCard(.rnn, vocabulary: 5, layers: 1_000_000),
      TextModelCard(.lstm, vocabulary: 1 << 24, size: 1 << 24, layers: 1000),
      TextModelCard(.lstm, vocabulary: 5, dropout: 1),
      TextModelCard(.transformer, vocabulary: 5, size: 10, heads: 4),
    ] {
      #expect(throws: DataError.self, "\(card)") { try card.model(seed: 1) }
    }
  }

  /// Reading in pieces with the state carried over is reading at once.
  @Test(arguments: [TextModelCard.Kind.lstm, .gru, .rnn]) func statesAreCarriedOver(
    _ kind: TextModelCard.Kind
  ) throws {
    let card = TextModelCard(kind, vocabulary: 7, size: 8)
    func check(_ model: some LanguageModel) {
      let x = Tensor.randomIntegers([6, 2], in: 0..<7, key: RandomKey(seed: 1))
      let whole = model.logits(x, from: []).logits.array(of: Double.self)
      let first = model.logits(x[..<4], from: [])
      let second = model.logits(x[4...], from: first.state)
      let parts = [first.logits, second.logits].flatMap { $0.array(of: Double.self) }
      expectClose(parts, whole, 1e-6, "\(kind)")
      let stepper = model.stepper()
      for (step, symbol) in x[.all, 1].array(of: Int.self).enumerated() {
        let row = Array(whole[(2 * step + 1) * 7..<(2 * step + 2) * 7])
        expectClose(stepper.logits(after: symbol).map(Double.init), row, 1e-6, "\(step)")
      }
    }
    check(try card.model(seed: 4))
  }

  @Test func weightsFromElsewhere() throws {
    let goldens = try Goldens("text", "gru")
    let weights = goldens.weights.strippingPrefix("param.")
    let model = try RecurrentLanguageModel(weights, vocabulary: 5)
    #expect(model.card == TextModelCard(.gru, vocabulary: 5, size: 6, layers: 2))
    #expect(
      model.decoder.weight.array(of: Double.self) == (try goldens("param.decoder.weight")))
    #expect(throws: DataError.self) { try RecurrentLanguageModel(weights, vocabulary: 6) }
    var other = weights
    other["rnn.weight_hh_l0"] = .zeros([5, 6])
    #expect(throws: DataError.self) { try RecurrentLanguageModel(other, vocabulary: 5) }
    other["rnn.weight_hh_l0"] = nil
    #expect(throws: DataError.self) { try RecurrentLanguageModel(other, vocabulary: 5) }
  }
}
