import Tarn
import Testing

/// Scales and shifts of a batch normalisation in inference are remembered: for the parameters they were made of only.
@Suite struct ChannelTableTests {
  private struct Parameters {
    var scale, variance, shift, mean: [Float]

    init(seed: Int) {
      func numbers(_ step: Int) -> [Float] {
        (0..<24).map { Float(($0 * step + seed * 5) % 11) / 8 + 0.25 }
      }
      (scale, variance, shift, mean) = (numbers(3), numbers(5), numbers(7), numbers(2))
    }

    /// Fresh leaves each time.
    var tensors: [Tensor] { [scale, variance, shift, mean].map { Tensor($0).evaluate() } }
  }

  private func convolved(_ x: Tensor, _ w: Tensor) -> Tensor {
    x.convolved(w, strides: [1, 1], padding: [(1, 1), (1, 1)], dilations: [1, 1])
  }

  private func expected(_ images: [Float], _ p: Parameters, _ epsilon: Float) -> [Float] {
    images.indices.map { index in
      let c = index / 25 % 24
      let factor = p.scale[c] / (p.variance[c] + epsilon).squareRoot()
      return min(1.5, max(0, images[index] * factor + p.shift[c] - p.mean[c] * factor))
    }
  }

  @Test func tablesFollowTheirParameters() {
    let key = RandomKey(seed: 9)
    let x = Tensor.normal([2, 16, 5, 5], key: key).evaluate()
    let w = Tensor.normal([24, 16, 3, 3], key: key.folded(in: 1)).evaluate()
    let images = convolved(x, w).array(of: Float.self)
    func network(_ p: [Tensor], _ epsilon: Double) -> Tensor {
      let factor = (p[1] + epsilon).rsqrt() * p[0]
      let shift = p[2] - p[3] * factor
      let y = convolved(x, w) * factor.reshaped(24, 1, 1) + shift.reshaped(24, 1, 1)
      return y.clamped(min: 0, max: 1.5)
    }
    let (first, second) = (Parameters(seed: 1), Parameters(seed: 2))
    let (one, two) = (first.tensors, second.tensors)
    let mixed = [one[0], one[1], two[2], one[3]]
    var third = first
    third.shift = second.shift
    let cases: [([Tensor], Parameters, Double)] = [
      (one, first, 1e-3), (one, first, 1e-3), (two, second, 1e-3), (two, second, 0.5),
      (two, second, 0.5), (mixed, third, 0.5), (one, first, 0.5), (first.tensors, first, 1e-3),
    ]
    for (number, (tensors, parameters, epsilon)) in cases.enumerated() {
      let found = network(tensors, epsilon).array(of: Float.self)
      let wanted = expected(images, parameters, Float(epsilon))
      let error = zip(found, wanted).map { abs($0 - $1) }.max() ?? 0
      #expect(error < 1e-3, "case \(number)")
    }
  }

  /// A sum over the pixels of a leaf that a convolution reads blocked.
  @Test func sumsOfLeavesThatAreConvolved() {
    let key = RandomKey(seed: 4)
    let x = Tensor.normal([3, 24, 7, 5], key: key).evaluate()
    let w = Tensor.normal([16, 24, 3, 3], key: key.folded(in: 1)).evaluate()
    let values = x.array(of: Float.self)
    let both = Tensor.concatenated(
      [x.sum(0, 2, 3), convolved(x, w).sum(0, 2, 3)], axis: 0
    ).array(of: Float.self)
    let wanted = (0..<24).map { c in
      values.indices.filter { $0 / 35 % 24 == c }.reduce(0.0) { $0 + Double(values[$1]) }
    }
    for c in 0..<24 { #expect(abs(Double(both[c]) - wanted[c]) < 1e-4) }
  }
}
