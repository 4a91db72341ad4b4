import TarnCore
import Testing

/// Composites against central differences, to order 2, forward against reverse.
@Suite struct TensorDerivativeTests {
  typealias Case = (name: String, function: @Sendable ([Tensor]) -> Tensor)
  static let x = Tensor([[0.3, -0.7, 1.1], [0.9, 0.2, -1.3]])
  static let y = Tensor([[1.4, 0.6, 0.8], [0.5, 1.7, 1.2]])

  static let elementwise: [Case] = [
    ("broadcast", { $0[0] * $0[1][0] + $0[0].sum(0) / $0[1] - 2 * $0[0] }),
    ("powers", { $0[1].pow($0[0]) + $0[1].pow(-1.5) + $0[0].pow(3) }),
    ("choice", { which($0[0] .> 0.25, $0[0] * $0[1], $0[1].log()) + maximum($0[0], $0[1]) }),
    ("clamped", { ($0[0] * $0[1]).clamped(min: -0.5, max: 0.5) * $0[0] }),
    ("hyperbolic", { $0[0].sinh() * $0[1].cosh() }),
    ("logAddExp", { $0[0].logAddExp($0[1]) }),
    ("softplus", { $0[0].softplus() * $0[1].logSigmoid() }),
    ("gelu", { $0[0].gelu() * $0[1].gelu(approximate: true) }),
    ("silu", { $0[0].silu() * $0[1].elu() + ($0[0] * $0[1]).leakyReLU() }),
    ("hardSwish", { $0[0].hardSwish() * $0[1] }),
    ("atan2", { atan2($0[0], $0[1]) * $0[0] }),
  ]
  static let reductions: [Case] = [
    ("means", { $0[0].mean(0) * $0[1].variance(1, keepDims: true) }),
    ("deviation", { $0[0].standardDeviation(-1, unbiased: true) * $0[1].product(1) }),
    ("extremes", { $0[0].max(1) * $0[1].min(axis: 1) * $0[0].sum(1) }),
    ("logSumExp", { $0[0].logSumExp(1) * $0[1].norm(1) }),
    ("softmax", { $0[0].softmax() * $0[1].softmax(axis: 0) }),
    ("logSoftmax", { $0[0].logSoftmax(axis: 0) * $0[1].logSoftmax() }),
    ("cumulativeSum", { $0[0].cumulativeSum(axis: 1) * $0[1] }),
  ]
  static let movement: [Case] = [
    ("shapes", { $0[0].reshaped(3, 2).transposed() * $0[1].flipped(1).rolled(by: 1, axis: 1) }),
    ("slices", { $0[0][.all, .stride(by: -2)] * $0[1][.all, 1..<3] }),
    ("replacing", { $0[0].replacing([.all, 1], with: $0[1][..., 2]) * $0[1] }),
    (
      "padding",
      {
        $0[0].padded([(1, 0), (2, 1)], value: 3).squared().sum(0)
          * $0[1].padded([(0, 0), (1, 2)], mode: .reflect)
      }
    ),
    (
      "joining",
      {
        Tensor.stacked([$0[0], $0[1]]).squared()
          * Tensor.concatenated([$0[1], $0[0]]).reshaped(2, 2, 3)
      }
    ),
    ("repeating", { $0[0].repeated(2, axis: 1) * $0[1].tiled([1, 2]) }),
    (
      "taking",
      {
        $0[0].take(Tensor([1, 0, 1]), axis: 1)
          * $0[1].takeAlong(Tensor([[2, 2, 0], [1, 0, 1]]), axis: 1)
      }
    ),
    ("scattering", { $0[0].scatterAdded($0[1].squared(), at: Tensor([1, 1]), axis: 0) * $0[0] }),
    ("triangles", { $0[0].lowerTriangle() * $0[1].upperTriangle(k: -1) * $0[0].diagonal()[0] }),
  ]
  static let contraction: [Case] = [
    ("matmul", { $0[0].matmul($0[1].transposed()).squared() }),
    ("transposed", { $0[0].matmul($0[1], transposed: true).squared() }),
    ("batches", { $0[0].reshaped(2, 3, 1).matmul($0[1].expandedDims(1)).squared() }),
    ("vectors", { $0[0].matmul($0[1][0]).outer($0[1][1].matmul($0[0], transposed: true)) }),
    (
      "einsum",
      { einsum("ij,kj,il->kl", $0[0], $0[1], $0[0]) * einsum("...i->...", $0[1]).expandedDims(1) }
    ),
  ]

  private func check(_ cases: [Case]) {
    for (name, function) in cases {
      let found = checkGradients(function, at: [Self.x, Self.y], order: 2)
      #expect(found.passed, "\(name)\n\(found)")
    }
  }

  @Test func ofElementwise() { check(Self.elementwise) }
  @Test func ofReductions() { check(Self.reductions) }
  @Test func ofMovement() { check(Self.movement) }
  @Test func ofContraction() { check(Self.contraction) }
}
