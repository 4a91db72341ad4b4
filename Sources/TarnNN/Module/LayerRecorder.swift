import TarnCore

/// A layer that can say what it costs.
protocol CostedLayer {
  /// Multiply-adds for input and output of these shapes.
  func multiplyAdds(_ x: [Int], _ y: [Int]) -> Int
}

/// Listens to the layers of one forward pass.
final class LayerRecorder: Sendable {
  struct Call: Sendable {
    var path: String
    var description: String
    var input: [Int]
    var output: [Int]
    var outputBytes: Int
    var parameterCount: Int
    var multiplyAdds: Int
  }

  @TaskLocal static var current: LayerRecorder?
  /// Where the layer now running stands, where an enclosing sequence knows.
  @TaskLocal private static var place: String?

  /// Paths of the model's tensors, told apart by their nodes.
  private let paths: [ObjectIdentifier: String]
  private let log = Lock<[Call]>([])

  init(_ paths: [ObjectIdentifier: String]) { self.paths = paths }

  var calls: [Call] { log.withLock { $0 } }

  func record(_ layer: some Layer, _ x: Tensor, _ y: Tensor) {
    let call = Call(
      path: path(of: layer) ?? Self.place ?? "", description: "\(layer)", input: x.shape,
      output: y.shape, outputBytes: y.count * y.dtype.byteCount,
      parameterCount: layer.parameterCount,
      multiplyAdds: (layer as? any CostedLayer)?.multiplyAdds(x.shape, y.shape) ?? 0)
    log.withLock { $0.append(call) }
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

  /// Runs the `index`-th layer of the sequence at `base`.
  static func at<Result>(_ base: String?, _ index: Int, _ body: () -> Result) -> Result {
    guard let base else { return body() }
    return $place.withValue(base.isEmpty ? "\(index)" : "\(base).\(index)", operation: body)
  }
}
