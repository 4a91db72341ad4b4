import Tarn
import TarnCore
import Testing

/// Small results of leaves alone are kept from run to run, and made anew when a leaf or a number is another.
@Suite struct LeafWorkTests {
  private func tensor(_ shape: [Int], _ seed: Int) -> Tensor {
    Tensor.uniform(shape, from: 0.5, to: 1.5, key: RandomKey(seed: UInt64(seed))).evaluate()
  }

  private func normalised(
    _ x: Tensor, _ gamma: Tensor, _ variance: Tensor, epsilon: Double
  ) -> Tensor {
    let scale = gamma * (variance + epsilon).rsqrt()
    return (x * scale.reshaped(1, gamma.count, 1)).relu().sum(2)
  }

  private func want(_ x: Tensor, _ gamma: Tensor, _ variance: Tensor, epsilon: Double) -> [UInt8] {
    let scale = (gamma * (variance + epsilon).rsqrt()).evaluate()
    return (x * scale.reshaped(1, gamma.count, 1)).relu().sum(2).bytes()
  }

  @Test func otherLeavesAndNumbersCount() {
    let images = (0..<2).map { tensor([3, 24, 700], 100 + $0) }
    let gammas = (0..<2).map { tensor([24], 200 + $0) }
    let variance = tensor([24], 300)
    // Each pair of neighbours differs in one thing, or in none.
    let runs: [(image: Int, gamma: Int, epsilon: Double)] = [
      (0, 0, 0.01), (0, 0, 0.01), (1, 0, 0.01), (1, 0, 0.01), (1, 1, 0.01), (1, 1, 0.03),
      (1, 1, 0.03), (0, 1, 0.03), (0, 0, 0.03), (0, 0, 0.01),
    ]
    for run in runs {
      let (x, gamma) = (images[run.image], gammas[run.gamma])
      let got = normalised(x, gamma, variance, epsilon: run.epsilon).bytes()
      #expect(got == want(x, gamma, variance, epsilon: run.epsilon), "\(run)")
    }
  }

  @Test func compiledFunctionsToo() {
    let (gamma, variance) = (tensor([24], 1), tensor([24], 2))
    let f = compile { (x: Tensor) in normalised(x, gamma, variance, epsilon: 0.01) }
    for seed in [3, 4, 4, 5] {
      let x = tensor([3, 24, 700], seed)
      #expect(f(x).bytes() == want(x, gamma, variance, epsilon: 0.01))
    }
  }

  private func program(_ tensors: [Tensor]) -> Program {
    let graph = Engine.graph(of: tensors).graph
    return Program(
      Simplifier.simplified(graph, claims: { _, _ in false }), findsLeafGroups: true)
  }

  @Test func groupsAreSmallAndInside() {
    let (x, gamma, variance) = (tensor([3, 24, 700], 1), tensor([24], 2), tensor([24], 3))
    let found = program([normalised(x, gamma, variance, epsilon: 0.1)])
    #expect(found.leafGroups.count == 1)
    #expect(found.leafGroups.first?.slots.count == 2)
    #expect(found.leafGroups.first?.scalars.isEmpty == false)
    #expect(found.lastingBytes == 128)
    // A result is none, nor is what it is made of.
    #expect(program([gamma * variance]).leafGroups.isEmpty)
    // What takes many steps is what the plan is for.
    var long = gamma
    for _ in 0..<6 { long = long.reshaped(4, 6).transposed().reshaped(24).exp() }
    #expect(program([x.sum(2) * long]).leafGroups.isEmpty)
    // So it is with a chain of thousands of steps, which does not take thousands of looks.
    for _ in 0..<30_000 { long = long * 1.0001 }
    #expect(program([x.sum(2) * long]).leafGroups.isEmpty)
    // Large results are not kept.
    let big = tensor([40, 900], 4)
    #expect(program([(big * 2).matmul(big.transposed())]).leafGroups.isEmpty)
  }
}
