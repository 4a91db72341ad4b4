extension Tensor {
  /// Matrix product of the last two axes, [..., m, k] × [..., k, n] → [..., m, n]; the axes before them broadcast.
  ///
  /// A vector on the left is a row, on the right a column, and its axis is gone from the result (as in NumPy).
  /// `transposed`: the right operand is stored [..., n, k].
  public func matmul(_ other: Tensor, transposed: Bool = false) -> Tensor {
    let dtype = Binary.multiply.operand(DType.promoted(self.dtype, other.dtype))
    guard rank > 0, other.rank > 0 else {
      return rejected(
        "matmul", "operands must have axes", ["left  \(shape)", "right \(other.shape)"],
        hint: "for a number times a tensor, use *", dtype)
    }
    let left = rank == 1 ? expandedDims(0) : self
    let isColumn = other.rank == 1
    let right = isColumn ? other.expandedDims(transposed ? 0 : 1) : other
    let (k, n) = right.matrix(transposed)
    guard left.shape[left.rank - 1] == k else {
      return mismatched(other, transposed, rows: left.shape.dropLast(), columns: n, dtype)
    }
    guard let product = left.cast(to: dtype).folded(right.cast(to: dtype), transposed, n) else {
      return rejected(
        "matmul", "batch axes do not broadcast", ["left  \(shape)", "right \(other.shape)"],
        as: left.shape.dropLast() + [n], dtype)
    }
    var result = product.shape
    if isColumn { result.removeLast() }
    if rank == 1 { result.remove(at: result.count - (isColumn ? 1 : 2)) }
    return product.reshaped(result)
  }

  /// Inner and outer length of a right operand.
  private func matrix(_ transposed: Bool) -> (inner: Int, outer: Int) {
    let (a, b) = (shape[rank - 2], shape[rank - 1])
    return transposed ? (b, a) : (a, b)
  }

  /// The product of two tensors of matrices that fit; nil if their batches do not broadcast.
  ///
  /// If the right operand is one matrix, the left one's batch is just more rows.
  private func folded(_ right: Tensor, _ transposed: Bool, _ n: Int) -> Tensor? {
    let op = Op.matmul(transposeA: false, transposeB: transposed)
    let (m, k) = (shape[rank - 2], shape[rank - 1])
    let matrix = Array(right.shape.suffix(2))
    let (one, other) = (Array(shape.dropLast(2)), Array(right.shape.dropLast(2)))
    guard let batch = one.broadcast(with: other) else { return nil }
    if other.product == 1 {
      let rows = one.product * m
      let (a, b) = (reshaped([1, rows, k]), right.reshaped([1] + matrix))
      return Tensor.record(op, a, b, [1, rows, n], dtype).reshaped(batch + [m, n])
    }
    let count = batch.product
    let a = stretched(to: batch + [m, k]).reshaped([count, m, k])
    let b = right.stretched(to: batch + matrix).reshaped([count] + matrix)
    return Tensor.record(op, a, b, [count, m, n], dtype).reshaped(batch + [m, n])
  }

  private func mismatched(
    _ right: Tensor, _ transposed: Bool, rows: ArraySlice<Int>, columns: Int, _ dtype: DType
  ) -> Tensor {
    let fitting = transposed && right.rank >= 2 ? right.transposed().shape : right.shape
    return rejected(
      "matmul", "inner dimensions differ",
      ["left  \(shape)", "right \(right.shape)" + (transposed ? " transposed" : "")],
      hint: Hint.matmul(shape, fitting), as: rows + [columns], dtype)
  }

  /// Inner product Σ aᵢ bᵢ of two vectors of one length.
  public func dot(_ other: Tensor) -> Tensor {
    guard rank == 1, other.rank == 1, count == other.count else {
      return rejected(
        "dot", "operands must be vectors of one length",
        ["left  \(shape)", "right \(other.shape)"],
        hint: rank > 1 || other.rank > 1 ? "for matrices, use .matmul" : nil, as: [])
    }
    return matmul(other)
  }

  /// Outer product aᵢ bⱼ of two vectors, [m] and [n] → [m, n].
  public func outer(_ other: Tensor) -> Tensor {
    guard rank == 1, other.rank == 1 else {
      return rejected(
        "outer", "operands must be vectors", ["left  \(shape)", "right \(other.shape)"],
        hint: "call .flattened() first", as: [count, other.count])
    }
    return expandedDims(1) * other.expandedDims(0)
  }
}
