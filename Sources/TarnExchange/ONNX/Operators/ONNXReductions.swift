import TarnCore

/// Sums, extremes and their like over axes.
extension ONNXOperators {
  static let reductions: [ONNXOperator] = [
    reduction("ReduceSum", [1, 11, 13]) { $0.sum(axes: $1, keepDims: true).cast(to: $0.dtype) },
    reduction("ReduceMean", [1, 11, 13, 18]) {
      $0.mean(axes: $1, keepDims: true).cast(to: $0.dtype)
    },
    reduction("ReduceProd", [1, 11, 13, 18]) {
      $0.product(axes: $1, keepDims: true).cast(to: $0.dtype)
    },
    reduction("ReduceMax", [1, 11, 12, 13, 18, 20]) { $0.extreme($1, isLargest: true) },
    reduction("ReduceMin", [1, 11, 12, 13, 18, 20]) { $0.extreme($1, isLargest: false) },
    reduction("ReduceL1", [1, 11, 13, 18]) { $0.abs().sum(axes: $1, keepDims: true) },
    reduction("ReduceL2", [1, 11, 13, 18]) { x, axes in
      (x * x).sum(axes: axes, keepDims: true).sqrt().cast(to: x.dtype)
    },
    reduction("ReduceSumSquare", [1, 11, 13, 18]) { ($0 * $0).sum(axes: $1, keepDims: true) },
    reduction("ReduceLogSum", [1, 11, 13, 18]) { $0.sum(axes: $1, keepDims: true).log() },
    reduction("ReduceLogSumExp", [1, 11, 13, 18]) { x, axes in
      if x.count == 0 { return x.exp().sum(axes: axes, keepDims: true).log() }
      return x.logSumExp(axes: axes, keepDims: true)
    },
    ONNXOperator("ArgMax", [1, 11, 12, 13]) { try arg($0) { $0.argMax(axis: $1, keepDims: true) } },
    ONNXOperator("ArgMin", [1, 11, 12, 13]) { try arg($0) { $0.argMin(axis: $1, keepDims: true) } },
  ]

  /// A reduction that is given axes and keeps them with length 1.
  private static func reduction(
    _ name: String, _ versions: [Int], _ body: @escaping @Sendable (Tensor, [Int]) -> Tensor
  ) -> ONNXOperator {
    ONNXOperator(name, versions) { call in
      let x = try call.tensor(0)
      let named = try call.ints("axes") ?? call.hostInts(1) ?? []
      if try named.isEmpty && call.flag("noop_with_empty_axes", false) { return x }
      let axes = try named.isEmpty ? Array(0..<x.rank) : call.axes(named, x.rank).sorted()
      let result = axes.isEmpty ? body(x.reshaped([1]), [0]).reshaped([]) : body(x, axes)
      if try call.flag("keepdims", true) { return result }
      return axes.isEmpty ? result : result.reshaped(x.shape.removing(at: axes))
    }
  }

  private static func arg(_ call: ONNXCall, _ body: (Tensor, Int) -> Tensor) throws -> Tensor {
    let x = try call.tensor(0)
    let axis = try call.axis(call.int("axis", 0), x.rank)
    try call.require(x.shape[axis] > 0, "the axis \(axis) of \(x.shape) is empty")
    var result = body(x, axis)
    if try call.flag("select_last_index", false) {
      result = x.shape[axis] - 1 - body(x.flipped(axis), axis)
    }
    return try call.flag("keepdims", true) ? result : result.squeezed(axis)
  }
}

extension Tensor {
  /// The largest or smallest elements; of none the other end of the type.
  fileprivate func extreme(_ axes: [Int], isLargest: Bool) -> Tensor {
    if dtype == .bool {
      return isLargest ? any(axes: axes, keepDims: true) : all(axes: axes, keepDims: true)
    }
    if axes.contains(where: { shape[$0] == 0 }) {
      var shape = shape
      for axis in axes { shape[axis] = 1 }
      let end = isLargest ? -Double.infinity : Double.infinity
      return .full(shape, .real(end), dtype: dtype, device: device)
    }
    return isLargest ? max(axes: axes, keepDims: true) : min(axes: axes, keepDims: true)
  }
}
