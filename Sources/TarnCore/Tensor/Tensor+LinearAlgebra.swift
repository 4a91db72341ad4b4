/// Linear algebra over the last two axes; those in front are batches. Integers and 16-bit types are
/// worked on in float32. A singular or indefinite matrix is found when the value is computed, and
/// reported then.
extension Tensor {
  /// Lower triangular L with A = L Lᵀ of a symmetric positive definite A, [..., n, n].
  ///
  /// Only the lower half of A is read; its gradient is symmetric.
  ///
  /// ```swift
  /// let l = covariance.cholesky()
  /// ```
  public func cholesky() -> Tensor {
    guard let a = square("cholesky") else { return self }
    return Tensor.record(.cholesky, a, a.shape, a.dtype)
  }

  /// A = Q R with QᵀQ = I and R upper triangular: [..., m, n] → [..., m, k] and [..., k, n], k =
  /// min(m, n).
  ///
  /// By Householder reflections. The signs of Q's columns are not unique; R's diagonal may be
  /// negative.
  public func qr() -> (q: Tensor, r: Tensor) {
    guard let a = matrix("qr") else { return (self, self) }
    let (m, n) = (a.shape[rank - 2], a.shape[rank - 1])
    let k = Swift.min(m, n)
    let packed = Tensor.record(.qr, a, a.shape.dropLast(2) + [m * k + k * n], a.dtype)
    return packed.unpackedQR(of: a)
  }

  /// A = U diag(s) Vᵀ: [..., m, n] → U [..., m, k], s [..., k] descending, Vᵀ [..., k, n], k =
  /// min(m, n).
  ///
  /// The signs of singular vectors are not unique, nor is their choice where singular values
  /// coincide: derivatives through them are meant for functions that do not depend on it.
  public func svd() -> (u: Tensor, s: Tensor, vt: Tensor) {
    guard let a = matrix("svd") else { return (self, self, self) }
    let (m, n) = (a.shape[rank - 2], a.shape[rank - 1])
    let k = Swift.min(m, n)
    let packed = Tensor.record(.svd, a, a.shape.dropLast(2) + [m * k + k + k * n], a.dtype)
    return packed.unpackedSVD(of: a)
  }

  /// Eigenvalues [..., n], ascending, and eigenvectors [..., n, n] as columns, of a symmetric A
  /// [..., n, n].
  ///
  /// Only the lower half of A is read; its gradient is symmetric. The signs of eigenvectors are not
  /// unique.
  public func symmetricEigen() -> (values: Tensor, vectors: Tensor) {
    guard let a = square("symmetricEigen") else { return (self, self) }
    let n = a.shape[rank - 1]
    return Tensor.record(.symmetricEigen, a, a.shape.dropLast(2) + [n + n * n], a.dtype)
      .unpackedEigen
  }

  /// X with A X = B: A [..., n, n], B [..., n, k] or [n].
  ///
  /// ```swift
  /// let x = a.solve(b)       // rather than a.inverse().matmul(b)
  /// ```
  public func solve(_ b: Tensor) -> Tensor {
    solved("solve", b) { a, b in Tensor.record(.solve, a, b, b.shape, b.dtype) }
  }

  /// X with op(A) X = B: A [..., n, n] triangular, op(A) = A or Aᵀ, B [..., n, k] or [n].
  ///
  /// - Parameters:
  ///   - lower: which half of A is read.
  ///   - transposed: whether op is the transposition.
  public func triangularSolve(_ b: Tensor, lower: Bool, transposed: Bool = false) -> Tensor {
    solved("triangularSolve", b) { a, b in
      Tensor.record(.triangularSolve(lower: lower, transposed: transposed), a, b, b.shape, b.dtype)
    }
  }

  /// A⁻¹, [..., n, n]. To apply it, ``solve(_:)`` is faster and more accurate.
  public func inverse() -> Tensor {
    guard let a = square("inverse") else { return self }
    return Tensor.record(.solve, a, a.identity, a.shape, a.dtype)
  }

  /// [..., n, n] → [...]. Its derivative needs a regular matrix.
  public func determinant() -> Tensor {
    guard let a = square("determinant") else { return self }
    return Tensor.record(.determinant, a, Array(a.shape.dropLast(2)), a.dtype)
  }

  /// Sum of the diagonal: [..., n, n] → [...].
  public func trace() -> Tensor {
    guard rank >= 2, shape[rank - 1] == shape[rank - 2] else { return notSquare("trace") }
    return (self * identity).sum(axes: [-2, -1])
  }

  /// This as matrices of a type that LAPACK knows; nil, after a report, if it has less than two
  /// axes.
  private func matrix(_ name: String) -> Tensor? {
    guard rank >= 2 else {
      _ = rejected(
        name, "a matrix has two axes", hint: "batches of matrices are [..., rows, columns]")
      return nil
    }
    return cast(to: dtype == .float64 ? .float64 : .float32)
  }

  private func square(_ name: String) -> Tensor? {
    guard let a = matrix(name) else { return nil }
    guard shape[rank - 1] == shape[rank - 2] else {
      _ = notSquare(name)
      return nil
    }
    return a
  }

  private func notSquare(_ name: String) -> Tensor { rejected(name, "the matrix must be square") }

  /// Brings both operands of a system to one type and one batch shape.
  private func solved(_ name: String, _ b: Tensor, _ record: (Tensor, Tensor) -> Tensor) -> Tensor {
    guard let a = square(name) else { return b }
    let isVector = b.rank == 1
    let right = isVector ? b.expandedDims(-1) : b
    let n = shape[rank - 1]
    let facts = ["A \(shape)", "B \(b.shape)"]
    guard right.rank >= 2, right.shape[right.rank - 2] == n else {
      return rejected(name, "B must have as many rows as A", facts, as: b.shape, b.dtype)
    }
    guard let front = Array(shape.dropLast(2)).broadcast(with: Array(right.shape.dropLast(2)))
    else {
      return rejected(
        name, "the batch axes of A and B do not broadcast", facts, as: b.shape, b.dtype)
    }
    let dtype: DType = a.dtype == .float64 || b.dtype == .float64 ? .float64 : .float32
    let x = record(
      a.cast(to: dtype).broadcast(to: front + [n, n]),
      right.cast(to: dtype).broadcast(to: front + right.shape.suffix(2)))
    return isVector ? x.squeezed(-1) : x
  }
}
