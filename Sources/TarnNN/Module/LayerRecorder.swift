import TarnCore

/// Listens to the layers of one forward pass.
final class LayerRecorder: Sendable {
  struct Call: Sendable {
    var path: String
    var description: String
    var output: [Int]
    var outputBytes: Int
    var parameterCount: Int
    var multiplyAdds: Int
  }

  private struct Log: Sendable {
    var calls: [Call] = []
    /// Tensors of the layers that were recorded.
    var covered: Set<ObjectIdentifier> = []
  }

  @TaskLocal static var current: LayerRecorder?
  /// Where the layer now running stands, where an enclosing sequence knows.
  @TaskLocal private static var place: String?

  /// Paths of the model's tensors, told apart by their nodes.
  private let paths: [ObjectIdentifier: String]
  private let log = Lock(Log())

  init(_ paths: [ObjectIdentifier: String]) { self.paths = paths }

  var calls: [Call] { log.withLock { $0.calls } }

  func covers(_ tensor: Tensor) -> Bool {
    log.withLock { $0.covered.contains(ObjectIdentifier(tensor.node)) }
  }

  /// Notes a call. Each tensor of the model counts for the first layer recorded that holds it: not again for a second
  /// call, nor for a layer around it.
  func record(_ layer: some Layer, _ y: Tensor, multiplyAdds: Int) {
    var call = Call(
      path: path(of: layer) ?? Self.place ?? "",
      description: (layer as? any CustomStringConvertible)?.description ?? layer.typeName,
      output: y.shape, outputBytes: y.count * y.dtype.byteCount, parameterCount: 0,
      multiplyAdds: multiplyAdds)
    let leaves = layer.walked().leaves
    log.withLock { log in
      for leaf in leaves where paths[ObjectIdentifier(leaf.tensor.node)] != nil {
        guard log.covered.insert(ObjectIdentifier(leaf.tensor.node)).inserted else { continue }
        if leaf.belongs(to: .trainable) { call.parameterCount += leaf.tensor.count }
      }
      log.calls.append(call)
    }
  }

  /// Runs a layer and, where neither it nor a layer in it recorded anything, notes the call for it.
  func run(_ layer: some Layer, _ x: Tensor) -> Tensor {
    let before = calls.count
    let y = layer(x)
    if calls.count == before { record(layer, y, multiplyAdds: 0) }
    return y
  }

  /// Found by a tensor in it: the tensor's path without the part inside the layer.
  private func path(of layer: some Module) -> String? {
    guard let leaf = layer.walked(named: true).orderedLeaves.first,
      let full = paths[ObjectIdentifier(leaf.tensor.node)], full.hasSuffix(leaf.name)
    else { return nil }
    let path = full.dropLast(leaf.name.count)
    return String(path.last == "." ? path.dropLast() : path)
  }

  /// A sequence begins: where it stands.
  func enter(_ sequence: some Module) -> String { path(of: sequence) ?? Self.place ?? "" }

  /// Names what a layer recorded, for profiles: where it stands in sequences, and what it is.
  static func label(_ layer: some Layer, _ y: Tensor) {
    let name = (layer as? any CustomStringConvertible)?.description ?? layer.typeName
    LayerLabels.mark(y, (place.map { $0 + " " } ?? "") + name)
  }

  /// As ``run(_:_:)``, whether one listens or not.
  static func run(_ layer: some Layer, _ x: Tensor) -> Tensor {
    if let current { return current.run(layer, x) }
    let y = layer(x)
    if LayerLabels.isActive { label(layer, y) }
    return y
  }

  /// Runs the `index`-th layer of the sequence at `base`.
  static func run(_ layer: some Layer, _ x: Tensor, at base: String?, _ index: Int) -> Tensor {
    guard let current, let base else {
      guard LayerLabels.isActive else { return layer(x) }
      return $place.withValue(place.map { "\($0).\(index)" } ?? "\(index)") { run(layer, x) }
    }
    return $place.withValue(base.isEmpty ? "\(index)" : "\(base).\(index)") {
      current.run(layer, x)
    }
  }
}
