/// A batch of matrix products: [b, m, k] × [b, k, n] → [b, m, n], either operand stored transposed.
extension Rule {
  static let matmul = Rule.linear(
    vjp: { op, x, _, g in
      guard case .matmul(let ta, let tb) = op else { return [nil, nil] }
      let (a, b) = (x[0], x[1])
      return [
        ta ? b.times(g, transposeA: tb, transposeB: true) : g.times(b, transposeB: !tb),
        tb ? g.times(a, transposeA: true, transposeB: ta) : a.times(g, transposeA: !ta),
      ]
    },
    batch: { op, x, batched, count, shape, dtype in
      guard case .matmul(let ta, let tb) = op else { return x[0] }
      if shape[0] == 1 && !batched[1] { return foldedRows(x[0], x[1], ta, tb) }
      if shape[0] == 1 && !batched[0] { return foldedColumns(x[0], x[1], ta, tb) }
      let both = Batching.lift(x, batched, count)
      return both[0].times(both[1], transposeA: ta, transposeB: tb)
    },
    reference: { op, x, shape, dtype in
      guard case .matmul(let ta, let tb) = op else { return x[0] }
      let length = x[0].shape[ta ? 1 : 2]
      func sums<Number: Numeric>(
        _ a: [Number], _ b: [Number], _ multiplyAdd: (Number, Number, Number) -> Number
      )
        -> [Number]
      {
        var result: [Number] = []
        shape.forEachIndex { index in
          let (batch, row, column) = (index[0], index[1], index[2])
          var sum: Number = 0
          for l in 0..<length {
            let p = batch * shape[1] * length + (ta ? l * shape[1] + row : row * length + l)
            let q = batch * shape[2] * length + (tb ? column * length + l : l * shape[2] + column)
            sum = multiplyAdd(sum, a[p], b[q])
          }
          result.append(sum)
        }
        return result
      }
      return dtype.isFloating
        ? HostArray(
          shape: shape, dtype: dtype, reals: sums(x[0].reals, x[1].reals) { $0 + $1 * $2 })
        : HostArray(
          shape: shape, dtype: dtype,
          integers: sums(x[0].integers, x[1].integers) { $0 &+ $1 &* $2 })
    })

  /// One matrix b for every example: the examples' rows stand in one tall matrix, and b is not
  /// repeated.
  private static func foldedRows(_ a: Tensor, _ b: Tensor, _ ta: Bool, _ tb: Bool) -> Tensor {
    let count = a.shape[0]
    let rows = a.shape[ta ? 3 : 2]
    let tall =
      ta
      ? a.movedAxis(0, to: 2).reshaped([1, a.shape[2], count * rows])
      : a.reshaped([1, count * rows, a.shape[3]])
    let result = tall.times(b, transposeA: ta, transposeB: tb)
    return result.reshaped([count, 1, rows, result.shape[2]])
  }

  /// One matrix a for every example: the examples' columns stand in one wide matrix.
  private static func foldedColumns(_ a: Tensor, _ b: Tensor, _ ta: Bool, _ tb: Bool) -> Tensor {
    let count = b.shape[0]
    let columns = b.shape[tb ? 2 : 3]
    let wide =
      tb
      ? b.reshaped([1, count * columns, b.shape[3]])
      : b.movedAxis(0, to: 2).reshaped([1, b.shape[2], count * columns])
    let result = a.times(wide, transposeA: ta, transposeB: tb)
    return result.reshaped([1, result.shape[1], count, columns]).movedAxis(2, to: 0)
  }
}
