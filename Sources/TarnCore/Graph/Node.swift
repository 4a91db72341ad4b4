import Synchronization

/// One recorded operation. Everything but the inputs, which are let go once there is a value, and the
/// value itself is constant.
///
/// Safe to share: `storage` and the inputs change only under the engine's lock. Whoever reads them holds it, or keeps
/// the node's trace open, while which the inputs do not change.
package final class Node: @unchecked Sendable {
  package let op: Op
  package let shape: [Int]
  package let dtype: DType
  package let device: Device
  /// The outermost derivative or batching being taken while this was recorded; while it lasts the inputs stay.
  package let trace: Trace?

  package fileprivate(set) var input0: Node?
  package fileprivate(set) var input1: Node?
  package fileprivate(set) var input2: Node?
  package fileprivate(set) var moreInputs: [Node] = []
  package private(set) var storage: (any Storage)?
  /// The layer it belongs to, if anybody asks (``LayerLabels``). Used under the engine's lock.
  package var layer: String?
  /// Scratch for one traversal: which one, and the number given in it. Used under the engine's lock.
  package var visit: Int = 0
  package var number: Int = 0

  package init(
    _ op: Op, _ inputs: [Node], shape: [Int], dtype: DType, device: Device, trace: Trace?
  ) {
    (self.op, self.shape, self.dtype, self.device, self.trace) = (op, shape, dtype, device, trace)
    if inputs.count > 0 { input0 = inputs[0] }
    if inputs.count > 1 { input1 = inputs[1] }
    if inputs.count > 2 { input2 = inputs[2] }
    if inputs.count > 3 { moreInputs = Array(inputs[3...]) }
  }

  /// The common cases without an array.
  package init(
    _ op: Op, _ a: Node?, _ b: Node?, shape: [Int], dtype: DType, device: Device, trace: Trace?
  ) {
    (self.op, self.shape, self.dtype, self.device, self.trace) = (op, shape, dtype, device, trace)
    (input0, input1) = (a, b)
  }

  /// Data that is already there.
  package init(storage: any Storage, shape: [Int], dtype: DType, device: Device) {
    (op, self.shape, self.dtype, self.device, trace) = (.constant, shape, dtype, device, nil)
    self.storage = storage
  }

  package var inputs: [Node] {
    guard let input0 else { return [] }
    guard let input1 else { return [input0] }
    guard let input2 else { return [input0, input1] }
    return [input0, input1, input2] + moreInputs
  }

  package var count: Int { shape.product }

  /// Keeps the value; the inputs are let go unless a derivative may still need them.
  package func realise(_ storage: any Storage) {
    self.storage = storage
    if trace?.isActive != true { Self.release(self) }
  }

  deinit { Self.release(self) }

  /// Lets the inputs go without recursion: a chain may be millions of nodes long.
  private static func release(_ node: Node) {
    guard node.input0 != nil else { return }
    var orphans: [Node] = []
    node.takeInputs(into: &orphans)
    while var last = orphans.popLast() {
      if isKnownUniquelyReferenced(&last) { last.takeInputs(into: &orphans) }
    }
  }

  private func takeInputs(into orphans: inout [Node]) {
    if let input0 { orphans.append(input0) }
    if let input1 { orphans.append(input1) }
    if let input2 { orphans.append(input2) }
    orphans.append(contentsOf: moreInputs)
    (input0, input1, input2) = (nil, nil, nil)
    moreInputs = []
  }
}

/// The span of one derivative or batching transformation.
package final class Trace: Sendable {
  private let active = Atomic<Bool>(true)
  /// Traces nest; the outermost lasts longest.
  package let depth: Int

  package init(depth: Int) { self.depth = depth }

  package var isActive: Bool { active.load(ordering: .acquiring) }
  package func end() { active.store(false, ordering: .releasing) }

  @TaskLocal package static var currentDepth = 0

  /// Runs `body` inside a new trace.
  package static func within<Result>(_ body: (Trace) throws -> Result) rethrows -> Result {
    let trace = Trace(depth: currentDepth + 1)
    defer { trace.end() }
    return try $currentDepth.withValue(trace.depth) { try body(trace) }
  }

  /// The longer-lasting of two.
  package static func outer(_ a: Trace?, _ b: Trace?) -> Trace? {
    guard let a, a.isActive else { return b?.isActive == true ? b : nil }
    guard let b, b.isActive else { return a }
    return a.depth <= b.depth ? a : b
  }
}
