extension Tensor {
  /// This as it is if its type is floating, else as `float32`: what functions of a real variable work on.
  package var floating: Tensor { cast(to: dtype.floating) }

  /// Reports a mistake made with this tensor, and gives zeros so that work can go on.
  package func rejected(
    _ operation: String, _ reason: String, _ facts: [String]? = nil, hint: String? = nil,
    as shape: [Int]? = nil, _ dtype: DType? = nil
  ) -> Tensor {
    Diagnostic.report(
      Diagnostic(
        operation: operation, reason: reason, facts: facts ?? ["tensor \(self.shape)"], hint: hint),
      poison: shape ?? self.shape, dtype ?? self.dtype)
  }

  /// The axis counted from the front; nil, after a report, if there is no such axis.
  package func resolve(_ axis: Int, in operation: String) -> Int? {
    resolve(axis, rank: rank, in: operation)
  }

  /// As ``resolve(_:in:)``, for an axis of a tensor that has `rank` axes.
  package func resolve(_ axis: Int, rank: Int, in operation: String) -> Int? {
    let resolved = axis < 0 ? axis + rank : axis
    if resolved >= 0 && resolved < rank { return resolved }
    Diagnostic.report(
      Diagnostic(
        operation: operation, reason: "there is no axis \(axis)", facts: ["tensor \(shape)"],
        hint: Hint.axes(rank)))
    return nil
  }

  /// The axes counted from the front, ascending, all of them for nil; nil, after a report, if one is wrong.
  package func resolve(_ axes: [Int]?, in operation: String) -> [Int]? {
    guard let axes else { return Array(0..<rank) }
    var resolved: [Int] = []
    for axis in axes {
      guard let axis = resolve(axis, in: operation) else { return nil }
      if resolved.contains(axis) {
        Diagnostic.report(
          Diagnostic(
            operation: operation, reason: "axis \(axis) is named twice",
            facts: ["tensor \(shape)", "axes   \(axes)"]))
        return nil
      }
      resolved.append(axis)
    }
    return resolved.sorted()
  }
}

extension Scalar {
  /// The same number as an element of `dtype` would be written.
  package func canonical(_ dtype: DType) -> Scalar {
    if dtype.isFloating { return .real(double) }
    return dtype == .bool ? .integer(double == 0 ? 0 : 1) : .integer(int64)
  }
}

extension Array where Element == Int {
  /// Number of elements; nil if it does not fit an `Int` or a length is negative.
  package var checkedProduct: Int? {
    var result = 1
    for length in self {
      if length < 0 { return nil }
      let (product, overflow) = result.multipliedReportingOverflow(by: length)
      if overflow { return nil }
      result = product
    }
    return result
  }

  /// This with `elements` in place of the one at `index`.
  package func replacing(at index: Int, with elements: [Int]) -> [Int] {
    Array(self[..<index]) + elements + Array(self[(index + 1)...])
  }

  /// This without the elements at these places.
  package func removing(at places: [Int]) -> [Int] {
    indices.filter { !places.contains($0) }.map { self[$0] }
  }
}
