import Tarn
import Testing

/// Reductions of [n, block, h, w, lane] over everything but block and lane, whose elements follow one another in memory
/// although kept and reduced axes do not merge.
@Suite struct BlockedReductionTests {
  static let shapes = [
    [2, 3, 14, 14, 16], [1, 2, 7, 1, 16], [5, 1, 1, 1, 16], [3, 2, 3, 40, 8], [2, 2, 33, 5, 4],
    [4, 3, 1, 70, 1],
  ]

  /// Whole numbers, whose sums are exact.
  private func image(_ shape: [Int]) -> [Int] {
    (0..<shape.reduce(1, *)).map { ($0 &* 7919 &+ $0 / 11) % 23 - 11 }
  }

  private func reduced(_ values: [Int], _ shape: [Int], _ combine: (Int, Int) -> Int) -> [Int] {
    let (blocks, pixels, lanes) = (shape[1], shape[2] * shape[3], shape[4])
    return (0..<(blocks * lanes)).map { place in
      let elements = (0..<(shape[0] * pixels)).map { index in
        let (image, pixel) = (index / pixels, index % pixels)
        return values[((image * blocks + place / lanes) * pixels + pixel) * lanes + place % lanes]
      }
      return elements.dropFirst().reduce(elements[0], combine)
    }
  }

  @Test(arguments: shapes, [DType.float32, .float64, .int32, .int64])
  func agreeWithLoops(_ shape: [Int], _ dtype: DType) {
    let values = image(shape)
    let x = Tensor(values.map(Double.init)).reshaped(shape).cast(to: dtype).evaluate()
    func numbers(_ tensor: Tensor) -> [Int] {
      tensor.flattened().cast(to: .float64).array(of: Double.self).map(Int.init)
    }
    #expect(numbers(x.sum(0, 2, 3)) == reduced(values, shape, +))
    #expect(numbers(x.max(0, 2, 3)) == reduced(values, shape, max))
    #expect(numbers(x.min(0, 2, 3)) == reduced(values, shape, min))
  }

  @Test func notANumberStays() {
    var values = image([2, 2, 6, 6, 16]).map(Float.init)
    values[40] = .nan
    let sums = Tensor(values).reshaped(2, 2, 6, 6, 16).evaluate().sum(0, 2, 3).flattened()
    #expect(
      sums.array(of: Float.self).indices.filter { sums.array(of: Float.self)[$0].isNaN } == [8])
  }

  /// A sum over the pixels of a leaf that a convolution reads blocked.
  @Test func sumsOfLeavesThatAreConvolved() {
    let key = RandomKey(seed: 4)
    let x = Tensor.normal([3, 24, 7, 5], key: key).evaluate()
    let w = Tensor.normal([16, 24, 3, 3], key: key.folded(in: 1)).evaluate()
    let values = x.array(of: Float.self)
    let y = x.convolved(w, strides: [1, 1], padding: [(1, 1), (1, 1)], dilations: [1, 1])
    let both = Tensor.concatenated([x.sum(0, 2, 3), y.sum(0, 2, 3)], axis: 0).array(of: Float.self)
    let wanted = (0..<24).map { c in
      values.indices.filter { $0 / 35 % 24 == c }.reduce(0.0) { $0 + Double(values[$1]) }
    }
    for c in 0..<24 { #expect(abs(Double(both[c]) - wanted[c]) < 1e-4) }
  }
}
