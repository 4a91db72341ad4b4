import Tarn
import Testing

@Suite struct AccuracyTests {
  let scores = Tensor([[1, 5, 2], [3, 0, 4], [2, 2, 2], [0, 1, 9]] as [[Float]])

  @Test func largest() {
    let labels = Tensor([1, 0, 1, 2])
    #expect(accuracy(scores, labels).item() == 0.5)
    #expect(accuracy(scores, labels, reduction: .sum).item() == 2)
    #expect(accuracy(scores, labels, reduction: .none).array(of: Int.self) == [1, 0, 0, 1])
    expectClose(accuracy(scores, labels, ignoring: 0), Tensor(2.0 / 3), 1e-6)
    #expect(accuracy(scores, labels).isClose(to: 1 - zeroOne(scores, labels)))
  }

  @Test func amongTheLargest() {
    let labels = Tensor([2, 0, 1, 0])
    func hits(_ k: Int) -> [Int] {
      topKAccuracy(scores, labels, k: k, reduction: .none).array(of: Int.self)
    }
    #expect(hits(1) == accuracy(scores, labels, reduction: .none).array(of: Int.self))
    // Of the three equal scores the first two count, and the label is the second.
    #expect(hits(2) == [1, 1, 1, 0])
    #expect(hits(3) == [1, 1, 1, 1])
    #expect(topKAccuracy(scores, labels, k: 2).item() == 0.75)
    let constant = Tensor.zeros([10, 10])
    #expect(topKAccuracy(constant, .arange(10), k: 5).item() == 0.5)
    let broken = Tensor([[Float.nan, 1, 2], [1, .nan, 0]])
    #expect(
      topKAccuracy(broken, Tensor([0, 0]), k: 1, reduction: .none).array(of: Int.self) == [0, 0])
  }

  @Test func imagesOfClasses() {
    let pixels = Tensor.normal([2, 3, 4, 5], key: RandomKey(seed: 1))
    let labels = pixels.argMax(axis: 1)
    #expect(accuracy(pixels, labels).item() == 1)
    #expect(accuracy(pixels, labels, reduction: .none).shape == [2, 4, 5])
  }

  @Test func mistakes() {
    #expect(
      diagnostic { _ = accuracy(scores, Tensor([0, 1, 2, 3])) }?.reason
        == "there is a label 3 and classes are 0…2")
    #expect(
      diagnostic { _ = topKAccuracy(scores, Tensor([0, 1, 2, 0]), k: 0) }?.reason
        == "k must be at least 1")
    #expect(
      diagnostic { _ = accuracy(scores, Tensor([0, 1])) }?.reason == "labels should be [4]")
  }
}
