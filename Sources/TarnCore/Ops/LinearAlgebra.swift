/// Factorisations and solutions over the last two axes; those in front are batches, so that
/// batching a rule is only one more of them.
///
/// Derivatives after Giles, "Collected matrix derivative results for forward and reverse mode
/// algorithmic differentiation" (2008); Murray, "Differentiation of the Cholesky decomposition"
/// (2016); Liao et al., "Differentiable programming tensor networks" (2019). A bar is a gradient, d
/// a tangent.
extension Rule {
  private static let batch: Batch = { op, x, batched, count, shape, dtype in
    Tensor.record(op, Batching.lift(x, batched, count), [count] + shape, dtype)
  }

  /// A = L Lᵀ, read from the lower half; the gradient is symmetric.
  static let cholesky = Rule(
    vjp: { _, _, l, g in
      // Ā = ½ L⁻ᵀ (Φ + Φᵀ) L⁻¹, Φ = lower half of Lᵀ L̄
      let half = l.times(g, transposeA: true).lowerHalf
      let left = l.dividing(half + half.matrixTranspose, lower: true, transposed: true)
      return [0.5 * l.dividing(left.matrixTranspose, lower: true, transposed: true)]
    },
    jvp: { _, _, l, t in
      // dL = L Φ(L⁻¹ dA L⁻ᵀ)
      guard let t = t[0]?.symmetricPart else { return nil }
      let left = l.dividing(t, lower: true)
      return l.times(l.dividing(left.matrixTranspose, lower: true).matrixTranspose.lowerHalf)
    },
    batch: batch,
    reference: { _, x, shape, dtype in
      try x.eachMatrix(shape, dtype) { try $0[0].cholesky().values }
    })

  /// op(A) X = B: B̄ = op(A)⁻ᵀ X̄, and the gradient of op(A) is −B̄ Xᵀ within the triangle.
  static let triangularSolve = Rule(
    vjp: { op, x, y, g in
      guard case .triangularSolve(let lower, let transposed) = op else { return [nil, nil] }
      let b = x[0].dividing(g, lower: lower, transposed: !transposed)
      let a = transposed ? y.times(b, transposeB: true) : b.times(y, transposeB: true)
      return [-a.triangle(lower: lower), b]
    },
    jvp: { op, x, y, t in
      guard case .triangularSolve(let lower, let transposed) = op else { return nil }
      let moved = t[0].map { -$0.triangle(lower: lower).times(y, transposeA: transposed) }
      guard let right = added(t[1], moved) else { return nil }
      return x[0].dividing(right, lower: lower, transposed: transposed)
    },
    batch: batch,
    reference: { op, x, shape, dtype in
      guard case .triangularSolve(let lower, let transposed) = op else { return x[0] }
      return try x.eachMatrix(shape, dtype) {
        let a = transposed ? $0[0].transpose : $0[0]
        return try a.triangularSolve($0[1], lower: lower != transposed).values
      }
    })

  /// A X = B: B̄ = A⁻ᵀ X̄, Ā = −B̄ Xᵀ; dX = A⁻¹ (dB − dA X).
  static let solve = Rule(
    vjp: { op, x, y, g in
      let b = Tensor.record(op, x[0].matrixTranspose, g, g.shape, g.dtype)
      return [-b.times(y, transposeB: true), b]
    },
    jvp: { op, x, y, t in
      guard let right = added(t[1], t[0].map { -$0.times(y) }) else { return nil }
      return Tensor.record(op, x[0], right, y.shape, y.dtype)
    },
    batch: batch,
    reference: { _, x, shape, dtype in
      try x.eachMatrix(shape, dtype) { try $0[0].factored().solve($0[1]).values }
    })

  /// d det A = det A · tr(A⁻¹ dA). The derivative needs A to be regular.
  static let determinant = Rule(
    vjp: { _, x, y, g in
      let scale = (g * y).expandedDims(-1).expandedDims(-1)
      let a = x[0].matrixTranspose
      return [scale * Tensor.record(.solve, a, a.identity, a.shape, a.dtype)]
    },
    jvp: { _, x, y, t in
      guard let t = t[0] else { return nil }
      return y * Tensor.record(.solve, x[0], t, t.shape, t.dtype).diagonalVector.sum(axes: [-1])
    },
    batch: batch,
    reference: { _, x, shape, dtype in
      x.eachMatrix(shape, dtype) { [$0[0].factored().determinant] }
    })

  private static func added(_ a: Tensor?, _ b: Tensor?) -> Tensor? {
    guard let a else { return b }
    return b.map { a + $0 } ?? a
  }
}

extension Tensor {
  /// X with op(self) X = b, self triangular.
  func dividing(_ b: Tensor, lower: Bool, transposed: Bool = false) -> Tensor {
    Tensor.record(.triangularSolve(lower: lower, transposed: transposed), self, b, b.shape, b.dtype)
  }

  func triangle(lower: Bool) -> Tensor { lower ? lowerTriangle(k: 0) : upperTriangle(k: 0) }

  /// The lower triangle with half of the diagonal.
  var lowerHalf: Tensor { 0.5 * (lowerTriangle(k: 0) + lowerTriangle(k: -1)) }

  package var symmetricPart: Tensor { 0.5 * (self + matrixTranspose) }

  /// The identity in this tensor's shape.
  package var identity: Tensor {
    let rows = Tensor.iota(shape, axis: rank - 2, device: device)
    return (rows .== Tensor.iota(shape, axis: rank - 1, device: device)).cast(to: dtype)
  }

  /// The diagonals of square matrices, as rows.
  var diagonalVector: Tensor { (self * identity).sum(axes: [-1]) }

  /// 1 / x, and 0 where x is 0.
  var reciprocalOrZero: Tensor {
    let isZero = self .== 0
    return which(isZero, self, which(isZero, Tensor.full(like: self, 1), self).reciprocal())
  }
}
