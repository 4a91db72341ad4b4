import Testing

import TarnCore

@Suite struct HintTests {
  @Test func flatten() {
    #expect(
      Hint.flatten([32, 1, 28, 28], toReach: 784)
        == "28 × 28 = 784, so call .flattened(from: 2) first")
    #expect(Hint.flatten([32, 784], toReach: 10) == nil)
  }

  @Test func layout() {
    #expect(
      Hint.channels([8, 32, 32, 3], wanted: 3)
        == "channels are last here; .permuted(0, 3, 1, 2) makes it [8, 3, 32, 32]")
    #expect(Hint.channels([8, 3, 32, 32], wanted: 3) == nil)
    #expect(
      Hint.missingBatch([3, 32, 32], rank: 4)
        == "one example without its batch axis? .expandedDims(0) makes it [1, 3, 32, 32]")
    #expect(Hint.missingBatch([8, 3, 32, 32], rank: 4) == nil)
  }

  @Test func labels() {
    #expect(Hint.labels(.int64) == nil)
    #expect(Hint.labels(.float32)?.contains(".cast(to: .int64)") == true)
    #expect(
      Hint.offByOne(label: 10, classes: 10)
        == "classes are numbered 0 to 9; if yours begin at 1, subtract 1")
    #expect(Hint.offByOne(label: 3, classes: 10) == nil)
    #expect(Hint.offByOne(label: -1, classes: 10)?.hasPrefix("a negative label") == true)
  }
}
