import Foundation
import Tarn
import Testing

@Suite struct VocabularyTests {
  @Test func charactersAreScalarsInTheOrderOfTheirCodePoints() throws {
    let vocabulary = Vocabulary(charactersOf: "ba\r\nسلام👩🏽")
    #expect(vocabulary.symbols == ["\n", "\r", "a", "b", "ا", "س", "ل", "م", "🏽", "👩"])
    #expect(try vocabulary.encode("a\r\n") == [2, 1, 0])
    #expect(try vocabulary.encode("👩🏽") == [9, 8])
    #expect(vocabulary.decode([9, 8]) == "👩🏽")
    #expect(vocabulary.decode(try vocabulary.encode("سلام")) == "سلام")
  }

  @Test func unknownCharactersAreListed() {
    let vocabulary = Vocabulary(charactersOf: "abc")
    #expect(throws: UnknownSymbols(symbols: ["é", "\n"], known: 3)) {
      try vocabulary.encode("aéb\né")
    }
    let words = UnknownSymbols(symbols: ["é", "\n"], known: 3).description
    #expect(words.contains("'é' (U+00E9)") && words.contains("U+000A"))
  }

  @Test func bytesAreAlways256() throws {
    let vocabulary = Vocabulary.bytes
    #expect(vocabulary.count == 256)
    #expect(try vocabulary.encode("é") == [0xC3, 0xA9])
    #expect(vocabulary.decode([0xC3, 0xA9, 0x41]) == "éA")
  }
}
