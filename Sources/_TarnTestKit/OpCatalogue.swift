import Tarn

extension OpCase {
  /// Every operation of the public surface, each in the settings that take different paths.
  public static var catalogue: [OpCase] {
    elementwise + binary + logic + reductions + movement + indexing + contractions + windows
      + linearAlgebra
  }

  private static let shape = [[3, 5]]

  static let elementwise: [OpCase] = [
    OpCase("negate", shape, dtypes: numbers) { -$0[0] },
    OpCase("abs", shape, dtypes: numbers) { $0[0].abs() },
    OpCase("sign", shape, dtypes: numbers, order: 0) { $0[0].sign() },
    OpCase("exp", shape) { $0[0].exp() },
    OpCase("expm1", shape) { $0[0].expm1() },
    OpCase("log", shape, domains: [.positive]) { $0[0].log() },
    OpCase("log1p", shape, domains: [.unit]) { $0[0].log1p() },
    OpCase("sqrt", shape, domains: [.positive]) { $0[0].sqrt() },
    OpCase("rsqrt", shape, domains: [.positive]) { $0[0].rsqrt() },
    OpCase("reciprocal", shape, domains: [.positive]) { $0[0].reciprocal() },
    OpCase("sin", shape) { $0[0].sin() },
    OpCase("cos", shape) { $0[0].cos() },
    OpCase("tan", shape, domains: [.unit]) { $0[0].tan() },
    OpCase("asin", shape, domains: [.unit]) { $0[0].asin() },
    OpCase("acos", shape, domains: [.unit]) { $0[0].acos() },
    OpCase("atan", shape) { $0[0].atan() },
    OpCase("sinh", shape) { $0[0].sinh() },
    OpCase("cosh", shape) { $0[0].cosh() },
    OpCase("tanh", shape) { $0[0].tanh() },
    OpCase("erf", shape) { $0[0].erf() },
    OpCase("erfInverse", shape, domains: [.unit], slack: 4) { $0[0].erfInverse() },
    OpCase("sigmoid", shape) { $0[0].sigmoid() },
    OpCase("relu", shape, dtypes: floating) { $0[0].relu() },
    OpCase("softplus", shape) { $0[0].softplus() },
    OpCase("logSigmoid", shape) { $0[0].logSigmoid() },
    OpCase("gelu", shape, slack: 2) { $0[0].gelu() },
    OpCase("gelu approximate", shape, slack: 2) { $0[0].gelu(approximate: true) },
    OpCase("silu", shape) { $0[0].silu() },
    OpCase("elu", shape) { $0[0].elu(alpha: 0.7) },
    OpCase("leakyReLU", shape) { $0[0].leakyReLU(slope: 0.2) },
    OpCase("hardSwish", shape) { $0[0].hardSwish() },
    OpCase("floor", shape, order: 0) { $0[0].floor() },
    OpCase("ceil", shape, order: 0) { $0[0].ceil() },
    OpCase("round", shape, order: 0) { $0[0].round() },
    OpCase("isNaN", shape, order: 0) { $0[0].isNaN() },
    OpCase("clamped", shape) { $0[0].clamped(min: -0.77, max: 1.23) },
    OpCase("hardTanh", shape) { $0[0].hardTanh(from: -0.77, to: 1.23) },
    OpCase("pow 3", shape) { $0[0].pow(3) },
    OpCase("pow -1.5", shape, domains: [.positive]) { $0[0].pow(-1.5) },
    OpCase("squared", shape, dtypes: numbers) { $0[0].squared() },
    OpCase("cast to float32", shape, dtypes: all, order: 0) { $0[0].cast(to: .float32) },
    OpCase("cast to int32", shape, dtypes: all, order: 0) { $0[0].cast(to: .int32) },
    OpCase("cast to uint8", shape, dtypes: [.int32, .int64, .int8, .bool], order: 0) {
      $0[0].cast(to: .uint8)
    },
    OpCase("cast to bool", shape, dtypes: all, order: 0) { $0[0].cast(to: .bool) },
    OpCase("scalars", shape, dtypes: numbers) { (2 * $0[0] + 3 - $0[0]) * 5 - 1 },
    OpCase("long chain", shape) { x in
      var y = x[0]
      for step in 0..<150 { y = (y * 0.75 + Double(step % 3)).tanh() + x[0] * 0.125 }
      return y
    },
  ]

