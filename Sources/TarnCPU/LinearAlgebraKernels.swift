import CLAPACK
import TarnCore

/// Decompositions by LAPACK, in double precision whatever the tensor's: they are small, and their errors grow.
///
/// LAPACK's matrices are column-major; ours are copied in and out, so both sides read as in the textbook.
enum LinearAlgebraKernels {
  static func body(_ op: Op, _ x: [View], _ y: View) -> KernelStep.Body? {
    guard [.float32, .float64].contains(y.dtype) else { return nil }
    let matrix = Array(x[0].shape.suffix(2))
    let right = x.count > 1 ? Array(x[1].shape.suffix(2)) : [0, 0]
    let batch = x[0].shape.dropLast(2).reduce(1, *)
    let resultCount = batch == 0 ? 0 : y.shape.product / batch
    guard matrix.product > 0, batch > 0 else { return nil }
    return { operands, output in
      for index in 0..<batch {
        let a = Matrix(operands[0], index, matrix, x[0].dtype)
        let b = x.count > 1 ? Matrix(operands[1], index, right, x[1].dtype) : a
        let result = try decompose(op, a, b)
        store(result, output, index * resultCount, y.dtype)
      }
    }
  }

  private static func decompose(_ op: Op, _ a: Matrix, _ b: Matrix) throws -> [Double] {
    switch op {
    case .cholesky: return try cholesky(a)
    case .triangularSolve(let lower, let transposed):
      return try triangularSolve(a, b, lower, transposed)
    case .solve: return try solve(a, b)
    case .determinant: return [determinant(a)]
    case .symmetricEigen: return try symmetricEigen(a)
    case .svd: return try svd(a)
    default: return try qr(a)
    }
  }

  private static func store(
    _ values: [Double], _ output: UnsafeMutableRawPointer, _ start: Int, _ dtype: DType
  ) {
    if dtype == .float64 {
      let target = output.assumingMemoryBound(to: Double.self) + start
      for (i, value) in values.enumerated() { target[i] = value }
    } else {
      let target = output.assumingMemoryBound(to: Float.self) + start
      for (i, value) in values.enumerated() { target[i] = Float(value) }
    }
  }

  private static func cholesky(_ a: Matrix) throws -> [Double] {
    var (a, n, info) = (a, Int32(a.rows), Int32(0))
    dpotrf_("L", &n, &a.columns, &n, &info)
    guard info == 0 else {
      throw Diagnostic(
        operation: "cholesky", reason: "the matrix is not positive definite",
        facts: ["leading minor \(info) of \(a.rows) is not positive"],
        hint: "add a small multiple of the identity")
    }
    return a.rowMajor { $0 >= $1 }
  }

  private static func solve(_ a: Matrix, _ b: Matrix) throws -> [Double] {
    var (a, b, n, k, info) = (a, b, Int32(a.rows), Int32(b.columnCount), Int32(0))
    var pivots = [Int32](repeating: 0, count: a.rows)
    dgetrf_(&n, &n, &a.columns, &n, &pivots, &info)
    guard info == 0 else { throw singular("solve", Int(info), a.rows) }
    dgetrs_("N", &n, &k, &a.columns, &n, &pivots, &b.columns, &n, &info)
    return b.rowMajor()
  }

  private static func singular(_ operation: String, _ pivot: Int, _ n: Int) -> Diagnostic {
    Diagnostic(
      operation: operation, reason: "the matrix is singular",
      facts: ["pivot \(pivot) of \(n) is zero"],
      hint: "add a small multiple of the identity, or use svd()")
  }

  private static func determinant(_ a: Matrix) -> Double {
    var (a, n, info) = (a, Int32(a.rows), Int32(0))
    var pivots = [Int32](repeating: 0, count: a.rows)
    dgetrf_(&n, &n, &a.columns, &n, &pivots, &info)
    return (0..<a.rows).reduce(1) { product, i in
      product * a.columns[i * a.rows + i] * (pivots[i] == Int32(i + 1) ? 1 : -1)
    }
  }

  private static func triangularSolve(_ a: Matrix, _ b: Matrix, _ lower: Bool, _ transposed: Bool)
    throws -> [Double]
  {
    var (a, b, n, k, info) = (a, b, Int32(a.rows), Int32(b.columnCount), Int32(0))
    dtrtrs_(
      lower ? "L" : "U", transposed ? "T" : "N", "N", &n, &k, &a.columns, &n, &b.columns, &n, &info)
    guard info == 0 else { throw singular("triangularSolve", Int(info), a.rows) }
    return b.rowMajor()
  }

