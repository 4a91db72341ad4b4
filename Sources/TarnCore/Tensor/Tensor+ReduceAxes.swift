// The same reductions with their axes written out: `x.sum(0, 2)`, `x.mean(-1, keepDims: true)`, `x.max(axis: 1)`.
extension Tensor {
  /// Σ x along these axes: `x.sum(0, 2)`.
  public func sum(_ axis: Int, _ more: Int..., keepDims: Bool = false) -> Tensor {
    sum(axes: [axis] + more, keepDims: keepDims)
  }

  /// Σ x along one axis.
  public func sum(axis: Int, keepDims: Bool = false) -> Tensor {
    sum(axes: [axis], keepDims: keepDims)
  }

  /// Π x along these axes.
  public func product(_ axis: Int, _ more: Int..., keepDims: Bool = false) -> Tensor {
    product(axes: [axis] + more, keepDims: keepDims)
  }

  /// Π x along one axis.
  public func product(axis: Int, keepDims: Bool = false) -> Tensor {
    product(axes: [axis], keepDims: keepDims)
  }

  /// Σ x / n along these axes: `x.mean(-1)`.
  public func mean(_ axis: Int, _ more: Int..., keepDims: Bool = false) -> Tensor {
    mean(axes: [axis] + more, keepDims: keepDims)
  }

  /// Σ x / n along one axis.
  public func mean(axis: Int, keepDims: Bool = false) -> Tensor {
    mean(axes: [axis], keepDims: keepDims)
  }

  /// The largest element along these axes.
  public func max(_ axis: Int, _ more: Int..., keepDims: Bool = false) -> Tensor {
    max(axes: [axis] + more, keepDims: keepDims)
  }

  /// The largest element along one axis.
  public func max(axis: Int, keepDims: Bool = false) -> Tensor {
    max(axes: [axis], keepDims: keepDims)
  }

  /// The smallest element along these axes.
  public func min(_ axis: Int, _ more: Int..., keepDims: Bool = false) -> Tensor {
    min(axes: [axis] + more, keepDims: keepDims)
  }

  /// The smallest element along one axis.
  public func min(axis: Int, keepDims: Bool = false) -> Tensor {
    min(axes: [axis], keepDims: keepDims)
  }

  /// Whether any element along these axes is true (not 0).
  public func any(_ axis: Int, _ more: Int..., keepDims: Bool = false) -> Tensor {
    any(axes: [axis] + more, keepDims: keepDims)
  }

  /// Whether any element along one axis is true (not 0).
  public func any(axis: Int, keepDims: Bool = false) -> Tensor {
    any(axes: [axis], keepDims: keepDims)
  }

  /// Whether every element along these axes is true (not 0).
  public func all(_ axis: Int, _ more: Int..., keepDims: Bool = false) -> Tensor {
    all(axes: [axis] + more, keepDims: keepDims)
  }

  /// Whether every element along one axis is true (not 0).
  public func all(axis: Int, keepDims: Bool = false) -> Tensor {
    all(axes: [axis], keepDims: keepDims)
  }

  /// Σ (x − mean)² / n along these axes, or / (n − 1) if `unbiased`.
  public func variance(_ axis: Int, _ more: Int..., keepDims: Bool = false, unbiased: Bool = false)
    -> Tensor
  {
    variance(axes: [axis] + more, keepDims: keepDims, unbiased: unbiased)
  }

  /// Σ (x − mean)² / n along one axis, or / (n − 1) if `unbiased`.
  public func variance(axis: Int, keepDims: Bool = false, unbiased: Bool = false) -> Tensor {
    variance(axes: [axis], keepDims: keepDims, unbiased: unbiased)
  }

  /// The square root of the variance along these axes.
  public func standardDeviation(
    _ axis: Int, _ more: Int..., keepDims: Bool = false, unbiased: Bool = false
  ) -> Tensor {
    standardDeviation(axes: [axis] + more, keepDims: keepDims, unbiased: unbiased)
  }

  /// The square root of the variance along one axis.
  public func standardDeviation(axis: Int, keepDims: Bool = false, unbiased: Bool = false) -> Tensor
  {
    standardDeviation(axes: [axis], keepDims: keepDims, unbiased: unbiased)
  }

  /// log Σ eˣ along these axes, without overflow.
  public func logSumExp(_ axis: Int, _ more: Int..., keepDims: Bool = false) -> Tensor {
    logSumExp(axes: [axis] + more, keepDims: keepDims)
  }

  /// log Σ eˣ along one axis, without overflow.
  public func logSumExp(axis: Int, keepDims: Bool = false) -> Tensor {
    logSumExp(axes: [axis], keepDims: keepDims)
  }

  /// √ Σ x² along these axes.
  public func norm(_ axis: Int, _ more: Int..., keepDims: Bool = false) -> Tensor {
    norm(axes: [axis] + more, keepDims: keepDims)
  }

  /// √ Σ x² along one axis.
  public func norm(axis: Int, keepDims: Bool = false) -> Tensor {
    norm(axes: [axis], keepDims: keepDims)
  }
}
