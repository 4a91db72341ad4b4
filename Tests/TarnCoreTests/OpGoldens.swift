import Foundation
import Tarn

/// What PyTorch computed, by case, and the same written with our operations. See `Tests/Goldens/README.md`.
enum OpGoldens {
  typealias Function = @Sendable ([Tensor]) -> [Tensor]

  /// The arrays of one file, by case.
  static func cases(_ file: String) throws -> [(name: String, arrays: [String: Tensor])] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Goldens")
    var cases: [String: [String: Tensor]] = [:]
    for (key, tensor) in try NPZ.read(contentsOf: folder.appendingPathComponent(file + ".npz")) {
      let parts = key.split(separator: "/").map(String.init)
      guard parts.count == 3 else { continue }
      cases[parts[1], default: [:]][parts[2]] = tensor
    }
    return cases.sorted { $0.key < $1.key }.map { (name: $0.key, arrays: $0.value) }
  }

  private static func one(_ f: @escaping @Sendable (Tensor) -> Tensor) -> Function {
    { [f($0[0])] }
  }
  private static func two(_ f: @escaping @Sendable (Tensor, Tensor) -> Tensor) -> Function {
    { [f($0[0], $0[1])] }
  }

  static let functions: [String: [String: Function]] = [
    "ops": unary.merging(binary) { a, _ in a }, "reductions": reductions, "movement": movement,
    "contractions": contractions.merging(linearAlgebra) { a, _ in a },
  ]

  static let unary: [String: Function] = [
    "exp": one { $0.exp() }, "expm1": one { $0.expm1() }, "log": one { $0.log() },
    "log1p": one { $0.log1p() }, "log2": one { $0.log2() }, "log10": one { $0.log10() },
    "sqrt": one { $0.sqrt() }, "rsqrt": one { $0.rsqrt() }, "reciprocal": one { $0.reciprocal() },
    "squared": one { $0.squared() }, "negate": one { -$0 }, "abs": one { $0.abs() },
    "sign": one { $0.sign() }, "sin": one { $0.sin() }, "cos": one { $0.cos() },
    "tan": one { $0.tan() }, "asin": one { $0.asin() }, "acos": one { $0.acos() },
    "atan": one { $0.atan() }, "sinh": one { $0.sinh() }, "cosh": one { $0.cosh() },
    "tanh": one { $0.tanh() }, "erf": one { $0.erf() }, "erfInverse": one { $0.erfInverse() },
    "sigmoid": one { $0.sigmoid() }, "relu": one { $0.relu() }, "softplus": one { $0.softplus() },
    "logSigmoid": one { $0.logSigmoid() }, "gelu": one { $0.gelu() },
    "gelu_tanh": one { $0.gelu(approximate: true) }, "silu": one { $0.silu() },
    "elu": one { $0.elu() }, "elu_05": one { $0.elu(alpha: 0.5) },
    "leakyReLU_02": one { $0.leakyReLU(slope: 0.2) }, "hardSwish": one { $0.hardSwish() },
    "hardSigmoid": one { $0.hardSigmoid() }, "floor": one { $0.floor() }, "ceil": one { $0.ceil() },
    "round": one { $0.round() }, "clamped_m1_2": one { $0.clamped(min: -1, max: 2) },
    "clamped_min0": one { $0.clamped(min: 0) }, "pow_3": one { $0.pow(3) },
    "pow_m05": one { $0.pow(-0.5) }, "isNaN": one { $0.isNaN() }, "isFinite": one { $0.isFinite() },
    "sorted": one { $0.sorted() }, "argSort": one { $0.argSort() },
    "argMax_nan": one { $0.argMax() }, "max_nan": one { $0.max(0) }, "min_nan": one { $0.min(0) },
    "softmax_far": one { $0.softmax() }, "logSoftmax_far": one { $0.logSoftmax() },
    "logSumExp_far": one { $0.logSumExp() }, "logSumExp_empty": one { $0.logSumExp() },
    "not": one { .!$0 }, "not_integers": one { .!$0 },
  ]

  static let binary: [String: Function] = [
    "add": two { $0 + $1 }, "subtract": two { $0 - $1 }, "multiply": two { $0 * $1 },
    "divide": two { $0 / $1 }, "pow": two { $0.pow($1) }, "remainder": two { $0 % $1 },
    "floorDivided": two { $0.floorDivided(by: $1) }, "maximum": two { maximum($0, $1) },
    "minimum": two { minimum($0, $1) }, "atan2": two { atan2($0, $1) },
    "logAddExp": two { $0.logAddExp($1) }, "which": { [which($0[2], $0[0], $0[1])] },
    "equal": two { $0 .== $1 }, "notEqual": two { $0 .!= $1 }, "less": two { $0 .< $1 },
    "lessEqual": two { $0 .<= $1 }, "greater": two { $0 .> $1 }, "greaterEqual": two { $0 .>= $1 },
    "and": two { $0 .& $1 }, "or": two { $0 .| $1 }, "xor": two { $0 .^ $1 },
    "and_integers": two { $0 .& $1 }, "or_integers": two { $0 .| $1 },
    "xor_integers": two { $0 .^ $1 }, "remainder_integers": two { $0 % $1 },
    "floorDivided_integers": two { $0.floorDivided(by: $1) }, "divide_integers": two { $0 / $1 },
  ]

  static let reductions: [String: Function] = [
    "sum": one { $0.sum() }, "sum_axis1": one { $0.sum(1) },
    "sum_axes02_keep": one { $0.sum(0, 2, keepDims: true) }, "mean": one { $0.mean() },
    "mean_axism1": one { $0.mean(-1) }, "product": one { $0.product() },
    "product_axis1": one { $0.product(1) }, "product_zeros": one { $0.product(1) },
    "max": one { $0.max() }, "max_axis1": one { $0.max(1) }, "max_ties": one { $0.max(1) },
    "min_axes01_keep": one { $0.min(0, 1, keepDims: true) }, "variance": one { $0.variance() },
    "variance_axism1_unbiased": one { $0.variance(-1, unbiased: true) },
    "standardDeviation_axis0": one { $0.standardDeviation(0) },
    "logSumExp_axis1": one { $0.logSumExp(1) }, "logSumExp": one { $0.logSumExp() },
    "norm": one { $0.norm() }, "norm_axis1": one { $0.norm(1) }, "any_axis1": one { $0.any(1) },
    "all_axis1": one { $0.all(1) }, "argMax": one { $0.argMax() },
    "argMax_axis1_keep": one { $0.argMax(axis: 1, keepDims: true) },
    "argMin_axism1": one { $0.argMin(axis: -1) },
    "cumulativeSum_axis1": one { $0.cumulativeSum(axis: 1) }, "sorted_axism1": one { $0.sorted() },
    "sorted_axis0_descending": one { $0.sorted(axis: 0, descending: true) },
    "argSort_axis1": one { $0.argSort(axis: 1) }, "argSort_ties": one { $0.argSort() },
    "argSort_ties_descending": one { $0.argSort(descending: true) },
    "topK_2": { x in
      let (values, indices) = x[0].topK(2)
      return [values, indices]
    },
    "softmax": one { $0.softmax() }, "softmax_axis0": one { $0.softmax(axis: 0) },
    "logSoftmax": one { $0.logSoftmax() },
  ]

  static let movement: [String: Function] = [
    "reshaped_4x6": one { $0.reshaped(4, 6) }, "permuted_201": one { $0.permuted(2, 0, 1) },
    "broadcast_2x3x4": one { $0.broadcast(to: [2, 3, 4]) },
    "padded_12x01_value7": one { $0.padded([(1, 2), (0, 1)], value: 7) },
    "padded_21_reflect": one { $0.padded([(0, 0), (0, 0), (2, 1)], mode: .reflect) },
    "padded_23_edge": one { $0.padded([(0, 0), (0, 0), (2, 3)], mode: .edge) },
    "concatenated_axis1": { [.concatenated($0, axis: 1)] },
    "stacked_axis1": { [.stacked($0, axis: 1)] },
    "split_1x3_axis1": { $0[0].split(sizes: [1, 3], axis: 1) },
    "flipped_02": one { $0.flipped(0, 2) }, "rolled_by2_axis1": one { $0.rolled(by: 2, axis: 1) },
    "rolled_bym1_axis0": one { $0.rolled(by: -1, axis: 0) },
    "repeated_3_axis1": one { $0.repeated(3, axis: 1) }, "tiled_2x3": one { $0.tiled([2, 3]) },
    "slice_1to3_x_last": one { $0[.all, 1..<3, -1] },
    "slice_step2": one { $0[.all, .all, (1..<4).by(2)] },
    "lowerTriangle": one { $0.lowerTriangle() }, "lowerTriangle_k1": one { $0.lowerTriangle(k: 1) },
    "upperTriangle_km1": one { $0.upperTriangle(k: -1) }, "diagonal": one { $0.diagonal() },
    "diagonalOf": one { .diagonal(of: $0) }, "take_axis0": two { $0[$1] },
    "take_axis1": two { $0.take($1, axis: 1) },
    "takeAlong_axis1": two { $0.takeAlong($1, axis: 1) },
    "takeAlong_axis0": two { $0.takeAlong($1, axis: 0) },
    "scatterAdded_axis0": { [$0[0].scatterAdded($0[1], at: $0[2])] },
    "scatterAdded_axis1": { [$0[0].scatterAdded($0[1], at: $0[2], axis: 1)] },
    "mask": two { $0[$1] }, "nonZero": one { $0.nonZero() },
    "oneHot_4": one { $0.oneHot(4, dtype: .float64) },
  ]

  static let contractions: [String: Function] = [
    "matmul": two { $0.matmul($1) }, "matmul_batched": two { $0.matmul($1) },
    "matmul_broadcast": two { $0.matmul($1) }, "matmul_vectorMatrix": two { $0.matmul($1) },
    "matmul_matrixVector": two { $0.matmul($1) }, "matmul_batchedVector": two { $0.matmul($1) },
    "matmul_vectors": two { $0.matmul($1) }, "outer": two { $0.outer($1) },
    "einsum_bij_bjk_bik": two { einsum("bij,bjk->bik", $0, $1) },
    "einsum_ij_ji": one { einsum("ij->ji", $0) }, "einsum_ii_i": one { einsum("ii->i", $0) },
    "einsum_ii": one { einsum("ii->", $0) }, "einsum_ij_i": one { einsum("ij->i", $0) },
    "einsum_i_j_ij": two { einsum("i,j->ij", $0, $1) },
    "einsum_ij_ij": two { einsum("ij,ij->", $0, $1) },
    "einsum_bhqd_bhkd_bhqk": two { einsum("bhqd,bhkd->bhqk", $0, $1) },
    "einsum_ij_jk_kl_il": { [einsum("ij,jk,kl->il", $0[0], $0[1], $0[2])] },
    "conv_s2_p1_g2": two {
      $0.convolved($1, strides: [2, 2], padding: [(1, 1), (1, 1)], groups: 2)
    },
    "conv1d_s2_p2_d2": two { $0.convolved($1, strides: [2], padding: [(2, 2)], dilations: [2]) },
    "convTransposed_s2_p1_op1": two {
      $0.convolvedTransposed(
        $1, strides: [2, 2], padding: [(1, 1), (1, 1)], outputPadding: [1, 1])
    },
  ]

  private static func symmetric(_ a: Tensor) -> Tensor { (a + a.transposed()) / 2 }

  static let linearAlgebra: [String: Function] = [
    "cholesky": one { symmetric($0).cholesky() },
    "cholesky_batched": one { symmetric($0).cholesky() },
    "qr_squared": { x in
      let (q, r) = x[0].qr()
      return [q.squared(), r.squared()]
    },
    "qr_product": { x in
      let (q, r) = x[0].qr()
      return [q.matmul(r)]
    },
    "svd_values": { [$0[0].svd().s] },
    "svd_squared": { x in
      let (u, s, vt) = x[0].svd()
      return [u.squared(), s, vt.squared()]
    },
    "symmetricEigen_values": { [symmetric($0[0]).symmetricEigen().values] },
    "symmetricEigen_squared": { x in
      let (values, vectors) = symmetric(x[0]).symmetricEigen()
      return [values, vectors.squared()]
    },
    "solve": two { $0.solve($1) }, "solve_batched": two { $0.solve($1) },
    "inverse": one { $0.inverse() }, "determinant": one { $0.determinant() },
    "triangularSolve_lower": two { $0.triangularSolve($1, lower: true) },
    "triangularSolve_upper": two { $0.triangularSolve($1, lower: false) },
    "triangularSolve_lower_transposed": two {
      $0.triangularSolve($1, lower: true, transposed: true)
    },
    "triangularSolve_upper_transposed": two {
      $0.triangularSolve($1, lower: false, transposed: true)
    },
    "trace": one { $0.trace() },
  ]
}
