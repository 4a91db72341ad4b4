/// What every primitive must answer. One rule, one screen, its parts side by side.
package struct Rule: Sendable {
  /// Gradients for the inputs: (op, inputs, output, gradient of the output). nil: no gradient flows there.
  package typealias VJP = @Sendable (Op, [Tensor], Tensor, Tensor) -> [Tensor?]
  /// Tangent of the output: (op, inputs, output, tangents of the inputs, nil where zero). nil: zero.
  package typealias JVP = @Sendable (Op, [Tensor], Tensor, [Tensor?]) -> Tensor?
  /// The op over a batch: (op, inputs, which of them carry a batch axis in front, its length,
  /// shape and dtype of one example's output). The result carries the batch axis in front.
  package typealias Batch = @Sendable (Op, [Tensor], [Bool], Int, [Int], DType) -> Tensor
  /// Plain evaluation on the host: (op, inputs, shape of the output, dtype of the output).
  package typealias Reference = @Sendable (Op, [HostArray], [Int], DType) throws -> HostArray

  package var vjp: VJP
  package var jvp: JVP
  package var batch: Batch
  package var reference: Reference

  package init(
    vjp: @escaping VJP, jvp: @escaping JVP, batch: @escaping Batch, reference: @escaping Reference
  ) {
    (self.vjp, self.jvp, self.batch, self.reference) = (vjp, jvp, batch, reference)
  }

  /// An op that is linear in each input it has a gradient for: its jvp is the op itself on the tangents, summed.
  package static func linear(
    vjp: @escaping VJP, batch: @escaping Batch, reference: @escaping Reference
  ) -> Rule {
    Rule(
      vjp: vjp,
      jvp: { op, x, y, tangents in
        var sum: Tensor?
        for (i, tangent) in tangents.enumerated() {
          guard let tangent else { continue }
          var inputs = x
          inputs[i] = tangent
          let term = Tensor.record(op, inputs, y.shape, y.dtype)
          sum = sum.map { $0 + term } ?? term
        }
        return sum
      },
      batch: batch, reference: reference)
  }

  /// An op through which no derivative flows.
  package static func constant(batch: @escaping Batch, reference: @escaping Reference) -> Rule {
    Rule(
      vjp: { _, x, _, _ in x.map { _ in nil } }, jvp: { _, _, _, _ in nil },
      batch: batch, reference: reference)
  }
}

extension Op {
  package var rule: Rule {
    switch self {
    case .constant, .argument: .leaf
    case .full: .full
    case .iota: .iota
    case .random: .random
    case .unary(let kind): kind.rule
    case .binary(let kind): kind.rule
    case .compare: .compare
    case .select: .select
    case .cast: .cast
    case .reshape: .reshape
    case .permute: .permute
    case .broadcast: .broadcast
    case .slice: .slice
    case .pad: .pad
    case .concatenate: .concatenate
    case .flip: .flip
    case .reduce(let kind, _): kind.rule
    case .argReduce: .argReduce
    case .cumulativeSum: .cumulativeSum
    case .argsort: .argsort
    case .matmul: .matmul
    case .convolution: .convolution
    case .windowArgMax: .windowArgMax
    case .windowSum: .windowSum
    case .windowSpread: .windowSpread
    case .take: .take
    case .scatterAdd: .scatterAdd
    case .cholesky: .cholesky
    case .triangularSolve: .triangularSolve
    case .solve: .solve
    case .determinant: .determinant
    case .symmetricEigen: .symmetricEigen
    case .svd: .svd
    case .qr: .qr
    case .variable: .variable
    case .call: .call
    case .fence: .fence
    }
  }
}
