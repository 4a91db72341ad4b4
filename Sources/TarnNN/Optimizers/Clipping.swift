import TarnCore

extension TensorStructure {
  /// Scaled so that the length of all parameters together is at most `limit`; with the length before.
  ///
  /// ```swift
  /// let (clipped, norm) = gradient.clipped(toNorm: 1)
  /// ```
  public func clipped(toNorm limit: Double) -> (clipped: Self, norm: Tensor) {
    let norm = dot(self, self).sqrt()
    let scale = (limit / (norm + 1e-6)).minimum(1)
    return (mapTensors { $0 * scale.cast(to: $0.dtype) }, norm)
  }

  /// Each element brought into −limit…limit.
  public func clipped(toValue limit: Double) -> Self {
    mapTensors { $0.clamped(min: -limit, max: limit) }
  }
}