  private static let pair = [[3, 5], [3, 5]]
  private static let row = [[4, 3, 5], [3, 1]]

  static let binary: [OpCase] = [
    OpCase("add", pair, dtypes: numbers) { $0[0] + $0[1] },
    OpCase("add, broadcast", row, dtypes: numbers) { $0[0] + $0[1] },
    OpCase("subtract", row, dtypes: numbers) { $0[1] - $0[0] },
    OpCase("multiply", row, dtypes: numbers) { $0[0] * $0[1] },
    OpCase("divide", pair, domains: [.real, .positive]) { $0[0] / $0[1] },
    OpCase("pow", pair, domains: [.positive, .real], slack: 2) { $0[0].pow($0[1]) },
    OpCase("maximum", pair, dtypes: numbers) { maximum($0[0], $0[1]) },
    OpCase("minimum", row, dtypes: numbers) { minimum($0[0], $0[1]) },
    OpCase("atan2", pair) { atan2($0[0], $0[1]) },
    OpCase("remainder", pair, domains: [.real, .positive], dtypes: precise) { $0[0] % $0[1] },
    OpCase("remainder of integers", pair, dtypes: integers, order: 0) { $0[0] % ($0[1] * 2 + 1) },
    OpCase("floorDivided", pair, dtypes: integers, order: 0) {
      $0[0].floorDivided(by: $0[1] * 2 + 1)
    },
    OpCase("logAddExp", pair) { $0[0].logAddExp($0[1]) },
    OpCase("mixed types", pair, dtypes: numbers, order: 0) { $0[0].cast(to: .int32) * 2 + $0[1] },
  ]

  static let logic: [OpCase] = [
    OpCase("equal", pair, dtypes: all, order: 0) { $0[0] .== $0[1] },
    OpCase("notEqual", pair, dtypes: all, order: 0) { $0[0] .!= $0[1] },
    OpCase("less", row, dtypes: numbers, order: 0) { $0[0] .< $0[1] },
    OpCase("lessEqual", row, dtypes: numbers, order: 0) { $0[0] .<= $0[1] },
    OpCase("greater", pair, dtypes: numbers, order: 0) { $0[0] .> 1 },
    OpCase("and", pair, dtypes: [.bool] + integers, order: 0) { $0[0] .& $0[1] },
    OpCase("or", pair, dtypes: [.bool] + integers, order: 0) { $0[0] .| $0[1] },
    OpCase("xor", pair, dtypes: [.bool] + integers, order: 0) { $0[0] .^ $0[1] },
    OpCase("not", shape, dtypes: [.bool] + integers, order: 0) { .!$0[0] },
    OpCase("which", pair, dtypes: numbers) { which($0[0] .> $0[1], $0[0], $0[1] * 2) },
  ]

  private static let cube = [[3, 4, 5]]

