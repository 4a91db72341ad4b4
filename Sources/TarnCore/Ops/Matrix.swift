/// A matrix on the host, in row-major order: what the reference of the linear algebra rules works
/// with.
struct Matrix {
  let rows: Int, columns: Int
  var values: [Double]

  init(_ rows: Int, _ columns: Int, _ values: [Double]) {
    (self.rows, self.columns, self.values) = (rows, columns, values)
  }

  init(rows: Int, columns: Int, _ element: (Int, Int) -> Double) {
    self.init(rows, columns, (0..<rows * columns).map { element($0 / columns, $0 % columns) })
  }

  static func identity(_ rows: Int, _ columns: Int) -> Matrix {
    Matrix(rows: rows, columns: columns) { $0 == $1 ? 1 : 0 }
  }

  subscript(row: Int, column: Int) -> Double {
    get { values[row * columns + column] }
    set { values[row * columns + column] = newValue }
  }

  var transpose: Matrix { Matrix(rows: columns, columns: rows) { self[$1, $0] } }

  func column(_ j: Int) -> [Double] { (0..<rows).map { self[$0, j] } }

  /// The columns in another order.
  func columns(_ order: [Int]) -> Matrix {
    Matrix(rows: rows, columns: order.count) { self[$0, order[$1]] }
  }

  /// Columns p and q turned by the rotation (c, s).
  mutating func rotateColumns(_ p: Int, _ q: Int, _ c: Double, _ s: Double) {
    for i in 0..<rows {
      let (a, b) = (self[i, p], self[i, q])
      (self[i, p], self[i, q]) = (c * a - s * b, s * a + c * b)
    }
  }

  mutating func swapRows(_ i: Int, _ j: Int) {
    for column in 0..<columns {
      (self[i, column], self[j, column]) = (self[j, column], self[i, column])
    }
  }
}

extension [HostArray] {
  /// `compute` on the matrices of each batch element; its results stand one after another.
  func eachMatrix(
    _ shape: [Int], _ dtype: DType, _ compute: ([Matrix]) throws -> [Double]
  ) rethrows -> HostArray {
    let operands = map { operand in
      (
        rows: operand.shape[operand.shape.count - 2],
        columns: operand.shape[operand.shape.count - 1], values: operand.reals
      )
    }
    var results: [Double] = []
    for batch in 0..<self[0].shape.dropLast(2).reduce(1, *) {
      results += try compute(
        operands.map { rows, columns, values in
          let size = rows * columns
          return Matrix(rows, columns, [Double](values[batch * size..<(batch + 1) * size]))
        })
    }
    return HostArray(shape: shape, dtype: dtype, reals: results)
  }
}
