import Testing

import TarnCore

/// Literals were computed with PyTorch 2.15 (`torch.linalg`).
@Suite("Linear algebra") struct LinearAlgebraTests {
  let a = Tensor([4, 2, 1, 2, 5, 3, 1, 3, 6] as [Double], shape: [3, 3])

  /// Symmetric positive definite, a batch of two.
  private static func definite(_ x: Tensor) -> Tensor {
    x.times(x, transposeB: true) + 2 * x.identity
  }

  @Test func values() {
    expect(a.cholesky(), [2, 0, 0, 1, 2, 0, 0.5, 1.25, 2.0463382], shape: [3, 3])
    expect(a.determinant(), [67], shape: [], within: 1e-12)
    expect(a.symmetricEigen().values, [1.9213469, 3.7301591, 9.3484939])
    expect(
      a.solve(pattern([3, 2])),
      [-1.2835821, -0.0895522, -0.1641791, 1.8955224, 0.4626866, -1.4328358],
      shape: [3, 2])
    expect(pattern([4, 3]).svd().s, [10.113478, 5.3637805, 1.986812])
    expect(a.trace(), [15], shape: [])
    expect(a.matmul(a.inverse()), Tensor.eye(3).array(of: Double.self), within: 1e-12)
  }

  @Test func orthogonalFactorsHaveTheSignsOfLAPACK() {
    let tall = pattern([3, 2]).qr()
    expect(
      tall.q, [-0.9128709, 0.4062389, -0.3651484, -0.7681607, 0.1825742, 0.4948728], shape: [3, 2])
    expect(tall.r, [5.4772256, -4.1992063, 0, -4.5129443], shape: [2, 2])
    let wide = pattern([2, 3]).qr()
    expect(wide.q, [-0.7071068, 0.7071068, 0.7071068, 0.7071068], shape: [2, 2])
    expect(wide.r, [7.0710678, -0.7071068, -0.7071068, 0, 2.1213203, -3.5355339], shape: [2, 3])
  }

  @Test(arguments: [[2, 4, 3], [2, 3, 4], [2, 3, 3]]) func factorsMultiplyToTheMatrix(
    _ shape: [Int]
  ) {
    let x = sample(shape)
    let (q, r) = x.qr()
    #expect(gap(q.times(r), x) < 1e-12)
    let (u, s, vt) = x.svd()
    #expect(gap((u * s.expandedDims(-2)).times(vt), x) < 1e-12)
    for orthogonal in [q, u, vt.matrixTranspose] {
      let gram = orthogonal.times(orthogonal, transposeA: true)
      #expect(gap(gram, gram.identity) < 1e-12)
    }
    let symmetric = x.times(x, transposeB: true)
    let (w, v) = symmetric.symmetricEigen()
    #expect(gap(symmetric.times(v), v * w.expandedDims(-2)) < 1e-12)
  }

  @Test func singularMatricesHaveOrthogonalFactorsToo() {
    let x = Tensor([1, 2, 2, 4, 3, 6] as [Double], shape: [3, 2])
    let (u, s, _) = x.svd()
    expect(s, [8.366600265, 0], within: 1e-9)
    expect(u.times(u, transposeA: true), [1, 0, 0, 1], within: 1e-12)
    expect(Tensor.zeros([2, 2], dtype: .float64).svd().u, [1, 0, 0, 1])
    expect(Tensor([1, 2, 2, 4] as [Double], shape: [2, 2]).determinant(), [0])
  }

  @Test func triangularSystems() {
    let l = Tensor([2, 9, 1, 4] as [Double], shape: [2, 2]), b = Tensor([2, 9] as [Double])
    expect(l.triangularSolve(b, lower: true), [1, 2], shape: [2])
    expect(l.triangularSolve(b, lower: true, transposed: true), [-0.125, 2.25])
    expect(l.triangularSolve(b, lower: false), [-9.125, 2.25])
    expect(l.triangularSolve(b, lower: false, transposed: true), [1, 0])
  }

