// Reductions. Without axes they go over all of them; `keepDims` leaves reduced axes with length 1.
extension Tensor {
  /// The primitive over resolved axes, then without them unless they are to stay.
  private func reduced(_ kind: Reduction, _ axes: [Int], keepDims: Bool) -> Tensor {
    if axes.isEmpty { return self }
    var kept = shape
    for axis in axes { kept[axis] = 1 }
    let result = Tensor.record(.reduce(kind, axes: axes), self, kept, dtype)
    return keepDims ? result : .record(.reshape, result, shape.removing(at: axes), dtype)
  }

  /// How many elements go into one of the result.
  private func extent(_ axes: [Int]) -> Int { axes.reduce(1) { $0 * shape[$1] } }

  /// Sums of bools and integers are counted in `int64`.
  private var summable: Tensor { cast(to: dtype.isFloating ? dtype : .int64) }

  /// Σ x over `axes`, all of them for nil: they go, or stay with length 1 if `keepDims`. Bools and integers give `int64`.
  public func sum(axes: [Int]? = nil, keepDims: Bool = false) -> Tensor {
    guard let axes = resolve(axes, in: "sum") else { return summable }
    return summable.reduced(.sum, axes, keepDims: keepDims)
  }

  /// Π x over `axes`, see ``sum(axes:keepDims:)``. Bools and integers give `int64`.
  public func product(axes: [Int]? = nil, keepDims: Bool = false) -> Tensor {
    guard let axes = resolve(axes, in: "product") else { return summable }
    return summable.reduced(.product, axes, keepDims: keepDims)
  }

  /// Σ x / n. Bools and integers give `float32`; half types are summed in `float32`.
  public func mean(axes: [Int]? = nil, keepDims: Bool = false) -> Tensor {
    guard let axes = resolve(axes, in: "mean") else { return floating }
    let x = cast(to: dtype == .float64 ? .float64 : .float32)
    let mean = x.reduced(.sum, axes, keepDims: keepDims) / Double(extent(axes))
    return mean.cast(to: dtype.floating)
  }

  /// The largest element; NaN if any is. Equal ones share the derivative.
  public func max(axes: [Int]? = nil, keepDims: Bool = false) -> Tensor {
    extreme(.maximum, "max", axes, keepDims)
  }

  /// The smallest element; NaN if any is. Equal ones share the derivative.
  public func min(axes: [Int]? = nil, keepDims: Bool = false) -> Tensor {
    extreme(.minimum, "min", axes, keepDims)
  }

  private func extreme(
    _ kind: Reduction, _ name: String, _ axes: [Int]?, _ keepDims: Bool
  ) -> Tensor {
    guard let axes = resolve(axes, in: name) else { return self }
    if extent(axes) == 0 {
      return rejected(
        name, "no elements to choose from", as: keepDims ? shape : shape.removing(at: axes))
    }
    return reduced(kind, axes, keepDims: keepDims)
  }

  /// Whether any element is true (not 0); false of none.
  public func any(axes: [Int]? = nil, keepDims: Bool = false) -> Tensor {
    cast(to: .bool).quantified(.maximum, "any", ofNone: 0, axes, keepDims)
  }

  /// Whether every element is true (not 0); true of none.
  public func all(axes: [Int]? = nil, keepDims: Bool = false) -> Tensor {
    cast(to: .bool).quantified(.minimum, "all", ofNone: 1, axes, keepDims)
  }

  private func quantified(
    _ kind: Reduction, _ name: String, ofNone empty: Int, _ axes: [Int]?, _ keepDims: Bool
  ) -> Tensor {
    guard let axes = resolve(axes, in: name) else { return self }
    if extent(axes) > 0 { return reduced(kind, axes, keepDims: keepDims) }
    let kept = shape.indices.map { axes.contains($0) ? 1 : shape[$0] }
    return .full(
      keepDims ? kept : shape.removing(at: axes), .integer(Int64(empty)), dtype: .bool,
      device: device)
  }

