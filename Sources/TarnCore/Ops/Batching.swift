/// Helpers that batching rules share. A batched operand carries the batch axis in front.
package enum Batching {
  /// Every operand with a batch axis in front; those without are repeated (which costs nothing until needed).
  static func lift(_ x: [Tensor], _ isBatched: [Bool], _ size: Int) -> [Tensor] {
    zip(x, isBatched).map { $1 ? $0 : repeated($0, size) }
  }

  static func repeated(_ x: Tensor, _ size: Int) -> Tensor {
    let row = Tensor.record(.reshape, x, [1] + x.shape, x.dtype)
    return Tensor.record(.broadcast, row, [size] + x.shape, x.dtype)
  }

  /// For ops that treat elements independently: the same op on lifted operands.
  static let elementwise: Rule.Batch = { op, x, isBatched, size, shape, dtype in
    Tensor.record(op, lift(x, isBatched, size), [size] + shape, dtype)
  }
}
