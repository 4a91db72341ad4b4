/// Stops at the first NaN: says which operation made it, and behind which parameter.
///
/// ```swift
/// NaNGuard.watching(model.parameters.map { ($0.name, $0.tensor) }) { loss(model, x, y).evaluate() }
/// ```
///
/// Inside the guard, operations run one by one, so it is slow; it is for finding a fault.
public enum NaNGuard {
  struct Watch: Sendable {
    let names: [ObjectIdentifier: String]
    let holders: [Tensor]
  }

  @TaskLocal static var watch: Watch?

  static var isActive: Bool { watch != nil }

  /// Runs `body` with every evaluated operation checked.
  ///
  /// - Parameter named: parameters and their names, so that a report can name the layer.
  public static func watching<Result>(
    _ named: [(name: String, tensor: Tensor)] = [], _ body: () throws -> Result
  ) rethrows -> Result {
    var names: [ObjectIdentifier: String] = [:]
    for (name, tensor) in named { names[ObjectIdentifier(tensor.node)] = name }
    let watch = Watch(names: names, holders: named.map(\.tensor))
    return try $watch.withValue(watch) { try body() }
  }

  static func evaluate(_ roots: [Device: [Node]]) {
    for (device, nodes) in roots {
      let (pending, upstream) = order(nodes)
      for node in pending where node.isUnevaluated {
        let inputs = upstream[ObjectIdentifier(node)] ?? []
        Engine.run([node], on: device)
        guard let place = firstNaN(node), inputs.allSatisfy({ firstNaN($0) == nil }) else {
          continue
        }
        report(node, inputs, place, upstream)
        return
      }
    }
  }

  /// Unevaluated nodes, inputs first, and the inputs of each: a node lets them go once it has a value.
  private static func order(_ roots: [Node]) -> ([Node], upstream: [ObjectIdentifier: [Node]]) {
    var upstream: [ObjectIdentifier: [Node]] = [:]
    var result: [Node] = []
    var stack = roots.map { ($0, false) }
    while let (node, expanded) = stack.popLast() {
      if expanded {
        result.append(node)
      } else if upstream[ObjectIdentifier(node)] == nil,
        let inputs = Engine.inputs(ofUnevaluated: node)
      {
        upstream[ObjectIdentifier(node)] = inputs
        stack.append((node, true))
        stack.append(contentsOf: inputs.map { ($0, false) })
      }
    }
    return (result, upstream)
  }

  private static func values(_ node: Node) -> [Double] {
    HostArray(Tensor(node).realised(), shape: node.shape, dtype: node.dtype).reals
  }

  private static func firstNaN(_ node: Node) -> Int? {
    node.dtype.isFloating ? values(node).firstIndex { $0.isNaN } : nil
  }

  private static func report(
    _ node: Node, _ inputs: [Node], _ place: Int, _ upstream: [ObjectIdentifier: [Node]]
  ) {
    var facts = ["output \(node.shape) \(node.dtype.name), first at element \(place)"]
    for input in inputs where input.dtype.isFloating {
      let values = values(input)
      if let low = values.min(), let high = values.max() {
        facts.append("input  \(input.shape) between \(low) and \(high)")
      }
    }
    if let name = nearestName(inputs, upstream) { facts.append("layer  \(name)") }
    Diagnostic.report(
      Diagnostic(
        operation: node.op.label, reason: "made the first NaN", facts: facts,
        hint:
          "look for 0/0, ∞ − ∞, the log or root of a negative number, or too high a learning rate"))
  }

  /// The watched parameter closest upstream, in operations.
  private static func nearestName(_ inputs: [Node], _ upstream: [ObjectIdentifier: [Node]])
    -> String?
  {
    guard let watch else { return nil }
    var seen: Set<ObjectIdentifier> = []
    var level = inputs
    while !level.isEmpty {
      for candidate in level {
        if let name = watch.names[ObjectIdentifier(candidate)] { return name }
      }
      level = level.flatMap { upstream[ObjectIdentifier($0)] ?? [] }
        .filter { seen.insert(ObjectIdentifier($0)).inserted }
    }
    return nil
  }
}
