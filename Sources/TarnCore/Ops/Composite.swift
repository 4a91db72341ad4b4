/// Named computations whose primitives are written out only where no backend has the name: long ones, as a pass over
/// a sequence, would cost more to record than to run.
extension Call {
  /// A call that is `fallback` of its arguments. Its derivatives are the fallback's.
  package static func composite(
    _ name: String, _ attributes: [Scalar], takesRows: Bool = false,
    fallback: @escaping @Sendable ([Tensor]) -> Tensor
  ) -> Call {
    Call(name, attributes, takesRows: takesRows, fallback: fallback)
  }
}

extension Tensor {
  /// The value of a composite: one node if the device's backend claims it, else what its fallback records.
  ///
  /// - Parameter shape: of the result, which has the type of the first argument.
  package static func composite(_ call: Call, _ arguments: [Tensor], _ shape: [Int]) -> Tensor {
    guard let fallback = call.fallback else { return arguments[0] }
    guard isClaimed(call, arguments) else { return fallback(arguments) }
    // Nothing reads the input in the fallback's place: the claim holds for these arguments wherever they are.
    return record(.call(call), [arguments[0]] + arguments, shape, arguments[0].dtype)
  }

  /// Whether the device's backend has a call for these arguments.
  package static func isClaimed(_ call: Call, _ arguments: [Tensor]) -> Bool {
    let vertices = arguments.map { Graph.Vertex($0.node.op, shape: $0.shape, dtype: $0.dtype) }
    return Backends.of(arguments[0].device).claims(call, vertices)
  }
}

extension Call {
  /// Gradients for all inputs of a composite's node.
  func fallbackGradients(_ x: [Tensor], _ g: Tensor) -> [Tensor?]? {
    guard let fallback, vjp == nil else { return nil }
    return [nil] + TarnCore.vjp(fallback, at: Array(x.dropFirst())).pullback(g)
  }

  /// Its tangent, given those of the inputs.
  func fallbackTangent(_ x: [Tensor], _ t: [Tensor?]) -> Tensor? {
    guard let fallback, jvp == nil else { return nil }
    let directions = zip(x, t).dropFirst().map { $1 ?? Tensor.full(like: $0, 0) }
    return TarnCore.jvp(fallback, at: Array(x.dropFirst()), along: directions).tangent
  }

  /// Its values over a batch, given the inputs with the batch's axis.
  func fallbackBatch(_ x: [Tensor]) -> Tensor? {
    fallback.map { vmap(over: Array(x.dropFirst()), $0) }
  }
}