  static let reductions: [OpCase] = [
    OpCase("sum", cube, dtypes: numbers + [.bool]) { $0[0].sum() },
    OpCase("sum rows", cube, dtypes: numbers) { $0[0].sum(2) },
    OpCase("sum columns", cube, dtypes: numbers) { $0[0].sum(0, keepDims: true) },
    OpCase("sum middle", cube, dtypes: numbers) { $0[0].sum(1) },
    OpCase("sum outer and inner", cube, dtypes: numbers) { $0[0].sum(0, 2) },
    OpCase("sum of a product", cube + cube) { ($0[0] * $0[1].transposed().transposed()).sum(1, 2) },
    OpCase("sum of a transposed", cube) { ($0[0].transposed() * 2).sum(1) },
    OpCase("mean", cube) { $0[0].mean(0, 2) },
    OpCase("variance", cube) { $0[0].variance(0, 2) },
    OpCase("standardDeviation", cube) { $0[0].standardDeviation(1, unbiased: true) },
    OpCase("max", cube, dtypes: numbers) { $0[0].max(1) },
    OpCase("min", cube, dtypes: numbers) { $0[0].min(0, 2) },
    OpCase("product", [[2, 3, 3]], domains: [.positive], slack: 4) { $0[0].product(1, 2) },
    OpCase("any", cube, dtypes: [.bool], order: 0) { $0[0].any(1) },
    OpCase("all", cube, dtypes: [.bool], order: 0) { $0[0].all(axes: nil) },
    OpCase("logSumExp", cube) { $0[0].logSumExp(1) },
    OpCase("norm", cube) { $0[0].norm(2) },
    OpCase("argMax", cube, dtypes: numbers, order: 0) { $0[0].argMax(axis: 1) },
    OpCase("argMin", cube, dtypes: numbers, order: 0) { $0[0].argMin(axis: 2) },
    OpCase("cumulativeSum", cube, dtypes: numbers) { $0[0].cumulativeSum(axis: 1) },
    OpCase("sorted", cube, dtypes: numbers) { $0[0].sorted(axis: 1, descending: true) },
    OpCase("argSort", cube, dtypes: numbers, order: 0) { $0[0].argSort(axis: 2) },
    OpCase("topK", cube) { $0[0].topK(2, axis: 1).values },
    OpCase("softmax", cube, slack: 2) { $0[0].softmax() },
    OpCase("softmax of a middle axis", cube, slack: 2) { $0[0].softmax(axis: 1) },
    OpCase("logSoftmax", cube, slack: 2) { $0[0].logSoftmax() },
  ]

  static let movement: [OpCase] = [
    OpCase("reshaped", cube, dtypes: all) { $0[0].reshaped(5, 12) },
    OpCase("reshaped after permuted", cube, dtypes: all) {
      $0[0].permuted(2, 0, 1).reshaped(15, 4)
    },
    OpCase("transposed", cube, dtypes: all) { $0[0].transposed() },
    OpCase("permuted and scaled", cube) { $0[0].permuted(2, 0, 1) * 2 + 1 },
    OpCase("broadcast", [[3, 1, 5]], dtypes: all) { $0[0].broadcast(to: [2, 3, 4, 5]) },
    OpCase("sliced", cube, dtypes: all) { $0[0][1..<3, .stride(from: 0, to: 4, by: 2), -1] },
    OpCase("sliced backwards", cube, dtypes: all) { $0[0][.all, .stride(from: 3, to: 0, by: -2)] },
    OpCase("padded", cube, dtypes: all) { $0[0].padded([(1, 0), (0, 2), (3, 1)]) },
    OpCase("padded by reflection", cube) {
      $0[0].padded([(0, 0), (1, 2), (2, 1)], mode: .reflect)
    },
    OpCase("padded by the edge", cube) { $0[0].padded([(0, 0), (1, 2), (2, 1)], mode: .edge) },
    OpCase("concatenated", cube + cube, dtypes: all) {
      .concatenated([$0[0], $0[1], $0[0]], axis: 1)
    },
    OpCase("stacked", cube + cube, dtypes: all) { .stacked([$0[0], $0[1]], axis: -1) },
    OpCase("split", cube, dtypes: all) { $0[0].split(sizes: [1, 3], axis: 1)[1] },
    OpCase("flipped", cube, dtypes: all) { $0[0].flipped([0, 2]) },
    OpCase("rolled", cube, dtypes: all) { $0[0].rolled(by: 2, axis: 1) },
    OpCase("repeated", cube) { $0[0].repeated(3, axis: 1) },
    OpCase("lowerTriangle", [[4, 5]]) { $0[0].lowerTriangle(k: 1) },
    OpCase("diagonal", [[4, 5]]) { $0[0].diagonal() },
  ]

