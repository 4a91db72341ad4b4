import Testing

import TarnCore

/// Values were computed with PyTorch 2.15 (`max_pool2d`, `avg_pool2d`, `interpolate`, …).
@Suite("Pooling and upsampling") struct PoolingTests {
  let x = pattern([1, 2, 5, 5])

  @Test func maximum() {
    expect(
      x.maxPooled([3, 3], strides: [2, 2], padding: [(1, 1), (1, 1)]),
      [4, 5, 5, 4, 4, 5, 3, 4, 2, 5, 4, 4, 5, 5, 4, 2, 5, 1], shape: [1, 2, 3, 3])
    expect(
      x.maxPooled([2, 2], ceil: true), [4, 5, 3, 1, 4, 5, 3, 2, -2, 5, 4, 2, 5, 3, 4, 2, 5, -3],
      shape: [1, 2, 3, 3])
    expect(
      x.maxPooled([2, 2], strides: [1, 1], dilations: [2, 2]),
      [2, 5, 5, 4, 4, 4, 3, 2, 5, 5, 5, 4, 3, 3, 3, 5, 5, 5])
    expect(
      pattern([1, 2, 7]).maxPooled([3], strides: [2], padding: [(1, 1)]), [2, 5, 5, 4, 0, 3, 2, 2],
      shape: [1, 2, 4])
  }

  @Test func theFirstOfEqualsTakesTheGradient() {
    let ties = Tensor([1, 1, 1, 0] as [Double], shape: [1, 1, 2, 2])
    expect(grad({ $0.maxPooled([2, 2]).sum() }, at: ties), [1, 0, 0, 0])
  }

  @Test func notANumberWins() {
    let y = Tensor([1, .nan, 7, 0] as [Double], shape: [1, 1, 4]).maxPooled([2])
    expect(y, [.nan, 7])
  }

  @Test func mean() {
    let padding = [(1, 1), (1, 1)]
    expect(
      x.averagePooled([3, 3], strides: [2, 2], padding: padding),
      [-2, 5, 5, -7, -4, -2, 0, -3, -4, 5, -1, 1, -2, -2, -8, -4, 2, -8].map { $0 / 9 },
      shape: [1, 2, 3, 3])
    expect(
      x.averagePooled([3, 3], strides: [2, 2], padding: padding, countIncludesPadding: false),
      [
        -0.5, 0.8333333, 1.25, -1.1666667, -0.4444444, -0.3333333, 0, -0.5, -1, 1.25, -0.1666667,
        0.25, -0.3333333,
        -0.2222222, -1.3333333, -1, 0.3333333, -2,
      ])
    expect(
      x.averagePooled([2, 2], ceil: true),
      [-0.5, -0.25, 2, -2, 1, 0.5, 1, -1.5, -2, 1.25, -1.25, 1, -0.25, 0, -0.5, 0, 3, -3])
    expect(
      x.averagePooled([3, 3], padding: padding, ceil: true),
      [-0.2222222, 0.3333333, -0.6666667, 0, 0.5555556, -0.3333333, -0.1111111, 0.2222222])
    expect(
      x.averagePooled([3, 3], padding: padding, ceil: true, countIncludesPadding: false),
      [-0.5, 0.5, -1, 0, 1.25, -0.5, -0.1666667, 0.2222222])
    expect(
      pattern([1, 1, 6, 6]).averagePooled([2, 2], strides: [3, 3], padding: padding, ceil: true),
      [-1.25, 0.75, -0.75, 0.5, 2, 1.5, -1, -1.5, -0.5])
    expect(pattern([1, 1, 5]).averagePooled([2], ceil: true), [-1.5, 1.5, 1], shape: [1, 1, 3])
  }

  @Test func noWindowBeginsInThePaddingAfterTheEnd() {
    let shapes = [4, 5, 6].map {
      pattern([1, 1, $0]).maxPooled([2], strides: [3], padding: [(1, 1)], ceil: true).shape[2]
    }
    #expect(shapes == [2, 2, 3])
  }

  @Test func adaptive() {
    expect(
      pattern([1, 1, 5, 5]).adaptiveAveragePooled(to: [3, 2]),
      [-0.6666667, 0.5, -0.1111111, 0.4444444, -0.1666667, -0.8333333], shape: [1, 1, 3, 2])
    expect(
      x.adaptiveMaxPooled(to: [3, 2]), [4, 5, 4, 5, 4, 4, 5, 4, 5, 4, 5, 5], shape: [1, 2, 3, 2])
    expect(
      x.adaptiveAveragePooled(to: [1, 1]), x.mean(axes: [2, 3]).array(of: Double.self),
      shape: [1, 2, 1, 1])
    expect(pattern([1, 1, 6]).adaptiveMaxPooled(to: [3]), [2, 5, 1])
  }