  private static func symmetricEigen(_ a: Matrix) throws -> [Double] {
    var (a, n, info) = (a, Int32(a.rows), Int32(0))
    var values = [Double](repeating: 0, count: a.rows)
    try withWorkspace("symmetricEigen") { work, size, whole, wholeSize in
      var (size, wholeSize) = (size, wholeSize)
      dsyevd_("V", "L", &n, &a.columns, &n, &values, work, &size, whole, &wholeSize, &info)
      return info
    }
    return values + a.rowMajor()
  }

  private static func svd(_ a: Matrix) throws -> [Double] {
    var (a, m, n, info) = (a, Int32(a.rows), Int32(a.columnCount), Int32(0))
    var k = min(m, n)
    var u = Matrix(rows: a.rows, columns: Int(k))
    var vt = Matrix(rows: Int(k), columns: a.columnCount)
    var s = [Double](repeating: 0, count: Int(k))
    var whole = [Int32](repeating: 0, count: 8 * Int(k))
    try withWorkspace("svd") { work, size, _, _ in
      var size = size
      dgesdd_(
        "S", &m, &n, &a.columns, &m, &s, &u.columns, &m, &vt.columns, &k, work, &size, &whole, &info
      )
      return info
    }
    return u.rowMajor() + s + vt.rowMajor()
  }

  private static func qr(_ a: Matrix) throws -> [Double] {
    var (a, m, n, info) = (a, Int32(a.rows), Int32(a.columnCount), Int32(0))
    var k = min(m, n)
    var tau = [Double](repeating: 0, count: Int(k))
    try withWorkspace("qr") { work, size, _, _ in
      var size = size
      dgeqrf_(&m, &n, &a.columns, &m, &tau, work, &size, &info)
      return info
    }
    let r = Matrix(rows: Int(k), columns: a.columnCount, of: a).rowMajor { $0 <= $1 }
    try withWorkspace("qr") { work, size, _, _ in
      var size = size
      dorgqr_(&m, &k, &k, &a.columns, &m, &tau, work, &size, &info)
      return info
    }
    return Matrix(rows: a.rows, columns: Int(k), of: a).rowMajor() + r
  }

  /// Asks a routine what room it needs (size -1), then calls it with that.
  private static func withWorkspace(
    _ operation: String,
    _ routine: (UnsafeMutablePointer<Double>, Int32, UnsafeMutablePointer<Int32>, Int32) -> Int32
  ) throws {
    var (room, wholeRoom) = (0.0, Int32(0))
    _ = routine(&room, -1, &wholeRoom, -1)
    var work = [Double](repeating: 0, count: max(1, Int(room)))
    var whole = [Int32](repeating: 0, count: max(1, Int(wholeRoom)))
    let (size, wholeSize) = (Int32(work.count), Int32(whole.count))
    let info = routine(&work, size, &whole, wholeSize)
    guard info == 0 else {
      throw Diagnostic(
        operation: operation, reason: "the decomposition did not converge",
        facts: ["LAPACK code \(info)"],
        hint: "look for NaN or infinity in the matrix")
    }
  }
}

/// A column-major copy.
private struct Matrix {
  let rows: Int
  let columnCount: Int
  var columns: [Double]

  init(rows: Int, columns count: Int) {
    (self.rows, columnCount) = (rows, count)
    columns = Array(repeating: 0, count: rows * count)
  }

  /// The upper left part of another.
  init(rows: Int, columns count: Int, of other: Matrix) {
    self.init(rows: rows, columns: count)
    for column in 0..<count {
      for row in 0..<rows {
        columns[column * rows + row] = other.columns[column * other.rows + row]
      }
    }
  }

  /// Number `index` of a batch of row-major matrices.
  init(_ memory: UnsafeMutableRawPointer, _ index: Int, _ shape: [Int], _ dtype: DType) {
    self.init(rows: shape[0], columns: shape[1])
    let start = index * shape[0] * shape[1]
    for row in 0..<rows {
      for column in 0..<columnCount {
        let place = start + row * columnCount + column
        columns[column * rows + row] =
          dtype == .float64
          ? memory.assumingMemoryBound(to: Double.self)[place]
          : Double(memory.assumingMemoryBound(to: Float.self)[place])
      }
    }
  }

  /// The elements row by row, those that `keeps` refuses as zero.
  func rowMajor(where keeps: (Int, Int) -> Bool = { _, _ in true }) -> [Double] {
    var result: [Double] = []
    result.reserveCapacity(columns.count)
    for row in 0..<rows {
      for column in 0..<columnCount {
        result.append(keeps(row, column) ? columns[column * rows + row] : 0)
      }
    }
    return result
  }
}
