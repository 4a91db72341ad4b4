import TarnCore
import TarnData
import TarnInterop

/// Order, dead nodes and constants.
extension ONNXGraphReader {
  /// The nodes so that every value comes before its use, otherwise as in the file.
  func sorted(_ nodes: [ONNXNode], made: Set<String>, outer: Set<String>) throws -> [ONNXNode] {
    var maker: [String: Int] = [:]
    for (place, node) in nodes.enumerated() {
      for output in node.outputs where !output.isEmpty { maker[output] = place }
    }
    var waiting = [Int](repeating: 0, count: nodes.count)
    var readers = [[Int]](repeating: [], count: nodes.count)
    for (place, node) in nodes.enumerated() {
      for name in Set(node.uses) {
        if let source = maker[name] {
          waiting[place] += 1
          readers[source].append(place)
        } else if !made.contains(name) && !outer.contains(name) {
          throw error("node \(node.title): nothing gives its input '\(name)'")
        }
      }
    }
    if isInOrder(nodes, maker) { return nodes }
    var ready = nodes.indices.filter { waiting[$0] == 0 }
    var order: [ONNXNode] = []
    var next = 0
    while next < ready.count {
      let place = ready[next]
      next += 1
      order.append(nodes[place])
      for reader in readers[place] {
        waiting[reader] -= 1
        if waiting[reader] == 0 { ready.append(reader) }
      }
    }
    guard order.count == nodes.count else {
      let stuck = nodes.indices.first { waiting[$0] > 0 }.map { nodes[$0].title } ?? ""
      throw error("the graph has a cycle, which node \(stuck) is in or behind")
    }
    return order
  }

  private func isInOrder(_ nodes: [ONNXNode], _ maker: [String: Int]) -> Bool {
    for (place, node) in nodes.enumerated() {
      for name in node.uses where (maker[name] ?? -1) >= place { return false }
    }
    return true
  }

  /// The graph without nodes that no output needs, with what can be computed beforehand computed, and with every value
  /// let go after its last use.
  func finished(
    _ nodes: [ONNXNode], inputs: [ONNXGraph.Port], outputs: [ONNXGraph.Port],
    constants: [String: ONNXValue], known: Set<String>, outer: Set<String>
  ) throws -> ONNXGraph {
    let made = known.union(nodes.flatMap(\.outputs))
    for output in outputs where !made.contains(output.name) && !outer.contains(output.name) {
      throw error("nothing gives the output '\(output.name)'")
    }
    let wanted = Set(outputs.map(\.name))
    let folded = folding(living(nodes, wanted), constants)
    let kept = living(folded.nodes, wanted)
    let used = wanted.union(kept.flatMap(\.uses))
    let own = known.union(nodes.flatMap(\.outputs))
    let captured = used.filter { !own.contains($0) && !$0.isEmpty }
    return ONNXGraph(
      nodes: releasing(kept, wanted.union(captured)), inputs: inputs, outputs: outputs,
      constants: folded.constants.filter { used.contains($0.key) }, captured: captured.sorted())
  }

  private func living(_ nodes: [ONNXNode], _ wanted: Set<String>) -> [ONNXNode] {
    var wanted = wanted
    var living: [ONNXNode] = []
    for node in nodes.reversed() where node.outputs.contains(where: wanted.contains) {
      wanted.formUnion(node.uses)
      living.append(node)
    }
    return living.reversed()
  }

  /// Computes nodes whose inputs are all known. What fails here fails again when the model runs, and is told then.
  private func folding(
    _ nodes: [ONNXNode], _ constants: [String: ONNXValue]
  ) -> (nodes: [ONNXNode], constants: [String: ONNXValue]) {
    var constants = constants
    var rest: [ONNXNode] = []
    let run = ONNXRun(
      source: file, device: .current, limit: limit, seed: 0, budget: Lock(Self.most))
    for node in nodes {
      if node.type == "Constant", case .tensor(let tensor)? = node.attributes["value"] {
        if let name = node.outputs.first { constants[name] = .fixed(fixed(tensor, nil)) }
      } else if let values = run.constants(of: node, constants) {
        for (name, value) in zip(node.outputs, values) where !name.isEmpty {
          constants[name] = value
        }
      } else {
        rest.append(node)
      }
    }
    return (rest, constants)
  }

  private func releasing(_ nodes: [ONNXNode], _ kept: Set<String>) -> [ONNXNode] {
    var seen = kept
    var result: [ONNXNode] = []
    for node in nodes.reversed() {
      let last = Set(node.uses + node.outputs).filter { !$0.isEmpty && seen.insert($0).inserted }
      result.append(last.isEmpty ? node : node.releasing(last.sorted()))
    }
    return result.reversed()
  }
}

extension ONNXRun {
  /// The outputs of a node that needs nothing but constants, or nil.
  func constants(of node: ONNXNode, _ known: [String: ONNXValue]) -> [ONNXValue]? {
    guard case .table(let entry) = node.kind, entry.follows(node.opset) else { return nil }
    let values = node.inputs.map { $0.isEmpty ? nil : known[$0] }
    for (name, value) in zip(node.inputs, values) where !name.isEmpty && value == nil { return nil }
    return try? Diagnostic.catching { try folded(entry, node, values) }
  }
}
