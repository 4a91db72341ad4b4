/// The part of a recorded graph between some nodes and what was computed from them, in recording order.
struct Lineage {
  /// Nodes that depend on a source, sources included, inputs before users.
  let nodes: [Node]
  private let place: [ObjectIdentifier: Int]

  /// Walks from `results` back to `sources`. Only nodes recorded inside a trace that is still open can
  /// depend on them, so nothing else is visited.
  init(from sources: [Node], to results: [Node]) {
    var place: [ObjectIdentifier: Int] = [:]
    var nodes: [Node] = []
    for source in sources where place[ObjectIdentifier(source)] == nil {
      place[ObjectIdentifier(source)] = nodes.count
      nodes.append(source)
    }
    var state: [ObjectIdentifier: Bool] = [:]
    var stack: [(node: Node, expanded: Bool)] = []
    for result in results { stack.append((result, false)) }
    while let (node, expanded) = stack.popLast() {
      let id = ObjectIdentifier(node)
      if expanded {
        if node.inputs.contains(where: { place[ObjectIdentifier($0)] != nil }) {
          place[id] = nodes.count
          nodes.append(node)
        }
        continue
      }
      guard place[id] == nil, state[id] == nil, node.trace?.isActive == true else { continue }
      state[id] = true
      stack.append((node, true))
      for input in node.inputs.reversed() { stack.append((input, false)) }
    }
    (self.nodes, self.place) = (nodes, place)
  }

  func index(of node: Node) -> Int? { place[ObjectIdentifier(node)] }
}

extension Tensor {
  /// A new identity on this tensor, to differentiate with respect to.
  package func variable(in trace: Trace) -> Tensor {
    Tensor(
      Node(
        .variable, node, nil, shape: shape, dtype: dtype, device: device,
        trace: Trace.outer(node.trace, trace)))
  }

  /// What a function being traced gets in place of `x`: a shape and no value.
  package static func argument(like x: Tensor, shape: [Int], in trace: Trace?) -> Tensor {
    Tensor(Node(.argument, nil, nil, shape: shape, dtype: x.dtype, device: x.device, trace: trace))
  }
}
