import CTarnKernels
import Tarn
import Testing

/// The thread count belongs to the process; results must not depend on it, so other tests may run beside this one.
@Suite struct DeterminismTests {
  /// A training step's worth of different kernels, each with work for several threads.
  private func work() -> [Tensor] {
    let key = RandomKey(seed: 3)
    let x = Tensor.normal([48, 3, 28, 26], key: key)
    let filters = Tensor.normal([8, 3, 3, 3], key: key.folded(in: 1))
    let w = Tensor.normal([8 * 26 * 24, 10], key: key.folded(in: 2)) * 0.02
    let loss: @Sendable ([Tensor]) -> Tensor = { p in
      let y = x.convolved(p[0], strides: [1, 1], padding: [(0, 0), (0, 0)], dilations: [1, 1])
      let logits = y.tanh().flattened(from: 1).matmul(p[1])
      return -logits.logSoftmax().mean() + y.squared().mean() + y.max()
    }
    let (value, gradient) = valueAndGrad(loss, at: [filters, w])
    let order = x.flattened().argSort()
    return [
      value, gradient[0], gradient[1], x.sum(0, 2, 3), x.cumulativeSum(axis: 3), order,
      x.variance(1),
    ]
  }

  @Test func theSameBitsAtAnyThreadCount() {
    let before = tarn_threads()
    defer { tarn_set_threads(before) }
    tarn_set_threads(1)
    let one = work().map { $0.bytes() }
    for threads: Int32 in [2, 3, 5] {
      tarn_set_threads(threads)
      for (a, b) in zip(one, work().map({ $0.bytes() })) { #expect(a == b, "\(threads) threads") }
    }
  }
}
