/// Factorisations that give several matrices, packed in one row.
extension Rule {
  private static let batch: Batch = { op, x, _, count, shape, dtype in
    Tensor.record(op, x[0], [count] + shape, dtype)
  }

  /// A = V diag(w) Vᵀ. With F = 1 / (wⱼ − wᵢ) off the diagonal and 0 where eigenvalues coincide,
  /// Ā = V (diag(w̄) + F ∘ Vᵀ V̄) Vᵀ, made symmetric; dw = diag(P), dV = V (F ∘ P), P = Vᵀ dA V.
  static let symmetricEigen = Rule(
    vjp: { _, x, y, g in
      let (w, v) = y.unpackedEigen, (gw, gv) = g.unpackedEigen
      let turned = w.inverseGaps * v.times(gv, transposeA: true)
      let inner = v * gw.expandedDims(-2) + v.times(turned)
      return [inner.times(v, transposeB: true).symmetricPart]
    },
    jvp: { _, x, y, t in
      guard let t = t[0]?.symmetricPart else { return nil }
      let (w, v) = y.unpackedEigen
      let p = v.times(t, transposeA: true).times(v)
      return .packed([p.diagonalVector, v.times(w.inverseGaps * p)], like: y)
    },
    batch: batch,
    reference: { _, x, shape, dtype in
      x.eachMatrix(shape, dtype) {
        let (values, vectors) = $0[0].symmetricEigen()
        return values + vectors.values
      }
    })

  /// A = U diag(s) Vᵀ. With F = 1 / (sⱼ² − sᵢ²), 0 where singular values coincide,
  ///
  ///     Ā = [U (F ∘ (Uᵀ Ū − Ūᵀ U)) S + (I − U Uᵀ) Ū S⁻¹] Vᵀ + U diag(s̄) Vᵀ
  ///       + U [S (F ∘ (Vᵀ V̄ − V̄ᵀ V)) Vᵀ + S⁻¹ V̄ᵀ (I − V Vᵀ)]
  ///
  /// and with P = Uᵀ dA V: ds = diag(P), dU = U (F ∘ (P S + S Pᵀ)) + (I − U Uᵀ) dA V S⁻¹, and dV
  /// likewise.
  static let svd = Rule(
    vjp: { _, x, y, g in
      let (u, s, vt) = y.unpackedSVD(of: x[0]), (gu, gs, gvt) = g.unpackedSVD(of: x[0])
      let f = s.squared().inverseGaps
      let row = s.expandedDims(-2), column = s.expandedDims(-1)
      let turnU = u.times(gu, transposeA: true), turnV = vt.times(gvt, transposeB: true)
      let left =
        u.times(f * (turnU - turnU.matrixTranspose)) * row
        + (gu - u.times(turnU)) * row.reciprocalOrZero + u * gs.expandedDims(-2)
      let right =
        (column * (f * (turnV - turnV.matrixTranspose))).times(vt)
        + column.reciprocalOrZero * (gvt - turnV.matrixTranspose.times(vt))
      return [left.times(vt) + u.times(right)]
    },
    jvp: { _, x, y, t in
      guard let t = t[0] else { return nil }
      let (u, s, vt) = y.unpackedSVD(of: x[0])
      let f = s.squared().inverseGaps
      let row = s.expandedDims(-2), column = s.expandedDims(-1)
      let tv = t.times(vt, transposeB: true), ut = u.times(t, transposeA: true)
      let p = ut.times(vt, transposeB: true)
      let pt = p.matrixTranspose
      let du = u.times(f * (p * row + column * pt)) + (tv - u.times(p)) * row.reciprocalOrZero
      // dVᵀ is the transpose of V (F ∘ (S P + Pᵀ S)) + (I − V Vᵀ) dAᵀ U S⁻¹.
      let turn = (f * (column * p + pt * row)).matrixTranspose
      let dvt = turn.times(vt) + column.reciprocalOrZero * (ut - p.times(vt))
      return .packed([du, p.diagonalVector, dvt], like: y)
    },
    batch: batch,
    reference: { _, x, shape, dtype in
      x.eachMatrix(shape, dtype) {
        let (u, s, v) = $0[0].svd()
        return u.values + s + v.transpose.values
      }
    })

