extension Tensor {
  /// The order (int64, this shape) that sorts each line along `axis`. Equal elements keep their
  /// order; NaN counts as the largest.
  ///
  /// ```swift
  /// Tensor([3, 1, 2] as [Float]).argSort()       // 1, 2, 0
  /// ```
  public func argSort(axis: Int = -1, descending: Bool = false) -> Tensor {
    guard let axis = resolve(axis, in: "argSort") else { return .zeros(shape, dtype: .int64) }
    return Tensor.record(.argsort(axis: axis, descending: descending), self, shape, .int64)
  }

  /// The elements in ascending, or descending, order along `axis`.
  public func sorted(axis: Int = -1, descending: Bool = false) -> Tensor {
    guard let axis = resolve(axis, in: "sorted") else { return self }
    return takeAlong(argSort(axis: axis, descending: descending), axis: axis)
  }

  /// The `k` largest elements along `axis`, largest first, and where they stand (int64).
  ///
  /// ```swift
  /// let (scores, classes) = logits.softmax().topK(5)
  /// ```
  public func topK(_ k: Int, axis: Int = -1) -> (values: Tensor, indices: Tensor) {
    guard let axis = resolve(axis, in: "topK") else { return (self, .zeros(shape, dtype: .int64)) }
    guard (0...shape[axis]).contains(k) else {
      let problem = rejected(
        "topK", "cannot take \(k) of \(shape[axis]) elements",
        ["tensor \(shape)", "axis   \(axis)"])
      return (problem, .zeros(shape, dtype: .int64))
    }
    let indices = argSort(axis: axis, descending: true).sliced(axis, 0, k)
    return (takeAlong(indices, axis: axis), indices)
  }
}
