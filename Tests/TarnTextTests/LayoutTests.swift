import Foundation
import Tarn
import Testing

@Suite struct LayoutTests {
  /// char-rnn's figures for tinyshakespeare.
  @Test func tinyShakespeare() throws {
    let layout = try StreamLayout(count: 1_115_394, batch: 50, steps: 50, validation: 0.05)
    #expect(layout.batches == 446)
    #expect([Int]([layout.train, layout.validation, layout.test]) == [423, 23, 0])
    #expect(50 * layout.train == 21_150)
    let tested = try StreamLayout(
      count: 1_115_394, batch: 50, steps: 50, validation: 0.05, test: 0.05)
    #expect([Int]([tested.train, tested.validation, tested.test]) == [401, 22, 23])
  }

  @Test func streamsGoOnFromBatchToBatch() throws {
    let scratch = try Scratch()
    let text = "abcdefghijklmnopqrstuvwxyz"
    let corpus = try Corpus(contentsOf: scratch.file("text", text))
    let layout = try StreamLayout(count: 26, batch: 2, steps: 3, validation: 0.25)
    #expect(
      [Int]([layout.batches, layout.train, layout.validation, layout.count]) == [4, 3, 1, 24])
    var batches: [TextBatch] = []
    try corpus.training(layout).epoch(0).forEach { batches.append($0) }
    try corpus.validation(layout)?.epoch(0).forEach { batches.append($0) }
    func letters(_ tensor: Tensor) -> String {
      corpus.vocabulary.decode(tensor.array(of: Int.self))
    }
    #expect(batches.map { letters($0.symbols[.all, 0]) } == ["abc", "def", "ghi", "jkl"])
    #expect(batches.map { letters($0.symbols[.all, 1]) } == ["mno", "pqr", "stu", "vwx"])
    // After the last symbol comes the first.
    let next = batches.map { $0.next.reshaped(3, 2) }
    #expect(next.map { letters($0[.all, 0]) } == ["bcd", "efg", "hij", "klm"])
    #expect(next.map { letters($0[.all, 1]) } == ["nop", "qrs", "tuv", "wxa"])
  }

  @Test func windowsOfTransformersStayInWhatIsTrained() throws {
    let scratch = try Scratch()
    let corpus = try Corpus(contentsOf: scratch.file("text", "abcdefghijklmnopqrstuvwxyz"))
    let layout = try StreamLayout(count: 26, batch: 2, steps: 3, validation: 0.25)
    let windows = corpus.training(layout, random: 4)
    for epoch in 0..<20 {
      try windows.epoch(epoch).forEach { batch in
        #expect(batch.symbols.shape == [3, 2])
        let numbers = batch.symbols.transposed().reshaped(-1).array(of: Int.self)
        let next = batch.next.reshaped(3, 2).transposed().reshaped(-1).array(of: Int.self)
        #expect(next == numbers.map { $0 + 1 })
        #expect(numbers.allSatisfy { (0..<9).contains($0) || (12..<21).contains($0) })
      }
    }
  }

  @Test func shortTexts() throws {
    let error = #expect(throws: DataError.self) {
      try StreamLayout(count: 1000, batch: 50, steps: 50, name: "poem.txt")
    }
    #expect(error?.file == "poem.txt")
    #expect(error?.reason.contains("1000 symbols") == true)
    #expect(error?.hint?.contains("--batch 20") == true)
    let one = try StreamLayout(count: 2500, batch: 50, steps: 50)
    #expect([Int]([one.batches, one.train, one.validation]) == [1, 1, 0])
  }
}