  /// Σ (x − mean)² / n, or / (n − 1) if `unbiased`.
  public func variance(
    axes: [Int]? = nil, keepDims: Bool = false, unbiased: Bool = false
  ) -> Tensor {
    guard let axes = resolve(axes, in: "variance") else { return floating }
    let x = cast(to: dtype == .float64 ? .float64 : .float32)
    let squares = (x - x.mean(axes: axes, keepDims: true)).squared()
    let divisor = Double(extent(axes) - (unbiased ? 1 : 0))
    let variance = squares.sum(axes: axes, keepDims: keepDims) / divisor
    return variance.cast(to: dtype.floating)
  }

  /// The square root of ``variance(axes:keepDims:unbiased:)``.
  public func standardDeviation(
    axes: [Int]? = nil, keepDims: Bool = false, unbiased: Bool = false
  ) -> Tensor {
    variance(axes: axes, keepDims: keepDims, unbiased: unbiased).sqrt()
  }

  /// log Σ eˣ over `axes`, see ``sum(axes:keepDims:)``, without overflow.
  public func logSumExp(axes: [Int]? = nil, keepDims: Bool = false) -> Tensor {
    guard let axes = resolve(axes, in: "logSumExp") else { return floating }
    let x = floating
    let largest = stopGradient(x.extreme(.maximum, "logSumExp", axes, true))
    let peak = which(largest.isFinite(), largest, 0)
    let sum = (x - peak).exp().sum(axes: axes, keepDims: true).log() + peak
    return keepDims ? sum : .record(.reshape, sum, x.shape.removing(at: axes), x.dtype)
  }

  /// (Σ |x|ᵖ)^(1/p), p = `order`; the largest |x| for an infinite order.
  ///
  /// The derivative of the Euclidean norm (order 2) at 0 is taken as 0.
  public func norm(axes: [Int]? = nil, order: Double = 2, keepDims: Bool = false) -> Tensor {
    let x = floating
    switch order {
    case 1: return x.abs().sum(axes: axes, keepDims: keepDims)
    case .infinity: return x.abs().max(axes: axes, keepDims: keepDims)
    case 2:
      let squares = x.squared().sum(axes: axes, keepDims: keepDims)
      let isZero = squares .== 0
      return which(isZero, 0, which(isZero, 1, squares).sqrt())
    default:
      guard order > 0 else { return x.rejected("norm", "the order must be above 0, not \(order)") }
      return x.abs().pow(order).sum(axes: axes, keepDims: keepDims).pow(1 / order)
    }
  }
}

extension Tensor {
  /// Index (`int64`) of the first largest element along `axis`, or in row-major order of all.
  public func argMax(axis: Int? = nil, keepDims: Bool = false) -> Tensor {
    argReduced(.maximum, "argMax", axis, keepDims)
  }

  /// Index (`int64`) of the first smallest element along `axis`, or in row-major order of all.
  public func argMin(axis: Int? = nil, keepDims: Bool = false) -> Tensor {
    argReduced(.minimum, "argMin", axis, keepDims)
  }

  private func argReduced(
    _ kind: ArgReduction, _ name: String, _ axis: Int?, _ keepDims: Bool
  ) -> Tensor {
    guard let axis else {
      let flat = flattened().argReduced(kind, name, 0, false)
      return keepDims ? flat.reshaped([Int](repeating: 1, count: rank)) : flat
    }
    guard let axis = resolve(axis, in: name) else { return filled(.integer(0), dtype: .int64) }
    var kept = shape
    kept[axis] = 1
    if shape[axis] == 0 {
      return rejected(name, "no elements to choose from", as: kept.removing(at: [axis]), .int64)
    }
    let index = Tensor.record(.argReduce(kind, axis: axis), self, kept, .int64)
    return keepDims ? index : .record(.reshape, index, shape.removing(at: [axis]), .int64)
  }

  /// x₀, x₀ + x₁, … along `axis`. Bools and integers give `int64`.
  public func cumulativeSum(axis: Int = -1) -> Tensor {
    let x = summable
    guard let axis = resolve(axis, in: "cumulativeSum") else { return x }
    return .record(.cumulativeSum(axis: axis, reverse: false), x, x.shape, x.dtype)
  }
}
