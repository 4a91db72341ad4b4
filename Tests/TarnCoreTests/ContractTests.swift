import Testing

import TarnCore

@Suite("Matrix products") struct ContractTests {
  static let transpositions = [(false, false), (false, true), (true, false), (true, true)]

  /// [b, m, k] × [b, k, n] with operands stored as the flags say.
  private func product(_ x: [Tensor], _ ta: Bool, _ tb: Bool) -> Tensor {
    x[0].times(x[1], transposeA: ta, transposeB: tb)
  }

  private func operands(_ b: Int, _ ta: Bool, _ tb: Bool) -> [Tensor] {
    [sample([b] + (ta ? [4, 3] : [3, 4]), 1), sample([b] + (tb ? [5, 4] : [4, 5]), 2)]
  }

  @Test(arguments: transpositions) func valuesMatchSums(_ ta: Bool, _ tb: Bool) {
    let x = operands(2, ta, tb)
    let a = x[0].array(of: Double.self), b = x[1].array(of: Double.self)
    var expected: [Double] = []
    [2, 3, 5].forEachIndex { i in
      expected.append(
        (0..<4).reduce(0) { sum, l in
          sum + a[i[0] * 12 + (ta ? l * 3 + i[1] : i[1] * 4 + l)]
            * b[i[0] * 20 + (tb ? i[2] * 4 + l : l * 5 + i[2])]
        })
    }
    expect(product(x, ta, tb), expected, shape: [2, 3, 5], within: 1e-12)
  }

  @Test(arguments: transpositions) func derivatives(_ ta: Bool, _ tb: Bool) {
    checkDerivatives(operands(2, ta, tb)) { $0[0].times($0[1], transposeA: ta, transposeB: tb) }
  }

  @Test(arguments: transpositions) func batching(_ ta: Bool, _ tb: Bool) {
    for b in [1, 2] { checkBatching(operands(b, ta, tb)) { product($0, ta, tb) } }
  }

  @Test func integersMultiplyExactly() {
    let a = integers([1 << 40, 3], [1, 1, 2]), b = integers([1 << 20, 1], [1, 2, 1])
    #expect(a.times(b).array(of: Int.self) == [(1 << 60) + 3])
  }

  @Test func anEmptySumIsZero() {
    expect(sample([1, 2, 0]).times(sample([1, 0, 2])), [0, 0, 0, 0], shape: [1, 2, 2])
  }
}
