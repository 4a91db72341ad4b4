/// Maps `f` over the first axis of every tensor of `x`, as one batched computation: no loop is run.
///
/// All tensors of `x` carry the batch axis [B, …] in front; `f` sees single examples. What `f` closes over is the same for all
/// examples, random keys included. Results carry the batch axis in front.
///
/// ```swift
/// let perExample = vmap(over: Pair(images, labels)) { example in
///   grad({ loss($0, example.first, example.second) }, at: model)
/// }
/// ```
public func vmap<X: TensorTree, Y: TensorTree>(over x: X, _ f: (X) throws -> Y) rethrows -> Y {
  let rows = x.tensors(.all)
  let size = rows.first?.shape.first ?? 0
  if let odd = rows.first(where: { $0.shape.first != size }) {
    Diagnostic.report(
      Diagnostic(
        operation: "vmap", reason: "every tensor needs the same batch axis in front",
        facts: ["first \(rows[0].shape)", "other \(odd.shape)"]))
  }
  return try Trace.within { trace in
    let examples = rows.map {
      Tensor.argument(like: $0, shape: Array($0.shape.dropFirst()), in: trace)
    }
    let result = try f(x.replacing(.all, with: examples))
    let outputs = result.tensors(.all)
    let lineage = Lineage(from: examples.map(\.node), to: outputs.map(\.node))
    var batched: [Tensor] = []
    batched.reserveCapacity(lineage.nodes.count)
    for (index, node) in lineage.nodes.enumerated() {
      if index < rows.count {
        batched.append(rows[index])
        continue
      }
      let inputs = node.inputs
      let places = inputs.map { lineage.index(of: $0) }
      let operands = zip(inputs, places).map { input, place in
        place.map { batched[$0] } ?? Tensor(input)
      }
      batched.append(
        node.op.rule.batch(
          node.op, operands, places.map { $0 != nil }, size, node.shape, node.dtype))
    }
    return result.replacing(
      .all,
      with: outputs.map { output in
        lineage.index(of: output.node).map { batched[$0] } ?? Batching.repeated(output, size)
      })
  }
}

/// `f` mapped over the first axis of its argument. See ``vmap(over:_:)``.
public func vmap<X: TensorTree, Y: TensorTree>(_ f: @escaping @Sendable (X) -> Y)
  -> @Sendable (X) -> Y
{
  { x in vmap(over: x, f) }
}
