import Foundation
import Tarn
import TarnCore
import Testing

/// A small chain of image layers and what it is fed.
private struct Case: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let shapes: [[Int]]
  let function: @Sendable ([Tensor]) -> Tensor

  init(_ name: String, _ shapes: [[Int]], _ function: @escaping @Sendable ([Tensor]) -> Tensor) {
    (testDescription, self.shapes, self.function) = (name, shapes, function)
  }
}

private func same(_ x: Tensor, _ w: Tensor, strides: Int = 1, groups: Int = 1) -> Tensor {
  let half = w.shape[2] / 2
  return x.convolved(
    w, strides: [strides, strides], padding: [(half, half), (half, half)], groups: groups)
}

private func perChannel(_ x: Tensor) -> Tensor { x.reshaped([-1, 1, 1]) }

private let cases: [Case] = [
  Case("one convolution", [[2, 32, 7, 9], [48, 32, 3, 3]]) { same($0[0], $0[1]) },
  Case("channels that fill no block", [[2, 24, 6, 5], [40, 24, 1, 1], [24, 40, 3, 3]]) {
    same(same($0[0], $0[1]).relu(), $0[2])
  },
  Case("stem, normalisation, pooling", [[2, 3, 17, 15], [32, 3, 7, 7], [32], [32]]) {
    let y = same($0[0], $0[1], strides: 2)
    let normal = y.batchNormalized(
      y.channelMoments(), scale: $0[2], shift: $0[3], epsilon: 1e-5)
    return normal.relu().maxPooled([3, 3], strides: [2, 2], padding: [(1, 1), (1, 1)])
  },
  Case(
    "residual block with scale and shift",
    [[1, 32, 6, 6], [32, 32, 3, 3], [32], [32], [32, 32, 3, 3], [32]]
  ) {
    let y = (same($0[0], $0[1]) * perChannel($0[2]) + perChannel($0[3])).relu()
    return (same(y, $0[4]) + perChannel($0[5]) + $0[0]).relu()
  },
  Case("bias, then scale", [[2, 16, 5, 5], [16, 16, 3, 3], [16], [16], [16]]) {
    (same($0[0], $0[1]) + perChannel($0[2])) * perChannel($0[3]) + perChannel($0[4])
  },
  Case("depthwise, clip and SiLU", [[2, 48, 8, 8], [48, 1, 3, 3], [48], [32, 48, 1, 1], [32]]) {
    let y = (same($0[0], $0[1], groups: 48) + perChannel($0[2])).clamped(min: 0, max: 0.7)
    return (same(y, $0[3]) + perChannel($0[4])).silu()
  },
  Case("strides", [[2, 16, 9, 9], [32, 16, 3, 3], [32, 16, 1, 1]]) {
    same($0[0], $0[1], strides: 2) + same($0[0], $0[2], strides: 2)
  },
  Case("joined branches", [[1, 32, 6, 6], [16, 32, 1, 1], [32, 32, 3, 3], [8, 32, 1, 1]]) {
    Tensor.concatenated(
      [
        same($0[0], $0[1]).relu(), same($0[0], $0[2]),
        same($0[0].maxPooled([3, 3], strides: [1, 1], padding: [(1, 1), (1, 1)]), $0[3]),
      ], axis: 1)
  },
  Case(
    "joined branches read again",
    [[2, 16, 5, 5], [16, 16, 1, 1], [32, 16, 1, 1], [16, 48, 3, 3]]
  ) {
    same(Tensor.concatenated([same($0[0], $0[1]), same($0[0], $0[2])], axis: 1).relu(), $0[3])
  },
  Case("mean pooling to features", [[2, 16, 6, 6], [32, 16, 3, 3], [5, 32]]) {
    let y = same($0[0], $0[1]).relu().averagePooled([2, 2])
    return y.mean(axes: [2, 3]).matmul($0[2].transposed())
  },
  Case("flattened", [[2, 16, 4, 4], [16, 16, 3, 3], [5, 64]]) {
    same($0[0], $0[1]).relu().maxPooled([2, 2]).flattened(from: 1).matmul($0[2].transposed())
  },
  Case("gate per example and channel", [[2, 32, 5, 5], [32, 32, 3, 3]]) {
    let y = same($0[0], $0[1])
    return y * y.mean(axes: [2, 3], keepDims: true).sigmoid()
  },
  Case("dilated and lopsided", [[2, 16, 9, 8], [24, 16, 3, 2]]) {
    $0[0].convolved(
      $0[1], strides: [1, 2], padding: [(2, 1), (0, 1)], dilations: [2, 1])
  },
  Case("groups of blocks", [[1, 32, 6, 6], [64, 16, 3, 3]]) { same($0[0], $0[1], groups: 2) },
  Case("one row", [[1, 16, 1, 33], [16, 16, 1, 5]]) {
    $0[0].convolved($0[1], padding: [(0, 0), (2, 2)])
  },
]

@Suite struct BlockedLayoutTests {
  /// The same numbers on every device.
  private func inputs(_ item: Case) -> [Tensor] {
    item.shapes.enumerated().map { index, shape in
      let count = shape.product
      let values = (0..<count).map { (i: Int) -> Float in
        let angle = Double(i * 7 + index * 3) * 0.37
        return Float(sin(angle) * 0.5)
      }
      return Tensor(values, shape: shape)
    }
  }

  private func results(_ item: Case) -> [Tensor] {
    let x = inputs(item)
    let y = item.function(x)
    let weights = Tensor(
      (0..<y.count).map { (i: Int) -> Float in Float(cos(Double(i) * 0.91)) }, shape: y.shape)
    let gradients = grad({ (x: [Tensor]) in (item.function(x) * weights).sum() }, at: x)
    return [y] + gradients
  }

  @Test(arguments: cases) private func agreesWithReference(_ item: Case) throws {
    let (fast, slow) = (
      Device.with(.cpu) { results(item) }, Device.with(.reference) { results(item) }
    )
    for (index, (a, b)) in zip(fast, slow).enumerated() {
      #expect(a.shape == b.shape)
      let (a, b) = (a.array(of: Double.self), b.array(of: Double.self))
      let scale = b.map(abs).max() ?? 0
      let error = zip(a, b).map { abs($0 - $1) }.max() ?? 0
      #expect(error <= 5e-5 * max(scale, 1), "result \(index): \(error) of \(scale)")
    }
  }

  @Test(arguments: cases) private func runsAgainFromKeptLayouts(_ item: Case) {
    let x = inputs(item)
    let once = item.function(x).array(of: Float.self)
    #expect(item.function(x).array(of: Float.self) == once)
  }

  @Test(arguments: cases) private func agreesWithCompiled(_ item: Case) {
    let x = inputs(item)
    let function = item.function
    let compiled = compile { (x: [Tensor]) in function(x) }
    #expect(compiled(x).array(of: Float.self) == function(x).array(of: Float.self))
  }
}