  static let indexing: [OpCase] = [
    OpCase("take", [[6, 4], [2, 3]], domains: [.real, .indices(6)], dtypes: all) {
      $0[0].take($0[1], axis: 0)
    },
    OpCase("take along the last axis", [[6, 4], [3]], domains: [.real, .indices(4)], dtypes: all) {
      $0[0].take($0[1] - 4, axis: 1)
    },
    OpCase("takeAlong", [[6, 4], [6, 2]], domains: [.real, .indices(4)], dtypes: all) {
      $0[0].takeAlong($0[1], axis: 1)
    },
    OpCase(
      "scatterAdded", [[6, 4], [5, 4], [5]], domains: [.real, .real, .indices(6)], dtypes: numbers
    ) {
      $0[0].scatterAdded($0[1], at: $0[2], axis: 0)
    },
    OpCase("replacing", cube + [[2, 5]], dtypes: numbers) {
      $0[0].replacing([.all, 1..<3], with: $0[1])
    },
    OpCase("oneHot", [[7]], domains: [.indices(5)], dtypes: [.int64], order: 0) { $0[0].oneHot(5) },
  ]

  static let contractions: [OpCase] = [
    OpCase("matmul", [[5, 7], [7, 4]], dtypes: numbers, slack: 4) { $0[0].matmul($0[1]) },
    OpCase("matmul, left transposed", [[7, 5], [7, 4]], slack: 4) {
      $0[0].transposed().matmul($0[1])
    },
    OpCase("matmul, right transposed", [[5, 7], [4, 7]], slack: 4) {
      $0[0].matmul($0[1].transposed())
    },
    OpCase("matmul, both transposed", [[7, 5], [4, 7]], slack: 4) {
      $0[0].transposed().matmul($0[1].transposed())
    },
    OpCase("matmul, batches", [[2, 3, 5], [2, 5, 4]], slack: 4) { $0[0].matmul($0[1]) },
    OpCase("matmul, broadcast batches", [[3, 1, 2, 5], [2, 5, 4]], slack: 4) {
      $0[0].matmul($0[1])
    },
    OpCase("matmul, vector", [[4, 5], [5]], slack: 4) { $0[0].matmul($0[1]) },
    OpCase("matmul, column and row", [[3, 5, 1], [3, 1, 7]]) { $0[0].matmul($0[1]) },
    OpCase("dot", [[6], [6]], slack: 4) { $0[0].dot($0[1]) },
    OpCase("outer", [[4], [3]]) { $0[0].outer($0[1]) },
    OpCase("einsum", [[2, 3, 4], [4, 3, 5]], slack: 4) { einsum("bij,jik->bk", $0[0], $0[1]) },
    OpCase("convolution 1-D", [[2, 4, 9], [6, 2, 3]], dtypes: precise, slack: 4) {
      $0[0].convolved($0[1], strides: [2], padding: [(1, 2)], dilations: [2], groups: 2)
    },
    OpCase("convolution", [[2, 3, 6, 5], [4, 3, 3, 2]], slack: 4) {
      $0[0].convolved($0[1], strides: [1, 1], padding: [(0, 0), (0, 0)], dilations: [1, 1])
    },
    OpCase("convolution, general", [[2, 4, 7, 6], [6, 2, 3, 2]], slack: 4) {
      $0[0].convolved(
        $0[1], strides: [2, 1], padding: [(1, 0), (2, 1)], dilations: [1, 2], groups: 2)
    },
    OpCase("convolution, 1 × 1", [[2, 3, 4, 4], [5, 3, 1, 1]], slack: 4) {
      $0[0].convolved($0[1], strides: [1, 1], padding: [(0, 0), (0, 0)], dilations: [1, 1])
    },
    OpCase("convolution, few channels of many images", [[18, 1, 6, 7], [5, 1, 3, 3]], slack: 4) {
      $0[0].convolved(
        $0[1], strides: [1, 1], padding: [(1, 1), (1, 1)], dilations: [1, 1])
    },
    OpCase("convolution, depthwise", [[2, 3, 5, 5], [3, 1, 3, 3]], slack: 4) {
      $0[0].convolved(
        $0[1], strides: [1, 1], padding: [(1, 1), (1, 1)], dilations: [1, 1], groups: 3)
    },
    OpCase("transposed convolution", [[2, 4, 3, 4], [4, 2, 3, 3]], slack: 4) {
      $0[0].convolvedTransposed(
        $0[1], strides: [2, 2], padding: [(1, 1), (0, 1)], outputPadding: [1, 0],
        dilations: [1, 1], groups: 2)
    },
  ]

