import Foundation
import Tarn
import Testing

@Suite struct ExplainTests {
  private func feature(_ name: String, _ text: String) throws -> [Double] {
    let feature = try #require(TextFeature.all.first { $0.name == name })
    return feature.values(in: Array(text.unicodeScalars))
  }

  @Test func features() throws {
    #expect(try feature("inside quotes", "a\"b\"c") == [0, 1, 1, 0, 0])
    #expect(try feature("inside quotes", "a\"bc") == [0, 0, 0, 0])
    #expect(try feature("inside [[ ]]", "[[ab]]c") == [0, 1, 1, 1, 1, 0, 0])
    #expect(try feature("place in [[ ]]", "[[ab]]c") == [0, 1, 2, 3, 4, 0, 0])
    #expect(try feature("bracket depth", "a(b[c])") == [0, 1, 1, 2, 2, 1, 0])
    #expect(try feature("indentation", "a\n  b\n\tc") == [0, 0, 1, 2, 2, 0, 4, 4])
    #expect(try feature("place in the line", "ab\ncd") == [1, 2, 0, 1, 2])
    #expect(try feature("inside a URL", "x http://a b") == [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0])
    #expect(try feature("inside a comment", "a/*b*/c") == [0, 0, 1, 1, 1, 0, 0])
    #expect(try feature("inside a comment", "x//y\nz") == [0, 0, 1, 1, 0, 0])
    for feature in TextFeature.all {
      #expect(feature.values(in: Array("a\n(b)".unicodeScalars)).count == 5, "\(feature.name)")
      #expect(feature.values(in: []).isEmpty, "\(feature.name)")
    }
  }

  private func reading(_ kind: TextModelCard.Kind) throws -> (TextReading, Vocabulary) {
    let text = String(repeating: "if (a<b) { \"x&y\" }\nthen </script> \"q\"\n", count: 12)
    let vocabulary = Vocabulary(charactersOf: text)
    let card = TextModelCard(kind, vocabulary: vocabulary.count, size: 8, context: 16)
    let symbols = try vocabulary.encode(text)
    func read(_ model: some LanguageModel) -> TextReading { TextReading(model, symbols) }
    return (read(try card.model(seed: 7)), vocabulary)
  }

  @Test func readings() throws {
    let (reading, vocabulary) = try reading(.lstm)
    #expect(reading.cellCount == 16)
    #expect(reading.cells.count == 16 * reading.symbols.count)
    #expect(reading.cells.allSatisfy { abs($0) <= 1 })
    #expect(reading.losses.count == reading.symbols.count)
    #expect(abs(reading.meanLoss - log(Double(vocabulary.count))) < 0.2)
    for guesses in reading.guesses {
      #expect(guesses.count == 5)
      #expect(guesses.map(\.probability) == guesses.map(\.probability).sorted(by: >))
    }
    #expect(reading.activity(of: 3).count == reading.symbols.count)
    #expect(reading.activity(of: 16).isEmpty)
  }

  /// A cell made of a feature is found for it.
  @Test func searchFindsWhatIsThere() throws {
    let (reading, vocabulary) = try reading(.lstm)
    let copy = TextFeature("third cell") { _ in reading.activity(of: 10).map { -2 * Double($0) + 1 }
    }
    let search = CellSearch(reading, vocabulary, features: TextFeature.all + [copy])
    let match = try #require(search.byFeature.first)
    #expect(match.feature == "third cell" && match.layer == 1 && match.cell == 2)
    #expect(abs(match.correlation + 1) < 1e-3)
    #expect(search.byCell.count == 16)
    #expect(search.interpretable >= 1.0 / 16)
  }

  @Test(arguments: [TextModelCard.Kind.gru, .transformer]) func pages(
    _ kind: TextModelCard.Kind
  ) throws {
    let (reading, vocabulary) = try reading(kind)
    let page = ReadingPage(
      reading, vocabulary, search: CellSearch(reading, vocabulary), title: "<cells>")
    let html = page.report().html
    #expect(html.contains("&lt;cells&gt;"))
    #expect(html.contains("What was expected next"))
    #expect(!html.contains("src=") && !html.contains("href=\"http"))
    // The text itself must not end the page's script.
    let scripts = html.components(separatedBy: "<script").count - 1
    #expect(html.components(separatedBy: "</script>").count - 1 == scripts)
    #expect((scripts > 0) == kind.isRecurrent)
  }
}
