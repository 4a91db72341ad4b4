import TarnCore
import TarnData
import TarnInterop

/// One pass through a model: it records Tarn's operations for the nodes, in order.
struct ONNXRun: Sendable {
  let source: String
  /// Where the model runs.
  let device: Device
  /// The most elements that one tensor may have.
  let limit: Int
  /// What random operators without a seed of their own start from.
  let seed: UInt64
  /// How many more nodes may run, loops' bodies counted every time.
  let budget: Lock<Int>
  /// What was computed while recording before.
  var memo: ONNXMemo?

  /// Tensors of at most this many elements are computed while recording, if they can be.
  static let foldingLimit = 1 << 14

  /// The outputs of a graph.
  func outputs(
    of graph: ONNXGraph, _ arguments: [String: ONNXValue], around: [String: ONNXValue] = [:]
  ) throws -> [ONNXValue] {
    var scope = around
    scope.merge(graph.constants) { $1 }
    scope.merge(arguments) { $1 }
    for node in graph.nodes {
      let results = try outputs(of: node, scope)
      for (name, value) in zip(node.outputs, results) where !name.isEmpty { scope[name] = value }
      for name in node.lastUses { scope[name] = nil }
    }
    return try graph.outputs.map { port in
      guard let value = scope[port.name] else {
        throw DataError(
          .invalid, file: source, reason: "nothing gives the output '\(port.name)'")
      }
      return value
    }
  }

  /// The outputs of a node, in the order of its type's.
  private func outputs(of node: ONNXNode, _ scope: [String: ONNXValue]) throws -> [ONNXValue] {
    let values = node.inputs.map { $0.isEmpty ? nil : scope[$0] }
    for (name, value) in zip(node.inputs, values) where !name.isEmpty && value == nil {
      throw wrapped(ONNXError("its input '\(name)' has no value"), node)
    }
    let isOver = budget.withLock { left in
      left -= 1
      return left < 0
    }
    if isOver { throw wrapped(ONNXError("the model runs too long"), node) }
    do {
      return try Diagnostic.catching {
        switch node.kind {
        case .table(let entry): return try apply(entry, node, values, scope)
        case .function(let graph):
          let given = zip(graph.inputs, values).compactMap { port, value in
            value.map { (port.name, $0) }
          }
          return try outputs(of: graph, Dictionary(given) { $1 })
        case .unknown: throw ONNXError("the operator is not supported")
        }
      }
    } catch {
      throw wrapped(error, node)
    }
  }

  private func wrapped(_ error: any Error, _ node: ONNXNode) -> any Error {
    switch error {
    case let error as ONNXError:
      DataError(.invalid, file: source, reason: "node \(node.title): \(error.reason)")
    case let error as Diagnostic:
      DataError(
        .invalid, file: source,
        reason: "node \(node.title): " + error.description, hint: nil)
    default: error
    }
  }

  // MARK: Operators

  private func apply(
    _ entry: ONNXOperator, _ node: ONNXNode, _ values: [ONNXValue?], _ scope: [String: ONNXValue]
  ) throws -> [ONNXValue] {
    if let folded = try folded(entry, node, values) { return folded }
    let run = node.graphs.isEmpty ? self : self.within(scope)
    let call = ONNXCall(node: node, values: values, run: run, device: device)
    let results = try Device.with(device) { try entry.body(call) }
    if entry.readsShapesOnly, let memo { return memo.known(results, of: node) }
    for result in results {
      if case .tensor(let tensor, _) = result { try check(tensor.shape) }
    }
    return results
  }

  /// Computed at once on the reference device, where all inputs are known and nothing is large.
  func folded(
    _ entry: ONNXOperator, _ node: ONNXNode, _ values: [ONNXValue?]
  ) throws -> [ONNXValue]? {
    guard entry.isPure, node.graphs.isEmpty, !entry.readsShapesOnly, device != .reference else {
      return nil
    }
    for value in values {
      guard let value else { continue }
      guard case .fixed(let fixed) = value, fixed.host.count <= Self.foldingLimit else {
        return nil
      }
    }
    if let known = memo?.outputs(of: node, values) { return known }
    let call = ONNXCall(node: node, values: values, run: self, device: .reference)
    let results = try Device.with(.reference) { try entry.body(call) }
    var tensors: [Tensor] = []
    for result in results {
      switch result {
      case .tensor(let tensor, _):
        guard tensor.count <= Self.foldingLimit else { return nil }
        tensors.append(tensor)
      case .fixed: break
      case .sequence, .optional: return nil
      }
    }
    Tensor.evaluate(tensors)
    let fixed = results.map { result -> ONNXValue in
      if case .tensor(let tensor, let element) = result {
        return .fixed(ONNXFixed(tensor, element))
      }
      return result
    }
    memo?.keep(fixed, of: node, values)
    return fixed
  }

  // MARK: Graphs inside of nodes

  /// Values that graphs inside of a node may read.
  var scope: [String: ONNXValue] = [:]

  private func within(_ scope: [String: ONNXValue]) -> ONNXRun {
    var run = self
    run.scope = scope
    return run
  }

  /// The outputs of a branch or a body, given its inputs in order.
  func body(_ graph: ONNXGraph, _ arguments: [ONNXValue]) throws -> [ONNXValue] {
    guard arguments.count <= graph.inputs.count else {
      throw ONNXError("its body takes \(graph.inputs.count) inputs, not \(arguments.count)")
    }
    let given = zip(graph.inputs, arguments).map { ($0.name, $1) }
    return try outputs(of: graph, Dictionary(given) { $1 }, around: scope)
  }

  // MARK: Checks

  /// Whether a tensor of this shape may be made.
  func check(_ shape: [Int]) throws {
    // Lengths beside one of 0 count as well: strides are products of them.
    guard shape.allSatisfy({ $0 >= 0 }), shape.count <= 64,
      let count = shape.map({ max($0, 1) }).checkedProduct, count <= limit
    else {
      throw ONNXError(
        "it would make a tensor \(shape), which has more than the \(limit) elements allowed")
    }
  }

  /// Whether numbers that shape the computation can be read now.
  func checkReadable(_ tensor: Tensor, input: Int) throws {
    guard tensor.count <= 1 << 20 else {
      throw ONNXError("input \(input) shapes the computation and has \(tensor.count) elements")
    }
  }
}