  private static let images = [[2, 3, 6, 5]]

  static let windows: [OpCase] = [
    OpCase("maxPooled", images) { $0[0].maxPooled([2, 2]) },
    OpCase("maxPooled, wide", [[1, 2, 5, 46]]) { $0[0].maxPooled([2, 2]) },
    OpCase("maxPooled, rectified", [[2, 2, 6, 11]]) { $0[0].relu().maxPooled([2, 2]) },
    OpCase("maxPooled, overlapping", images) {
      $0[0].maxPooled([3, 3], strides: [2, 1], padding: [(1, 1), (1, 0)], ceil: true)
    },
    OpCase("averagePooled", images) { $0[0].averagePooled([2, 2]) },
    OpCase("averagePooled, padding not counted", images) {
      $0[0].averagePooled(
        [3, 3], strides: [2, 2], padding: [(1, 1), (1, 1)], countIncludesPadding: false)
    },
    OpCase("adaptiveAveragePooled, even", images) { $0[0].adaptiveAveragePooled(to: [3, 1]) },
    OpCase("adaptiveAveragePooled, uneven", images) { $0[0].adaptiveAveragePooled(to: [4, 3]) },
    OpCase("adaptiveMaxPooled", images) { $0[0].adaptiveMaxPooled(to: [4, 3]) },
    OpCase("upsampled, nearest", images) { $0[0].upsampled(by: [2, 3]) },
    OpCase("upsampled, bilinear", images) {
      $0[0].upsampled(to: [9, 7], mode: .bilinear(alignCorners: false))
    },
  ]

  static let linearAlgebra: [OpCase] = [
    OpCase("cholesky", [[2, 4, 4]], domains: [.definite], dtypes: precise, slack: 20) {
      let symmetric = ($0[0] + $0[0].transposed()) * 0.5
      return symmetric.cholesky()
    },
    OpCase(
      "solve", [[2, 4, 4], [2, 4, 3]], domains: [.regular, .real], dtypes: precise, slack: 20
    ) { $0[0].solve($0[1]) },
    OpCase("inverse", [[4, 4]], domains: [.regular], dtypes: precise, slack: 20) {
      $0[0].inverse()
    },
    OpCase("determinant", [[2, 4, 4]], domains: [.regular], dtypes: precise, slack: 20) {
      $0[0].determinant()
    },
    OpCase(
      "triangularSolve", [[4, 4], [4, 3]], domains: [.regular, .real], dtypes: precise, slack: 20
    ) {
      $0[0].lowerTriangle().triangularSolve($0[1], lower: true)
    },
    OpCase(
      "triangularSolve, transposed", [[4, 4], [4, 3]], domains: [.regular, .real], dtypes: precise,
      slack: 20
    ) {
      $0[0].upperTriangle().triangularSolve($0[1], lower: false, transposed: true)
    },
    OpCase("eigenvalues", [[4, 4]], domains: [.definite], dtypes: precise, slack: 20) {
      (($0[0] + $0[0].transposed()) * 0.5).symmetricEigen().values
    },
    OpCase("eigenprojector", [[4, 4]], domains: [.definite], dtypes: precise, slack: 50) {
      let vectors = (($0[0] + $0[0].transposed()) * 0.5).symmetricEigen().vectors
      let top = vectors[.all, 3..<4]
      return top.matmul(top.transposed())
    },
    OpCase("singular values", [[5, 3]], dtypes: precise, slack: 20) { $0[0].svd().s },
    OpCase("SVD put together", [[5, 3]], dtypes: precise, slack: 20) {
      let (u, s, vt) = $0[0].svd()
      return (u * s.log()).matmul(vt)
    },
    OpCase("QR, Q", [[5, 3]], dtypes: precise, slack: 20) {
      let q = $0[0].qr().q
      return q.matmul(q[0..<3, .all].transposed())
    },
    OpCase("QR, R", [[5, 3]], dtypes: precise, slack: 20) {
      let r = $0[0].qr().r
      return r.transposed().matmul(r.abs())
    },
  ]
}
