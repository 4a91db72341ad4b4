import TarnCore

/// What the buffers of a model should become after a step, by path.
///
/// It is a tree of tensors, so a compiled step can return it.
public struct BufferUpdates: TensorTree {
  /// Paths in ascending order, as `bn1.running_mean`.
  public let names: [String]
  /// The new values, in the order of `names`.
  public let values: [Tensor]

  init(_ updates: [(name: String, value: Tensor)]) {
    let sorted = updates.sorted { $0.name < $1.name }
    (names, values) = (sorted.map(\.name), sorted.map(\.value))
  }
  private init(names: [String], values: [Tensor]) { (self.names, self.values) = (names, values) }

  /// The new value of the buffer of this name, if there is one.
  public subscript(name: String) -> Tensor? { names.firstIndex(of: name).map { values[$0] } }
  /// Whether no buffer changes.
  public var isEmpty: Bool { names.isEmpty }

  public func tensors(_ kind: LeafKind) -> [Tensor] { kind == .all ? values : [] }
  public func replacing(_ kind: LeafKind, with tensors: [Tensor]) -> BufferUpdates {
    kind == .all ? BufferUpdates(names: names, values: tensors) : self
  }
}

/// Gathers what layers report during one call. Buffers are told apart by the node that was recorded for each.
final class UpdateCollector: Sendable {
  @TaskLocal static var current: UpdateCollector?

  private let names: [ObjectIdentifier: String]
  private let latest = Lock<[String: Tensor]>([:])

  init(_ names: [ObjectIdentifier: String]) { self.names = names }

  func update(_ buffer: Tensor, _ new: (Tensor) -> Tensor) {
    guard let name = names[ObjectIdentifier(buffer.node)] else { return }
    let value = new(latest.withLock { $0[name] } ?? buffer)
    latest.withLock { $0[name] = stopGradient(value) }
  }

  var updates: BufferUpdates { BufferUpdates(latest.withLock { $0 }.map { ($0.key, $0.value) }) }
}

/// Runs `body` on `model` and gives its result with what the buffers should become.
///
/// Works inside and around derivatives, checkpointed blocks and compiled functions: nothing is changed in place.
/// A layer that is called twice updates twice, one after the other.
///
/// ```swift
/// let (output, updates) = Phase.training(key: key) { withUpdates(model) { $0(x) } }
/// model = model.applying(updates)
/// ```
public func withUpdates<Model: Module, Result>(
  _ model: Model, _ body: (Model) throws -> Result
) rethrows -> (result: Result, updates: BufferUpdates) {
  var names: [ObjectIdentifier: String] = [:]
  var kept: [Tensor] = []
  let tape = model.walked(named: true)
  let tensors = tape.leaves.map { leaf in
    guard leaf.isBuffer else { return leaf.tensor }
    let mark = Tensor.record(.variable, leaf.tensor, leaf.tensor.shape, leaf.tensor.dtype)
    names[ObjectIdentifier(mark.node)] = leaf.name
    kept.append(mark)
    return mark
  }
  let collector = UpdateCollector(names)
  // The marks are told apart by address, so they must outlive the call.
  let result = try withExtendedLifetime(kept) {
    try UpdateCollector.$current.withValue(collector) {
      try body(model.rebuilt(from: tape, with: tensors))
    }
  }
  return (result, collector.updates)
}

extension Module {
  /// The same model with its buffers as reported by ``withUpdates(_:_:)``.
  public func applying(_ updates: BufferUpdates) -> Self {
    guard !updates.isEmpty else { return self }
    let new = Dictionary(zip(updates.names, updates.values)) { $1 }
    return mapNamed(.all) { name, tensor in new[name] ?? tensor }
  }
}
