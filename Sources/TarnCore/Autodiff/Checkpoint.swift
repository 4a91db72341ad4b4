/// `f`, keeping nothing for the backward pass: what it needs is computed again there.
///
/// Memory for the activations inside `f` is traded for one more forward computation
/// (Chen et al., "Training deep nets with sublinear memory cost", 2016). Values that `f` closes over are
/// differentiated as usual.
///
/// ```swift
/// let block = checkpointed { (x: Tensor) in layer2(layer1(x).relu()) }
/// ```
public func checkpointed<X: TensorTree>(_ f: @escaping (X) -> Tensor) -> (X) -> Tensor {
  { x in
    let y = f(x)
    let arguments = x.tensors(.trainable)
    // Trainable values that f closes over are arguments too.
    let captured = openVariables(of: y.node, except: arguments.map(\.node)).map { Tensor($0) }
    let all = arguments + captured
    let region = Region(from: all.map(\.node), to: y.node)
    let call = Call(
      "checkpointed",
      vjp: { x, _, g in
        let fenced = x.map { Tensor.record(.fence, $0, g, $0.shape, $0.dtype) }
        let (again, pullback) = vjp({ region.replay(on: $0) }, at: fenced)
        return again.shape == g.shape ? pullback(g).map { $0 } : []
      },
      jvp: { x, _, t in
        let directions = zip(x, t).map { $1 ?? Tensor.full(like: $0, 0) }
        return jvp({ region.replay(on: $0) }, at: x, along: directions).tangent
      })
    return Tensor.record(.call(call), [y] + all, y.shape, y.dtype)
  }
}

/// A recorded computation that can be recorded again on other arguments.
private struct Region: Sendable {
  private let lineage: [Node]
  private let inputs: [[Node]]
  private let arguments: [Node]
  private let result: Node

  init(from arguments: [Node], to result: Node) {
    let lineage = Lineage(from: arguments, to: [result])
    (self.arguments, self.result) = (arguments, result)
    self.lineage = lineage.nodes
    inputs = lineage.nodes.map(\.inputs)
  }

  func replay(on tensors: [Tensor]) -> Tensor {
    var again: [ObjectIdentifier: Tensor] = [:]
    for (argument, tensor) in zip(arguments, tensors) { again[ObjectIdentifier(argument)] = tensor }
    for (node, inputs) in zip(lineage, inputs) where again[ObjectIdentifier(node)] == nil {
      again[ObjectIdentifier(node)] = Tensor.record(
        node.op, inputs.map { again[ObjectIdentifier($0)] ?? Tensor($0) }, node.shape, node.dtype)
    }
    return again[ObjectIdentifier(result)] ?? Tensor(result)
  }
}

/// What is being differentiated with respect to that `result` depends on other than through `arguments`.
private func openVariables(of result: Node, except arguments: [Node]) -> [Node] {
  var seen = Set(arguments.map { ObjectIdentifier($0) })
  var found: [Node] = []
  var stack = [result]
  while let node = stack.popLast() {
    guard node.trace?.isActive == true, seen.insert(ObjectIdentifier(node)).inserted else {
      continue
    }
    if case .variable = node.op {
      found.append(node)
    } else {
      stack.append(contentsOf: node.inputs)
    }
  }
  return found.reversed()
}
