/// The value of `f` at `x` and its derivative along `v`: ∂f/∂x · v, by forward mode.
///
/// - Parameter v: a value of `x`'s type; its trainable tensors are the direction.
/// - Returns: `value` = f(x) and `tangent`, of the same type.
///
/// ```swift
/// let (y, dy) = jvp({ $0.exp() }, at: x, along: v)     // dy = eˣ v
/// ```
public func jvp<X: TensorTree, Y: TensorTree>(
  _ f: (X) throws -> Y, at x: X, along v: X
) rethrows -> (value: Y, tangent: Y) {
  let leaves = x.tensors(.trainable)
  let directions = v.tensors(.trainable)
  for (leaf, direction) in zip(leaves, directions) where leaf.shape != direction.shape {
    Diagnostic.report(
      Diagnostic(
        operation: "jvp", reason: "the direction must have the shapes of the point",
        facts: ["point     \(leaf.shape)", "direction \(direction.shape)"]))
    let y = try f(x)
    return (y, y.zeroed)
  }
  return try Trace.within { trace in
    let variables = leaves.map { $0.variable(in: trace) }
    let value = try f(x.replacing(.trainable, with: variables))
    let results = value.tensors(.trainable)
    let lineage = Lineage(from: variables.map(\.node), to: results.map(\.node))
    var tangents = [Tensor?](repeating: nil, count: lineage.nodes.count)
    for (variable, direction) in zip(variables, directions) {
      if let index = lineage.index(of: variable.node) { tangents[index] = direction }
    }
    for (index, node) in lineage.nodes.enumerated() where tangents[index] == nil {
      let inputs = node.inputs
      let known = inputs.map { lineage.index(of: $0).flatMap { tangents[$0] } }
      guard node.dtype.isFloating, known.contains(where: { $0 != nil }) else { continue }
      tangents[index] = node.op.rule.jvp(node.op, inputs.map(Tensor.init), Tensor(node), known)
    }
    let derivative = results.map { result in
      lineage.index(of: result.node).flatMap { tangents[$0] } ?? Tensor.full(like: result, 0)
    }
    return (value, value.zeroed.replacing(.trainable, with: derivative))
  }
}

/// Hessian-vector product ∇²f(x) · v of a scalar function, forward over reverse: about the cost of two gradients.
///
/// ```swift
/// let hv = hvp({ loss($0) }, at: model, along: v)      // a value of the model's type
/// ```
public func hvp<X: TensorTree>(_ f: (X) -> Tensor, at x: X, along v: X) -> X {
  jvp({ grad(f, at: $0) }, at: x, along: v).tangent
}
