/// Runs what was recorded: finds or makes the plan for its structure, and gives the nodes their values.
package enum Engine {
  private struct State {
    var plans: [Recording.Structure: any Executable] = [:]
    /// Plans in order of first use, for letting the oldest go.
    var order: [Recording.Structure] = []
    var visits = 0
    var statistics = Statistics()
  }

  /// How often plans were made and reused.
  package struct Statistics: Sendable {
    package var planned = 0
    package var reused = 0
  }

  private static let state = Lock(State())
  /// Plans kept, and the largest that is worth keeping.
  private static let capacity = 512
  private static let largestKept = 50_000

  package static var statistics: Statistics { state.withLock { $0.statistics } }

  /// Gives every tensor in `tensors` a value, in one plan per device.
  package static func evaluate(_ tensors: [Tensor]) {
    let pending = state.withLock { _ in tensors.filter { $0.node.storage == nil } }
    guard !pending.isEmpty else { return }
    var byDevice: [Device: [Node]] = [:]
    for tensor in pending { byDevice[tensor.device, default: []].append(tensor.node) }
    if NaNGuard.isActive { return NaNGuard.evaluate(byDevice) }
    for (device, nodes) in byDevice { run(nodes, on: device) }
  }

  package static func run(_ roots: [Node], on device: Device) {
    let backend = Backends.of(device)
    let failure: Diagnostic? = state.withLock { state in
      state.visits += 1
      let pending = roots.filter { $0.storage == nil }
      guard !pending.isEmpty else { return nil }
      let recording = Recording(pending, visit: state.visits)
      if recording.orphan != nil { return .noValue }
      let plan = Self.plan(for: recording, backend, &state)
      do {
        let results = try plan.run(recording.leaves.map { $0.storage! }, scalars: recording.scalars)
        for (node, storage) in zip(pending, results) { node.realise(storage) }
        return nil
      } catch {
        // The nodes stay without a value: those that are sound can still be computed on their own.
        return error as? Diagnostic ?? Diagnostic(operation: "evaluate", reason: "\(error)")
      }
    }
    if let failure { Diagnostic.report(failure) }
  }

  /// Whether a plan for the recording behind `tensor` is kept, so that running it needs no planning.
  package static func hasPlan(for tensor: Tensor) -> Bool {
    state.withLock { state in
      guard tensor.node.storage == nil else { return false }
      state.visits += 1
      var structure = Recording([tensor.node], visit: state.visits).structure
      structure.mix(Backends.of(tensor.device).name.hashValue)
      return state.plans[structure] != nil
    }
  }

  private static func plan(
    for recording: Recording, _ backend: any Backend, _ state: inout State
  ) -> any Executable {
    var structure = recording.structure
    structure.mix(backend.name.hashValue)
    if let plan = state.plans[structure] {
      state.statistics.reused += 1
      return plan
    }
    state.statistics.planned += 1
    let plan = backend.compile(recording.graph)
    if structure.ops.count <= largestKept {
      if state.order.count >= capacity { state.plans[state.order.removeFirst()] = nil }
      state.plans[structure] = plan
      state.order.append(structure)
    }
    return plan
  }

  /// The graph behind tensors, as it was recorded.
  package static func graph(of tensors: [Tensor], arguments: [Tensor] = []) -> RecordedGraph {
    state.withLock { state in
      state.visits += 1
      let recording = Recording(
        tensors.map(\.node), arguments: arguments.map(\.node), visit: state.visits)
      return RecordedGraph(
        graph: recording.graph, leaves: recording.leaves, scalars: recording.scalars,
        isComplete: recording.orphan == nil)
    }
  }

  /// Runs a plan made elsewhere, with the engine to itself. A leaf without a value, which has been reported, counts as
  /// zeros.
  package static func run(_ plan: any Executable, leaves: [Node], scalars: [Scalar]) throws
    -> [any Storage]
  {
    try state.withLock { _ in
      let inputs = leaves.map {
        $0.storage ?? Backends.of($0.device).zeros($0.shape, $0.dtype)
      }
      return try plan.run(inputs, scalars: scalars)
    }
  }

  /// Runs `body` with the engine to itself.
  static func alone(_ body: () -> Void) { state.withLock { _ in body() } }

  /// What `node` is computed from, as long as it has no value: no evaluation runs beside this look at it.
  static func inputs(ofUnevaluated node: Node) -> [Node]? {
    state.withLock { _ in node.storage == nil ? node.inputs : nil }
  }

  /// What `x` is computed from by `op`, as long as it has no value.
  static func operand(of x: Tensor, under op: Op) -> Tensor? {
    guard x.node.op == op else { return nil }
    return inputs(ofUnevaluated: x.node)?.first.map(Tensor.init)
  }

  /// A look at `node` that no evaluation runs beside.
  fileprivate static func storage(of node: Node) -> (any Storage)? {
    state.withLock { _ in node.storage }
  }
}

/// A graph with the data it was recorded on.
package struct RecordedGraph: Sendable {
  package let graph: Graph
  package let leaves: [Node]
  package let scalars: [Scalar]
  /// Whether every argument in it is among those given.
  package let isComplete: Bool
}

extension Diagnostic {
  static let noValue = Diagnostic(
    operation: "reading a value", reason: "this tensor stands for an argument and has no value",
    facts: ["inside vmap and compile, tensors are recorded, not computed"],
    hint: "return the tensor and read it outside")
}

extension Node {
  package var isUnevaluated: Bool { Engine.storage(of: self) == nil }
}

extension Backend {
  /// Zeros on this device.
  package func zeros(_ shape: [Int], _ dtype: DType) -> any Storage {
    [UInt8](repeating: 0, count: shape.product * dtype.byteCount).withUnsafeBytes { upload($0) }
  }
}

extension Tensor {
  /// Computes this tensor now, if it has not been.
  @discardableResult public func evaluate() -> Tensor {
    Engine.evaluate([self])
    return self
  }

  /// Computes several tensors in one plan, sharing what they share.
  public static func evaluate(_ tensors: [Tensor]) { Engine.evaluate(tensors) }

  /// The numbers, computed if need be; zeros if that fails, which has been reported then.
  package func realised() -> any Storage {
    if let storage = Engine.storage(of: node) { return storage }
    Engine.evaluate([self])
    return Engine.storage(of: node) ?? Backends.of(device).zeros(shape, dtype)
  }
}
