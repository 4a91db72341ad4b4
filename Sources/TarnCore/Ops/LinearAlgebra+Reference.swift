extension Matrix {
  /// Lower L with A = L Lᵀ (Cholesky–Banachiewicz), from the lower half of A.
  func cholesky() throws -> Matrix {
    var l = Matrix(rows: rows, columns: columns) { _, _ in 0 }
    for i in 0..<rows {
      for j in 0...i {
        let rest = self[i, j] - (0..<j).reduce(0) { $0 + l[i, $1] * l[j, $1] }
        if i == j {
          guard rest > 0 else {
            throw Diagnostic(
              operation: "cholesky", reason: "the matrix is not positive definite",
              facts: ["pivot \(i) is \(rest)"],
              hint: "add a small multiple of the identity, e.g. a + 1e-6 * .eye(\(rows))")
          }
          l[i, i] = rest.squareRoot()
        } else {
          l[i, j] = rest / l[j, j]
        }
      }
    }
    return l
  }

  /// X with A X = B by substitution, A lower or upper triangular; the other half is not read.
  func triangularSolve(_ b: Matrix, lower: Bool) throws -> Matrix {
    var x = b
    for i in lower ? Array(0..<rows) : Array((0..<rows).reversed()) {
      guard self[i, i] != 0 else { throw Self.singular("triangularSolve", pivot: i) }
      let known = lower ? 0..<i : i + 1..<rows
      for j in 0..<b.columns {
        x[i, j] = (x[i, j] - known.reduce(0) { $0 + self[i, $1] * x[$1, j] }) / self[i, i]
      }
    }
    return x
  }

  static func singular(_ operation: String, pivot: Int) -> Diagnostic {
    Diagnostic(
      operation: operation, reason: "the matrix is singular", facts: ["pivot \(pivot) is 0"],
      hint: "its rows are linearly dependent; add a small multiple of the identity, or use svd()")
  }

  /// P A = L U with partial pivoting.
  func factored() -> FactoredMatrix {
    var factors = self
    var order = Array(0..<rows)
    var sign = 1.0
    for k in 0..<rows {
      let pivot = (k..<rows).max { abs(factors[$0, k]) < abs(factors[$1, k]) } ?? k
      if pivot != k {
        factors.swapRows(k, pivot)
        order.swapAt(k, pivot)
        sign = -sign
      }
      guard factors[k, k] != 0 else { continue }
      for i in k + 1..<rows {
        factors[i, k] /= factors[k, k]
        for j in k + 1..<columns { factors[i, j] -= factors[i, k] * factors[k, j] }
      }
    }
    return FactoredMatrix(factors: factors, order: order, sign: sign)
  }

  /// A = Q R by Householder reflections, Q [m, k], R [k, n], k = min(m, n), with LAPACK's signs.
  func qr() -> (q: Matrix, r: Matrix) {
    let k = min(rows, columns)
    var r = self
    var reflections: [(start: Int, vector: [Double], scale: Double)] = []
    for j in 0..<k {
      let below = (j + 1..<rows).reduce(0) { $0 + r[$1, j] * r[$1, j] }
      guard below > 0 else { continue }
      let head = r[j, j], norm = (head * head + below).squareRoot()
      let target = head > 0 ? -norm : norm
      var vector = (j..<rows).map { r[$0, j] }
      vector[0] -= target
      let scale = 2 / vector.reduce(0) { $0 + $1 * $1 }
      reflections.append((j, vector, scale))
      r.reflect(from: j, vector, scale)
    }
    var q = Matrix.identity(rows, k)
    for (start, vector, scale) in reflections.reversed() { q.reflect(from: start, vector, scale) }
    return (q, Matrix(rows: k, columns: columns) { $0 > $1 ? 0 : r[$0, $1] })
  }

  /// Rows from `start` on multiplied by I − scale · v vᵀ.
  private mutating func reflect(from start: Int, _ v: [Double], _ scale: Double) {
    for j in 0..<columns {
      let projection = scale * v.indices.reduce(0) { $0 + v[$1] * self[start + $1, j] }
      for i in v.indices { self[start + i, j] -= projection * v[i] }
    }
  }

  /// Eigenvalues ascending and eigenvectors as columns, by cyclic Jacobi rotations on the lower
  /// half of A.
  func symmetricEigen() -> (values: [Double], vectors: Matrix) {
    var a = Matrix(rows: rows, columns: columns) { $0 < $1 ? self[$1, $0] : self[$0, $1] }
    var v = Matrix.identity(rows, rows)
    for _ in 0..<100 {
      var changed = false
      for p in 0..<rows {
        for q in p + 1..<rows where abs(a[p, q]) > 1e-17 * a.scale(p, q) {
          changed = true
          let (c, s) = Self.rotation(a[p, p], a[q, q], a[p, q])
          a.rotateColumns(p, q, c, s)
          a = a.transpose
          a.rotateColumns(p, q, c, s)
          v.rotateColumns(p, q, c, s)
        }
      }
      if !changed { break }
    }
    let order = (0..<rows).sorted { a[$0, $0] < a[$1, $1] }
    return (order.map { a[$0, $0] }, v.columns(order))
  }

  private func scale(_ p: Int, _ q: Int) -> Double {
    max(abs(self[p, p]), abs(self[q, q]), .leastNormalMagnitude)
  }

  /// The smaller rotation that makes [[a, g], [g, b]] diagonal.
  private static func rotation(_ a: Double, _ b: Double, _ g: Double) -> (c: Double, s: Double) {
    let theta = (b - a) / (2 * g)
    let t = (theta >= 0 ? 1.0 : -1.0) / (abs(theta) + (theta * theta + 1).squareRoot())
    let c = 1 / (t * t + 1).squareRoot()
    return (c, t * c)
  }

  /// U [m, k], singular values descending, V [n, k], k = min(m, n), by one-sided Jacobi rotations.
  func svd() -> (u: Matrix, s: [Double], v: Matrix) {
    if rows < columns {
      let (u, s, v) = transpose.svd()
      return (v, s, u)
    }
    var u = self
    var v = Matrix.identity(columns, columns)
    for _ in 0..<100 {
      var changed = false
      for p in 0..<columns {
        for q in p + 1..<columns {
          let (a, b, g) = u.gram(p, q)
          guard abs(g) > 1e-16 * (a * b).squareRoot(), abs(g) > .leastNormalMagnitude else {
            continue
          }
          changed = true
          let (c, s) = Self.rotation(a, b, g)
          u.rotateColumns(p, q, c, s)
          v.rotateColumns(p, q, c, s)
        }
      }
      if !changed { break }
    }
    let lengths = (0..<columns).map { u.gram($0, $0).0.squareRoot() }
    let order = (0..<columns).sorted { lengths[$0] > lengths[$1] }
    let s = order.map { lengths[$0] }
    return (u.columns(order).orthonormalised(s), s, v.columns(order))
  }

  /// The products of columns p and q: p·p, q·q, p·q.
  private func gram(_ p: Int, _ q: Int) -> (Double, Double, Double) {
    var (a, b, g) = (0.0, 0.0, 0.0)
    for i in 0..<rows {
      a += self[i, p] * self[i, p]
      b += self[i, q] * self[i, q]
      g += self[i, p] * self[i, q]
    }
    return (a, b, g)
  }

  /// Orthogonal columns divided by their lengths, descending; those without a length are replaced
  /// by any that complete the basis.
  private func orthonormalised(_ lengths: [Double]) -> Matrix {
    var u = self
    for j in 0..<columns {
      if lengths[j] > (lengths.first ?? 0) * 1e-300, lengths[j] > 0 {
        for i in 0..<rows { u[i, j] /= lengths[j] }
        continue
      }
      let candidates = (0..<rows).map { axis in u.remainder(ofAxis: axis, before: j) }
      let best = candidates.max { $0.length < $1.length } ?? ([], 1)
      for i in 0..<rows { u[i, j] = best.vector[i] / best.length }
    }
    return u
  }

  /// What of a unit vector stands at right angles to the first columns.
  private func remainder(ofAxis axis: Int, before count: Int) -> (vector: [Double], length: Double)
  {
    var vector = (0..<rows).map { $0 == axis ? 1.0 : 0 }
    for j in 0..<count {
      let projection = vector.indices.reduce(0) { $0 + vector[$1] * self[$1, j] }
      for i in vector.indices { vector[i] -= projection * self[i, j] }
    }
    return (vector, vector.reduce(0) { $0 + $1 * $1 }.squareRoot())
  }
}

/// P A = L U: L below the diagonal with ones on it, U above; row i of P A is row `order[i]` of A.
struct FactoredMatrix {
  let factors: Matrix
  let order: [Int]
  /// Determinant of P.
  let sign: Double

  var determinant: Double { (0..<factors.rows).reduce(sign) { $0 * factors[$1, $1] } }

  /// X with A X = B.
  func solve(_ b: Matrix) throws -> Matrix {
    let n = factors.rows
    if let pivot = (0..<n).first(where: { factors[$0, $0] == 0 }) {
      throw Matrix.singular("solve", pivot: pivot)
    }
    let permuted = Matrix(rows: n, columns: b.columns) { b[order[$0], $1] }
    let lower = Matrix(rows: n, columns: n) { $0 == $1 ? 1 : factors[$0, $1] }
    return try factors.triangularSolve(lower.triangularSolve(permuted, lower: true), lower: false)
  }
}
