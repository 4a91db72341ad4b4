import Foundation
import Tarn
import Testing

@Suite struct CorpusTests {
  @Test(arguments: ["plain text\n", "مرحبا بالعالم\n", "👩🏽‍🚀 and 🐟\r\n", "naïve café — “quoted”"])
  func textsComeBackAsTheyWere(_ text: String) throws {
    let scratch = try Scratch()
    for unit in Vocabulary.Unit.allCases {
      let corpus = try Corpus(contentsOf: scratch.file("text", text), unit: unit)
      let back = corpus.vocabulary.decode(corpus[0..<corpus.count])
      #expect(back.unicodeScalars.elementsEqual(text.unicodeScalars), "\(unit)")
      #expect(corpus.byteCount == text.utf8.count)
    }
    let corpus = try Corpus(contentsOf: scratch.file("text", text))
    #expect(corpus.count == text.unicodeScalars.count)
    #expect(try corpus.vocabulary.encode(text) == corpus[0..<corpus.count])
  }

  /// More symbols than a byte can number, and more than two can.
  @Test(arguments: [300, 70_000]) func manySymbols(_ count: Int) throws {
    let scratch = try Scratch()
    let codes = (0..<count).compactMap { Unicode.Scalar(UInt32(0x1_0000 + $0)) }
    var text = String.UnicodeScalarView()
    text.append(contentsOf: codes.reversed())
    let corpus = try Corpus(contentsOf: scratch.file("text", String(text)))
    #expect(corpus.vocabulary.count == count)
    #expect(corpus[0..<count] == Array((0..<count).reversed()))
  }

  @Test func packedTextsAreUnpacked() throws {
    let scratch = try Scratch()
    let text = (0..<40_000).map { "line \($0 * $0 % 977)\n" }.joined()
    let plain = try Corpus(contentsOf: scratch.file("text.txt", text))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["gzip", scratch.file("text.txt").path]
    try process.run()
    process.waitUntilExit()
    let packed = try Corpus(contentsOf: scratch.file("text.txt.gz"))
    #expect(packed.digest == plain.digest)
    #expect(packed.vocabulary == plain.vocabulary)
    #expect(packed[0..<packed.count] == plain[0..<plain.count])
  }

  @Test func foldersHoldAnInput() throws {
    let scratch = try Scratch()
    _ = try scratch.file("input.txt", "abc")
    #expect(try Corpus(contentsOf: scratch.url).count == 3)
  }

  @Test func byteOrderMarksAreNoText() throws {
    let scratch = try Scratch()
    let url = try scratch.file("text", [0xEF, 0xBB, 0xBF, 0x61, 0x62])
    #expect(try Corpus(contentsOf: url).vocabulary.symbols == ["a", "b"])
    #expect(try Corpus(contentsOf: url, unit: .bytes).count == 5)
  }

  @Test func frequentWordsAreKept() throws {
    let scratch = try Scratch()
    let url = try scratch.file("text", "the cat and the dog, and the cow.\n")
    let all = try Corpus(contentsOf: url, unit: .words)
    #expect(all.vocabulary.decode(all[0..<4]) == "the cat and the")
    let few = try Corpus(contentsOf: url, unit: .words, words: 2)
    #expect(few.vocabulary.symbols == ["<unk>", " and", " the"])
    #expect(few[0..<4] == [0, 0, 1, 2])
    #expect(few.vocabulary.unknown == 0)
  }

  // MARK: What is no text

  private func problem(_ bytes: [UInt8], unit: Vocabulary.Unit = .characters) throws -> DataError? {
    let scratch = try Scratch()
    let url = try scratch.file("text", bytes)
    do {
      _ = try Corpus(contentsOf: url, unit: unit)
      return nil
    } catch let error as DataError { return error }
  }

  @Test(
    arguments: [
      ([0x61, 0xFF, 0x62], 1), ([0x61, 0x62, 0xC3], 2), ([0xC0, 0x80], 0), ([0x61, 0x80], 1),
      ([0xE0, 0x80, 0x80], 0), ([0xED, 0xA0, 0x80], 0), ([0xF4, 0x90, 0x80, 0x80], 0),
      ([0xF0, 0x9F, 0x98], 0), ([0x61, 0x00, 0x62], 1), ([0xE2, 0x28, 0xA1], 0),
    ] as [([UInt8], Int)])
  func bytesThatAreNoTextAreNamed(_ bytes: [UInt8], _ place: Int) throws {
    for unit in [Vocabulary.Unit.characters, .words] {
      let error = try #require(try problem(bytes, unit: unit))
      #expect(error.kind == .invalid)
      #expect(error.place == .byte(place), "\(unit)")
      #expect(error.hint?.contains("--bytes") == true)
    }
    #expect(try problem(bytes, unit: .bytes) == nil)
  }

  @Test func emptyAndMissingFiles() throws {
    #expect(try problem([])?.reason == "is empty")
    #expect(try problem([0xEF, 0xBB, 0xBF])?.reason == "is empty")
    #expect(try problem([], unit: .bytes)?.reason == "is empty")
    let missing = #expect(throws: DataError.self) {
      try Corpus(contentsOf: URL(fileURLWithPath: "/nowhere/at/all"))
    }
    #expect(missing?.kind == .missing)
  }

  /// Any bytes at all are either UTF-8, as Foundation has it too, or refused.
  @Test func strictUTF8() throws {
    let scratch = try Scratch()
    var generator = SeededGenerator(seed: 5)
    let seeds = Array("aé€😀\u{7FF}\u{FFFF}".utf8)
    for round in 0..<1500 {
      var bytes = seeds
      for _ in 0..<1 + generator.integer(below: 3) {
        bytes[generator.integer(below: bytes.count)] = UInt8(1 + generator.integer(below: 255))
      }
      let isText = String(validating: bytes, as: UTF8.self) != nil
      let url = try scratch.file("\(round % 4)", bytes)
      #expect(((try? Corpus(contentsOf: url)) != nil) == isText, "\(bytes)")
    }
  }

  @Test func brokenGzip() throws {
    let scratch = try Scratch()
    let text = try scratch.file("text", refrain)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["gzip", text.path]
    try process.run()
    process.waitUntilExit()
    let whole = [UInt8](try Data(contentsOf: scratch.file("text.gz")))
    for length in 2..<whole.count {
      let url = try scratch.file("cut.gz", whole[..<length])
      #expect(throws: DataError.self, "\(length)") { try Corpus(contentsOf: url) }
    }
    var generator = SeededGenerator(seed: 6)
    for _ in 0..<500 {
      var bytes = whole
      bytes[generator.integer(below: bytes.count)] ^= UInt8(1 << generator.integer(below: 8))
      let url = try scratch.file("cut.gz", bytes)
      do { _ = try Corpus(contentsOf: url) } catch is DataError {}
    }
  }

  @Test func symbolsOfAnotherVocabulary() throws {
    let scratch = try Scratch()
    let url = try scratch.file("text", "abcXaYX")
    let error = #expect(throws: DataError.self) {
      try Corpus(contentsOf: url, vocabulary: Vocabulary(charactersOf: "abc"))
    }
    #expect(error?.reason.contains("'X' (U+0058), 'Y' (U+0059)") == true)
  }
}
