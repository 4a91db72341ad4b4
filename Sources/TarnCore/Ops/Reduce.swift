extension Rule {
  /// `combine` over the reduced axes, in index order.
  private static func reference(
    real: @escaping @Sendable (Double, Double) -> Double, realStart: Double?,
    integer: @escaping @Sendable (Int64, Int64) -> Int64, integerStart: Int64?
  ) -> Reference {
    { op, x, shape, dtype in
      let strides = shape.rowMajorStrides
      func fold<T>(_ values: [T], _ start: T?, _ combine: (T, T) -> T, _ empty: T) -> [T] {
        var totals = [T?](repeating: start, count: shape.product)
        var next = 0
        x[0].shape.forEachIndex { index in
          let place = index.indices.reduce(0) {
            $0 + (shape[$1] == 1 ? 0 : index[$1] * strides[$1])
          }
          totals[place] = totals[place].map { combine($0, values[next]) } ?? values[next]
          next += 1
        }
        return totals.map { $0 ?? empty }
      }
      if x[0].dtype.isFloating {
        return HostArray(shape: shape, dtype: dtype, reals: fold(x[0].reals, realStart, real, .nan))
      }
      return HostArray(
        shape: shape, dtype: dtype, integers: fold(x[0].integers, integerStart, integer, 0))
    }
  }

  private static let batch: Batch = { op, x, _, size, shape, dtype in
    guard case .reduce(let kind, let axes) = op else { return x[0] }
    return Tensor.record(.reduce(kind, axes: axes.map { $0 + 1 }), x[0], [size] + shape, dtype)
  }

  static let sum = Rule.linear(
    vjp: { _, x, _, g in [Tensor.record(.broadcast, g, x[0].shape, g.dtype)] },
    batch: batch,
    reference: reference(real: { $0 + $1 }, realStart: 0, integer: { $0 &+ $1 }, integerStart: 0))

  /// Share of each element in the derivative of an extremum: equal among the elements that attain it.
  private static func shares(_ x: Tensor, _ y: Tensor, _ axes: [Int]) -> Tensor {
    let attained = (x .== Tensor.record(.broadcast, y, x.shape, y.dtype)).cast(to: x.dtype)
    let count = Tensor.record(.reduce(.sum, axes: axes), attained, y.shape, y.dtype)
    return attained / Tensor.record(.broadcast, count, x.shape, y.dtype)
  }

  private static func extremum(_ reference: @escaping Reference) -> Rule {
    Rule(
      vjp: { op, x, y, g in
        guard case .reduce(_, let axes) = op else { return [nil] }
        return [shares(x[0], y, axes) * Tensor.record(.broadcast, g, x[0].shape, g.dtype)]
      },
      jvp: { op, x, y, t in
        guard case .reduce(_, let axes) = op, let t = t[0] else { return nil }
        return Tensor.record(.reduce(.sum, axes: axes), shares(x[0], y, axes) * t, y.shape, y.dtype)
      },
      batch: batch, reference: reference)
  }

  fileprivate static let maximumReduction = extremum(
    reference(
      real: { $0.isNaN || $1.isNaN ? .nan : max($0, $1) }, realStart: nil, integer: { max($0, $1) },
      integerStart: nil))

  fileprivate static let minimumReduction = extremum(
    reference(
      real: { $0.isNaN || $1.isNaN ? .nan : min($0, $1) }, realStart: nil, integer: { min($0, $1) },
      integerStart: nil))

  fileprivate static let productReduction = Rule(
    vjp: { op, x, y, g in
      guard case .reduce(_, let axes) = op, y.count > 0, x[0].count > 0 else { return [nil] }
      return [productGradient(x[0], axes, g)]
    },
    jvp: { op, x, _, t in
      guard case .reduce(_, let axes) = op, let t = t[0], x[0].count > 0 else { return nil }
      return productTangent(x[0], axes, t)
    },
    batch: batch,
    reference: reference(real: { $0 * $1 }, realStart: 1, integer: { $0 &* $1 }, integerStart: 1))
}

/// The product as a tree of multiplications, whose derivatives are right at zeros too, at any order.
private func productTree(_ x: Tensor, _ axes: [Int]) -> Tensor {
  axes.reduce(x) { x, axis in
    var x = x
    while x.shape[axis] > 1 {
      let count = x.shape[axis]
      let half = count / 2
      let product = x.sliced(axis, 0, half) * x.sliced(axis, half, 2 * half)
      x =
        count % 2 == 0
        ? product : .concatenated([product, x.sliced(axis, count - 1, count)], axis: axis)
    }
    return x
  }
}

private func productGradient(_ x: Tensor, _ axes: [Int], _ g: Tensor) -> Tensor {
  vjp({ productTree($0, axes) }, at: x).pullback(g)
}

private func productTangent(_ x: Tensor, _ axes: [Int], _ t: Tensor) -> Tensor {
  jvp({ productTree($0, axes) }, at: x, along: t).tangent
}

extension Reduction {
  package var rule: Rule {
    switch self {
    case .sum: .sum
    case .product: .productReduction
    case .maximum: .maximumReduction
    case .minimum: .minimumReduction
    }
  }
}

extension Tensor {
  /// Elements `start..<stop` of one axis.
  package func sliced(_ axis: Int, _ start: Int, _ stop: Int) -> Tensor {
    var ranges = shape.map { Stride(0, $0) }
    ranges[axis] = Stride(start, stop)
    return Tensor.record(.slice(ranges), self, ranges.map(\.count), dtype)
  }

  /// The same number everywhere, in the shape, type and place of `x`.
  package static func full(like x: Tensor, _ value: Double) -> Tensor {
    Tensor(
      Node(
        .full(.real(value)), nil, nil, shape: x.shape, dtype: x.dtype, device: x.device, trace: nil)
    )
  }
}
