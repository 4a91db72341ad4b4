/// Sliding windows over the spatial axes, the last `size.count`. `windowSum` and `windowSpread` are
/// each other's adjoint; the largest element is found by index, and its value taken by `take`.
extension Rule {
  static let windowSum = Rule.linear(
    vjp: { op, x, _, g in
      guard case .windowSum(let window) = op else { return [nil] }
      return [Tensor.record(.windowSpread(window), g, x[0].shape, g.dtype)]
    },
    batch: foldedIntoExamples,
    reference: { op, x, shape, dtype in
      guard case .windowSum(let window) = op else { return x[0] }
      let overlaps = window.overlaps(unpooled: x[0].shape, pooled: shape)
      return summed(x[0], shape, dtype, overlaps.map { (from: $0.unpooled, to: $0.pooled) })
    })

  static let windowSpread = Rule.linear(
    vjp: { op, x, _, g in
      guard case .windowSpread(let window) = op else { return [nil] }
      return [Tensor.record(.windowSum(window), g, x[0].shape, g.dtype)]
    },
    batch: foldedIntoExamples,
    reference: { op, x, shape, dtype in
      guard case .windowSpread(let window) = op else { return x[0] }
      let overlaps = window.overlaps(unpooled: shape, pooled: x[0].shape)
      return summed(x[0], shape, dtype, overlaps.map { (from: $0.pooled, to: $0.unpooled) })
    })

  /// NaN is the largest; of equals the first counts. 0 where a window holds padding alone.
  static let windowArgMax = Rule.constant(
    batch: { op, x, batched, count, shape, dtype in
      Tensor.record(
        op, x[0].reshaped(mergingFront(x[0].shape)), mergingFront([count] + shape), dtype
      ).reshaped([count] + shape)
    },
    reference: { op, x, shape, dtype in
      guard case .windowArgMax(let window) = op else { return x[0] }
      let plane = x[0].shape.suffix(window.size.count).reduce(1, *)
      let pooledPlane = shape.suffix(window.size.count).reduce(1, *)
      let overlaps = window.overlaps(
        unpooled: Array(x[0].shape.suffix(window.size.count)),
        pooled: Array(shape.suffix(window.size.count)))
      func winners<Number>(_ x: [Number], _ exceeds: (Number, Number) -> Bool) -> [Int64] {
        var best = [Int?](repeating: nil, count: shape.product)
        for start in 0..<(pooledPlane == 0 ? 0 : shape.product / pooledPlane) {
          for (from, to) in overlaps {
            let place = start * pooledPlane + to
            if let held = best[place], !exceeds(x[start * plane + from], x[start * plane + held]) {
              continue
            }
            best[place] = from
          }
        }
        return best.map { Int64($0 ?? 0) }
      }
      let result =
        switch x[0].values {
        case .reals(let x): winners(x) { $1.isNaN ? false : $0.isNaN || $0 > $1 }
        case .integers(let x): winners(x, >)
        }
      return HostArray(shape: shape, dtype: dtype, integers: result)
    })

  private static let foldedIntoExamples: Batch = { op, x, _, count, shape, dtype in
    Tensor.record(
      op, x[0].reshaped(mergingFront(x[0].shape)), mergingFront([count] + shape), dtype
    ).reshaped([count] + shape)
  }

  /// [a, b, …] → [a · b, …]
  private static func mergingFront(_ shape: [Int]) -> [Int] {
    [shape[0] * shape[1]] + shape.dropFirst(2)
  }

  private static func summed(
    _ x: HostArray, _ shape: [Int], _ dtype: DType, _ pairs: [(from: Int, to: Int)]
  ) -> HostArray {
    switch x.values {
    case .reals(let x):
      var sums = [Double](repeating: 0, count: shape.product)
      for (from, to) in pairs { sums[to] += x[from] }
      return HostArray(shape: shape, dtype: dtype, reals: sums)
    case .integers(let x):
      var sums = [Int64](repeating: 0, count: shape.product)
      for (from, to) in pairs { sums[to] &+= x[from] }
      return HostArray(shape: shape, dtype: dtype, integers: sums)
    }
  }
}

extension Window {
  /// The flat places of every element and every window that holds it, by window and within it in
  /// row-major order.
  fileprivate func overlaps(unpooled: [Int], pooled: [Int]) -> [(unpooled: Int, pooled: Int)] {
    let front = unpooled.count - size.count
    let (unpooledStrides, pooledStrides) = (unpooled.rowMajorStrides, pooled.rowMajorStrides)
    var overlaps: [(unpooled: Int, pooled: Int)] = []
    (pooled + size).forEachIndex { index in
      var pair = (unpooled: 0, pooled: 0)
      for axis in 0..<front {
        pair.unpooled += index[axis] * unpooledStrides[axis]
        pair.pooled += index[axis] * pooledStrides[axis]
      }
      for axis in size.indices {
        let (t, k) = (index[front + axis], index[pooled.count + axis])
        let s = t * strides[axis] + k * dilations[axis] - low[axis]
        guard (0..<unpooled[front + axis]).contains(s) else { return }
        pair.unpooled += s * unpooledStrides[front + axis]
        pair.pooled += t * pooledStrides[front + axis]
      }
      overlaps.append(pair)
    }
    return overlaps
  }
}
