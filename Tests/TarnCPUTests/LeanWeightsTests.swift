import Tarn
import Testing

/// Winograd convolutions that keep no weights of their own.
@Suite struct LeanWeightsTests {
  /// Many weights beside few data, and 36 tiles: what ``AlgorithmChooser`` calls short of memory.
  @Test func resultsAndWeightsAreThoseOfOtherWays() {
    let key = RandomKey(seed: 4)
    let w = Tensor.normal([224, 224, 3, 3], deviation: 0.03, key: key.folded(in: 1)).evaluate()
    let plain = w.bytes()
    func convolved(_ x: Tensor, _ w: Tensor) -> Tensor {
      x.convolved(w, strides: [1, 1], padding: [(1, 1), (1, 1)], dilations: [1, 1]).relu()
    }
    for run in 0..<3 {
      let x = Tensor.normal([1, 224, 12, 12], key: key.folded(in: 2 + run)).evaluate()
      let got = convolved(x, w).array(of: Double.self)
      let want = convolved(x.cast(to: .float64), w.cast(to: .float64)).array(of: Double.self)
      let largest = want.map(abs).max() ?? 0
      let error = zip(got, want).map { abs($0 - $1) }.max() ?? .infinity
      #expect(error < 2e-6 * largest, "run \(run)")
      // Plain again after they were kept in another order only.
      #expect(w.bytes() == plain)
    }
  }

  /// Plans for other sizes and batches find the weights in the order in which one of them left them.
  @Test func plansShareWeights() {
    let key = RandomKey(seed: 5)
    let w = Tensor.normal([32, 32, 3, 3], key: key).evaluate()
    let plain = w.bytes()
    for (batch, size, stride) in [(1, 9, 1), (2, 9, 1), (1, 6, 1), (1, 9, 2)] {
      let x = Tensor.normal([batch, 32, size, size], key: key.folded(in: size)).evaluate()
      func convolved(_ x: Tensor, _ w: Tensor) -> Tensor {
        x.convolved(
          w, strides: [stride, stride], padding: [(1, 1), (1, 1)], dilations: [1, 1])
      }
      let got = convolved(x, w).array(of: Double.self)
      let want = convolved(x.cast(to: .float64), w.cast(to: .float64)).array(of: Double.self)
      let error = zip(got, want).map { abs($0 - $1) }.max() ?? .infinity
      #expect(error < 1e-4, "\(batch), \(size), \(stride)")
    }
    #expect(w.bytes() == plain)
  }
}
