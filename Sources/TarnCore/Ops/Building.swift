/// What rules build their answers from: primitives recorded without the checks of the public
/// functions.
extension Tensor {
  /// The axis `from` comes to stand at `to`; the others keep their order.
  package func movedAxis(_ from: Int, to: Int) -> Tensor {
    if from == to { return self }
    var axes = Array(0..<rank)
    axes.remove(at: from)
    axes.insert(from, at: to)
    return Tensor.record(.permute(axes), self, axes.map { shape[$0] }, dtype)
  }

  /// The last two axes exchanged.
  package var matrixTranspose: Tensor { movedAxis(rank - 1, to: rank - 2) }

  /// The product of the matrices in the last two axes; the axes in front agree.
  package func times(_ other: Tensor, transposeA: Bool = false, transposeB: Bool = false) -> Tensor
  {
    let front = Array(shape.dropLast(2))
    let rows = shape[rank - (transposeA ? 1 : 2)]
    let columns = other.shape[other.rank - (transposeB ? 2 : 1)]
    let result = Tensor.record(
      .matmul(transposeA: transposeA, transposeB: transposeB),
      reshaped([front.product] + shape.suffix(2)),
      other.reshaped([front.product] + other.shape.suffix(2)),
      [front.product, rows, columns], dtype)
    return result.reshaped(front + [rows, columns])
  }
}