  @Test func upsampling() {
    let u = pattern([1, 1, 2, 3])
    expect(
      u.upsampled(by: [2, 2]),
      [-5, -5, 2, 2, -2, -2, -5, -5, 2, 2, -2, -2, 5, 5, 1, 1, -3, -3, 5, 5, 1, 1, -3, -3],
      shape: [1, 1, 4, 6])
    expect(
      u.upsampled(to: [3, 5]), [-5, -5, 2, 2, -2, -5, -5, 2, 2, -2, 5, 5, 1, 1, -3],
      shape: [1, 1, 3, 5])
    expect(
      u.upsampled(to: [4, 5], mode: .bilinear()),
      [
        -5, -2.2, 2, -0.4, -2, -2.5, -0.8, 1.75, -0.65, -2.25, 2.5, 2, 1.25, -1.15, -2.75, 5, 3.4,
        1, -1.4, -3,
      ])
    expect(
      u.upsampled(to: [4, 5], mode: .bilinear(alignCorners: true)),
      [
        -5, -1.5, 2, 0, -2, -1.6666667, 0, 1.6666667, -0.3333333, -2.3333333, 1.6666667, 1.5,
        1.3333333, -0.6666667,
        -2.6666667, 5, 3, 1, -1, -3,
      ])
    expect(u.upsampled(to: [1, 2], mode: .bilinear()), [0.375, -1.5], shape: [1, 1, 1, 2])
    expect(
      pattern([1, 2, 3]).upsampled(to: [5], mode: .bilinear()),
      [-5, -2.2, 2, -0.4, -2, 5, 3.4, 1, -1.4, -3],
      shape: [1, 2, 5])
  }

  @Test func derivatives() {
    let x = [sample([2, 2, 5, 4])]
    checkDerivatives(x) {
      $0[0].maxPooled([3, 2], strides: [2, 1], padding: [(1, 0), (0, 1)]).squared()
    }
    checkDerivatives(x) {
      $0[0].averagePooled([3, 2], padding: [(1, 1), (1, 0)], ceil: true).squared()
    }
    checkDerivatives(x) { $0[0].adaptiveAveragePooled(to: [3, 3]).squared() }
    checkDerivatives(x) { $0[0].adaptiveMaxPooled(to: [3, 3]).squared() }
    checkDerivatives(x) { $0[0].upsampled(to: [7, 8]).squared() }
    checkDerivatives(x) { $0[0].upsampled(to: [7, 3], mode: .bilinear()).squared() }
  }

  @Test func theAdjointOfASumOverWindowsSpreads() {
    let window = Window(
      size: [2, 3], strides: [2, 1], low: [1, 0], high: [0, 1], dilations: [1, 2])
    let x = sample([2, 1, 5, 4], 1), y = sample([2, 1, 3, 1], 2)
    let sum = Tensor.record(.windowSum(window), x, y.shape, .float64)
    let spread = Tensor.record(.windowSpread(window), y, x.shape, .float64)
    #expect(abs(((sum * y).sum() - (spread * x).sum()).item()) < 1e-12)
    checkDerivatives([y]) {
      Tensor.record(.windowSpread(window), $0[0], [2, 1, 5, 4], .float64).squared()
    }
    checkBatching([x]) { Tensor.record(.windowSum(window), $0[0], [2, 1, 3, 1], .float64) }
    checkBatching([y]) { Tensor.record(.windowSpread(window), $0[0], [2, 1, 5, 4], .float64) }
  }

  @Test func batching() {
    checkBatching([sample([2, 2, 5, 4])]) { $0[0].maxPooled([3, 2], strides: [2, 1]) }
    checkBatching([sample([2, 2, 5])]) { $0[0].averagePooled([2], ceil: true) }
    checkBatching([sample([2, 2, 5])]) { $0[0].upsampled(to: [7], mode: .bilinear()) }
  }

  @Test func mistakesAreNamed() {
    #expect(
      diagnosed { x.maxPooled([6, 6]) }.contains("the window is larger than the padded input"))
    #expect(diagnosed { x.maxPooled([2, 2], padding: [(2, 0), (0, 0)]) }.contains("at most half"))
    #expect(
      diagnosed { x.averagePooled([2]) }.contains("a window with 1 axes takes a tensor with 3"))
    #expect(diagnosed { x.adaptiveAveragePooled(to: [0, 1]) }.contains("sizes must be 1 or more"))
  }
}