  @Test func batchAxesBroadcast() {
    let b = sample([3, 2]), many = Self.definite(sample([4, 3, 3]))
    let x = many.solve(b)
    #expect(x.shape == [4, 3, 2])
    #expect(gap(many.matmul(x), b.broadcast(to: [4, 3, 2])) < 1e-12)
  }

  @Test func gradientOfCholesky() {
    expect(
      grad({ $0.cholesky().sum() }, at: a),
      [
        0.1493919, 0.1310805, 0.1402712, 0.1310805, 0.1891949, 0.0972882, 0.1402712, 0.0972882,
        0.2443389,
      ])
  }

  @Test func derivativesOfSolutions() {
    let x = sample([2, 3, 3]), b = sample([2, 3, 2], 3)
    checkDerivatives([x]) { Self.definite($0[0]).cholesky() }
    checkDerivatives([x, b]) { Self.definite($0[0]).solve($0[1]) }
    checkDerivatives([x]) { Self.definite($0[0]).determinant() }
    for (lower, transposed) in [(true, false), (true, true), (false, false), (false, true)] {
      checkDerivatives([x, b]) {
        ($0[0] + 3 * $0[0].identity).triangularSolve($0[1], lower: lower, transposed: transposed)
      }
    }
  }

  /// Signs of factors are arbitrary, so functions are checked that do not see them.
  @Test(arguments: [[2, 4, 3], [2, 3, 4], [2, 3, 3]]) func derivativesOfDecompositions(
    _ shape: [Int]
  ) {
    let x = [sample(shape, 4)], weights = sample(shape, 8)
    checkDerivatives(x, tolerance: 1e-4) {
      let (u, s, vt) = $0[0].svd()
      return (u * s.exp().expandedDims(-2)).times(vt) * weights
    }
    checkDerivatives(x, tolerance: 1e-4) {
      let (q, r) = $0[0].qr()
      return q.squared().sum(axes: [-1])
        * r.sin().squared().sum(axes: [-1]).sum(axes: [-1], keepDims: true)
        + (q * q * q).times(r).sum(axes: [-1])
    }
    checkDerivatives([Self.definite(sample([2, 3, 3], 4))], tolerance: 1e-4) {
      let (w, v) = $0[0].symmetricPart.symmetricEigen()
      return (v * w.sqrt().expandedDims(-2)).times(v, transposeB: true)
    }
  }

  @Test func eigenvaluesThatCoincideStillHaveDerivatives() {
    let g = grad({ $0.symmetricEigen().values.sum() }, at: Tensor.eye(3, dtype: .float64))
    expect(g, Tensor.eye(3).array(of: Double.self))
  }

  @Test func batching() {
    let x = Self.definite(sample([3, 3])), b = sample([3, 2], 3)
    checkBatching([x]) { $0[0].cholesky() }
    checkBatching([x, b]) { $0[0].solve($0[1]) }
    checkBatching([x, b]) { $0[0].triangularSolve($0[1], lower: true, transposed: true) }
    checkBatching([x]) { $0[0].determinant() }
    checkBatching([x]) { $0[0].symmetricEigen().values }
    checkBatching([sample([2, 3])]) { $0[0].svd().s }
    checkBatching([sample([2, 3])]) { $0[0].qr().r }
  }

  @Test func mistakesAreNamed() {
    let indefinite = Tensor([1, 2, 2, 1] as [Double], shape: [2, 2])
    #expect(diagnosed { indefinite.cholesky() }.contains("not positive definite"))
    let singular = Tensor([1, 2, 2, 4] as [Double], shape: [2, 2])
    #expect(diagnosed { singular.inverse() }.contains("the matrix is singular"))
    #expect(diagnosed { sample([2, 3]).cholesky() }.contains("the matrix must be square"))
    #expect(diagnosed { sample([3]).qr().q }.contains("a matrix has two axes"))
    #expect(diagnosed { singular.solve(sample([3])) }.contains("B must have as many rows as A"))
  }
}
