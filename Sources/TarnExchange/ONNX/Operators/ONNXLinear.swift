import TarnCore

/// Products.
extension ONNXOperators {
  static let linear: [ONNXOperator] = [
    .pair("MatMul", [1, 9, 13]) { $0.matmul($1).cast(to: $0.dtype) },
    ONNXOperator("Gemm", [6, 7, 9, 11, 13], gemm),
    ONNXOperator("Einsum", [12]) { call in
      let equation = try call.string("equation", "")
      try call.require(equation.utf8.count < 1 << 10, "its equation is too long")
      return einsum(equation, of: try call.tensors())
    },
    ONNXOperator("MatMulInteger", [10]) { call in
      let a = try call.shifted(0, zeroPoint: 2, along: -2)
      let b = try call.shifted(1, zeroPoint: 3, along: -1)
      return a.matmul(b)
    },
  ]

  /// α A B + β C, either transposed.
  private static func gemm(_ call: ONNXCall) throws -> Tensor {
    let (a, b) = (try call.tensor(0), try call.tensor(1))
    try call.require(a.rank == 2 && b.rank == 2, "\(a.shape) and \(b.shape) are not two matrices")
    let left = try call.flag("transA", false) ? a.transposed() : a
    let (alpha, beta) = (try call.float("alpha", 1), try call.float("beta", 1))
    var y = left.matmul(b, transposed: try call.flag("transB", false))
    if alpha != 1 { y = (y * alpha).cast(to: a.dtype) }
    guard let c = call.optional(2), beta != 0 else { return y }
    try call.require(
      c.shape.broadcast(with: y.shape) == y.shape, "\(c.shape) does not stretch to \(y.shape)")
    return y + (beta == 1 ? c : (c * beta).cast(to: a.dtype))
  }
}

extension ONNXCall {
  /// An integer tensor less its zero point as int32. A vector of zero points goes along `axis`.
  func shifted(_ i: Int, zeroPoint place: Int, along axis: Int) throws -> Tensor {
    let x = try tensor(i).cast(to: .int32)
    guard let zero = optional(place)?.cast(to: .int32) else { return x }
    if zero.count == 1 { return x - zero.reshaped([]) }
    if zero.rank > 1 { return x - zero }
    var shape = [Int](repeating: 1, count: x.rank)
    let axis = try self.axis(axis, x.rank)
    shape[axis] = zero.count
    try require(zero.count == x.shape[axis], "\(zero.count) zero points do not fit \(x.shape)")
    return x - zero.reshaped(shape)
  }
}
