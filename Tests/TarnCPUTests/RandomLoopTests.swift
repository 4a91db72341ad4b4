import CTarnKernels
import Tarn
import TarnCore
import Testing

/// Random numbers made inside the loop that reads them are those that are made apart from it.
@Suite struct RandomLoopTests {
  private let key = RandomKey(seed: 17)

  private func uniform(_ shape: [Int], _ number: Int) -> Tensor {
    .uniform(shape, key: key.folded(in: number))
  }

  /// Rows shorter and longer than the blocks of a loop, and lengths that are no multiple of what is made at once.
  @Test(arguments: [[1], [3], [5, 7], [1027], [3, 1025], [2, 3, 6001], [70_001], [0]])
  func theSameNumbers(shape: [Int]) {
    let column = uniform([shape[0]] + shape.dropFirst().map { _ in 1 }, 3).evaluate()
    let before = tarn_threads()
    defer { tarn_set_threads(before) }
    let (u, v) = (uniform(shape, 1).evaluate(), uniform(shape, 2).evaluate())
    let want = (u * 3 - v * column).bytes()
    for threads: Int32 in [1, 2, 5] {
      tarn_set_threads(threads)
      #expect((uniform(shape, 1) * 3 - uniform(shape, 2) * column).bytes() == want)
    }
  }

  @Test func normalNumbersTakeOneLoop() {
    let x = Tensor.normal([300, 40], mean: 1, deviation: 2, key: key)
    let loops = x.dump().split(separator: "\n").filter { $0.contains("[300, 40]") }
    #expect(loops.count == 1, "\(x.dump())")
    #expect(loops.first?.contains("random") == true)
  }

  /// What two loops read, what is turned about, and what is a result has memory of its own.
  @Test func sharedNumbersAreMadeOnce() {
    let u = uniform([40, 40], 3)
    let (one, other) = (u.sum(0), (u.transposed() * 2).exp())
    Tensor.evaluate([u, one, other])
    #expect((u.transposed() * 2).exp().bytes() == other.bytes())
    #expect(u.sum(0).bytes() == one.bytes())
  }
}