  /// A = Q R. A wide A = [X Y] is Q [U V] with X = Q U, Y = Q V: what comes through V is first led
  /// back to Q and Y. For the square or tall part, with M = R R̄ᵀ − Q̄ᵀ Q: Ā = (Q̄ + Q ·
  /// copyltu(M)) R⁻ᵀ, where copyltu mirrors the lower triangle; and with C = dA R⁻¹, W = Qᵀ C, Ω =
  /// strict lower of W minus its transpose: dR = (W − Ω) R, dQ = C − Q (W − Ω).
  static let qr = Rule(
    vjp: { _, x, y, g in
      let (q, r) = y.unpackedQR(of: x[0]), (gq, gr) = g.unpackedQR(of: x[0])
      let rank = q.rank, k = q.shape[rank - 1], n = x[0].shape[rank - 1]
      guard n > k else { return [tallGradient(q, r, gq, gr)] }
      let v = r.sliced(rank - 1, k, n), gv = gr.sliced(rank - 1, k, n)
      let throughQ = gq + q.times(v).times(gv, transposeB: true)
      let gx = tallGradient(q, r.sliced(rank - 1, 0, k), throughQ, gr.sliced(rank - 1, 0, k))
      return [.concatenated([gx, q.times(gv)], axis: -1)]
    },
    jvp: { _, x, y, t in
      guard let t = t[0] else { return nil }
      let (q, r) = y.unpackedQR(of: x[0])
      let rank = q.rank, k = q.shape[rank - 1], n = x[0].shape[rank - 1]
      let square = r.sliced(rank - 1, 0, k)
      let c = square.dividing(
        t.sliced(rank - 1, 0, k).matrixTranspose, lower: false, transposed: true
      ).matrixTranspose
      let w = q.times(c, transposeA: true)
      let strict = w.lowerTriangle(k: -1)
      let growth = w - strict + strict.matrixTranspose
      let dq = c - q.times(growth)
      guard n > k else { return .packed([dq, growth.times(square)], like: y) }
      let v = r.sliced(rank - 1, k, n)
      // V = Qᵀ Y
      let dv =
        dq.times(q.times(v), transposeA: true) + q.times(t.sliced(rank - 1, k, n), transposeA: true)
      return .packed([dq, .concatenated([growth.times(square), dv], axis: -1)], like: y)
    },
    batch: batch,
    reference: { _, x, shape, dtype in
      x.eachMatrix(shape, dtype) {
        let (q, r) = $0[0].qr()
        return q.values + r.values
      }
    })

  private static func tallGradient(_ q: Tensor, _ r: Tensor, _ gq: Tensor, _ gr: Tensor) -> Tensor {
    let m = r.times(gr, transposeB: true) - gq.times(q, transposeA: true)
    let mirrored = m.lowerTriangle(k: 0) + m.lowerTriangle(k: -1).matrixTranspose
    let right = gq + q.times(mirrored)
    return r.dividing(right.matrixTranspose, lower: false).matrixTranspose
  }
}

extension Tensor {
  /// Eigenvalues [..., n] and eigenvectors [..., n, n] of a packed row.
  var unpackedEigen: (values: Tensor, vectors: Tensor) {
    let packed = shape[rank - 1]
    // n + n² = packed
    let n = Int((Double(4 * packed + 1).squareRoot() - 1) / 2 + 0.5)
    let parts = unpacked([[n], [n, n]])
    return (parts[0], parts[1])
  }

  /// U, the singular values and Vᵀ of a packed row, for a decomposed matrix.
  func unpackedSVD(of matrix: Tensor) -> (u: Tensor, s: Tensor, vt: Tensor) {
    let (m, n) = (matrix.shape[matrix.rank - 2], matrix.shape[matrix.rank - 1])
    let k = Swift.min(m, n)
    let parts = unpacked([[m, k], [k], [k, n]])
    return (parts[0], parts[1], parts[2])
  }

  /// Q and R of a packed row, for a decomposed matrix.
  func unpackedQR(of matrix: Tensor) -> (q: Tensor, r: Tensor) {
    let (m, n) = (matrix.shape[matrix.rank - 2], matrix.shape[matrix.rank - 1])
    let k = Swift.min(m, n)
    let parts = unpacked([[m, k], [k, n]])
    return (parts[0], parts[1])
  }

  /// [..., a + b + …] → […, a shape], […, b shape], …
  private func unpacked(_ shapes: [[Int]]) -> [Tensor] {
    var start = 0
    return shapes.map { part in
      defer { start += part.product }
      return sliced(rank - 1, start, start + part.product).reshaped(Array(shape.dropLast()) + part)
    }
  }

  /// The reverse of `unpacked`, into the shape of `row`.
  fileprivate static func packed(_ parts: [Tensor], like row: Tensor) -> Tensor {
    let front = Array(row.shape.dropLast())
    let rows = parts.map { part in
      part.reshaped(front + [part.shape.dropFirst(front.count).reduce(1, *)])
    }
    return .concatenated(rows, axis: -1)
  }

  /// 1 / (xⱼ − xᵢ), row i, column j; 0 where they are equal.
  fileprivate var inverseGaps: Tensor { (expandedDims(-2) - expandedDims(-1)).reciprocalOrZero }
}
