import CTarnKernels
import Tarn
import Testing

/// The thread count and the SIMD level belong to the process, so these run one at a time.
@Suite(.serialized) struct DeterminismTests {
  /// A training step's worth of different kernels.
  private func work() -> [Tensor] {
    let key = RandomKey(seed: 3)
    let x = Tensor.normal([37, 3, 14, 13], key: key)
    let filters = Tensor.normal([8, 3, 3, 3], key: key.folded(in: 1))
    let w = Tensor.normal([8 * 12 * 11, 10], key: key.folded(in: 2)) * 0.02
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

  @Test func everySIMDLevelAgreesWithTheOthers() {
    let before = tarn_simd_level()
    defer { _ = tarn_set_simd_level(before) }
    let best = work()
    Tensor.evaluate(best)
    for level in [TARN_SIMD_PORTABLE, TARN_SIMD_AVX2] {
      guard tarn_set_simd_level(Int32(level.rawValue)) == Int32(level.rawValue) else { continue }
      for (a, b) in zip(best, work()) where a.dtype.isFloating {
        #expect(a.isClose(to: b, relative: 1e-4, absolute: 1e-5))
      }
    }
  }
}
