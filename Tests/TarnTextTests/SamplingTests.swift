import Foundation
import Tarn
import Testing

@Suite struct SamplingTests {
  private func shares(_ logits: [Float], _ choice: SymbolChoice, count: Int = 20_000) -> [Double] {
    var generator = SeededGenerator(seed: 9)
    var counts = logits.map { _ in 0.0 }
    for _ in 0..<count { counts[choice.symbol(logits, with: &generator)] += 1 }
    return counts.map { $0 / Double(count) }
  }

  @Test func temperatureScalesLogits() {
    let logits: [Float] = [0, 1, 2]
    for temperature in [0.5, 1, 2] {
      let weights = logits.map { exp(Double($0) / temperature) }
      let total = weights.reduce(0, +)
      let found = shares(logits, SymbolChoice(temperature: temperature))
      for (a, b) in zip(found, weights) { #expect(abs(a - b / total) < 0.015) }
    }
  }

  @Test func theLikeliestOnly() {
    let logits: [Float] = [3, 1, 2, 0, -1]
    #expect(shares(logits, SymbolChoice(topK: 1), count: 50) == [1, 0, 0, 0, 0])
    let two = shares(logits, SymbolChoice(topK: 2))
    #expect(two[1] == 0 && two[3] == 0 && two[4] == 0 && two[2] > 0.2)
    // Chances .64 .09 .24 .03 .01.
    let nucleus = shares(logits, SymbolChoice(topP: 0.7))
    #expect(nucleus[1] == 0 && nucleus[2] > 0.2)
    #expect(shares(logits, SymbolChoice(topP: 0.5), count: 50) == [1, 0, 0, 0, 0])
    #expect(shares(logits, SymbolChoice(isGreedy: true), count: 50) == [1, 0, 0, 0, 0])
    #expect(shares(logits, SymbolChoice(temperature: 0), count: 50) == [1, 0, 0, 0, 0])
    #expect(shares(logits, SymbolChoice(temperature: 1e-4), count: 50) == [1, 0, 0, 0, 0])
  }

  @Test func excludedSymbolsAreNeverChosen() {
    var generator = SeededGenerator(seed: 1)
    for choice in [SymbolChoice(), SymbolChoice(isGreedy: true), SymbolChoice(topK: 1)] {
      for _ in 0..<100 {
        #expect(choice.symbol([9, 0, 0.5], excluding: 0, with: &generator) != 0)
      }
    }
  }

  @Test func seedsDecide() throws {
    let vocabulary = Vocabulary(charactersOf: "abcdefgh")
    let card = TextModelCard(.lstm, vocabulary: 8, size: 8)
    func text(_ model: some LanguageModel, _ prime: String, _ seed: UInt64, _ choice: SymbolChoice)
      throws -> String
    {
      var writer = try TextGenerator(model, vocabulary, prime: prime, choice: choice, seed: seed)
      return writer.text(60)
    }
    let model = try card.model(seed: 1)
    let (plain, greedy) = (SymbolChoice(), SymbolChoice(isGreedy: true))
    #expect(try text(model, "abc", 5, plain) == text(model, "abc", 5, plain))
    #expect(try text(model, "abc", 5, plain) != text(model, "abc", 6, plain))
    #expect(try text(model, "abc", 5, greedy) == text(model, "abc", 6, greedy))
    #expect(
      try text(model, "", 5, greedy) == text(model, "", 5, SymbolChoice(temperature: 1e-5)))
    #expect(throws: UnknownSymbols(symbols: ["z"], known: 8)) {
      try text(model, "az", 5, plain)
    }
  }

  /// Bytes come out as soon as they are characters, whatever they are.
  @Test func bytesBecomeText() throws {
    let card = TextModelCard(.rnn, vocabulary: 256, size: 4, layers: 1)
    func check(_ model: some LanguageModel) throws {
      var writer = try TextGenerator(model, .bytes, prime: "é", seed: 3)
      var again = try TextGenerator(model, .bytes, prime: "é", seed: 3)
      let bytes = (0..<400).map { _ in UInt8(again.nextSymbol()) }
      var text = ""
      for _ in 0..<400 { text += writer.next() }
      text += writer.finish()
      let kept = text.unicodeScalars.filter { $0 != "\u{FFFD}" }
      let expected = String(decoding: bytes, as: UTF8.self).unicodeScalars
        .filter { $0 != "\u{FFFD}" }
      #expect(kept.elementsEqual(expected))
    }
    try check(try card.model(seed: 1))
  }
}
