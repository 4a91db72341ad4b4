import TarnCore

/// Decides which kernels do a convolution: what ``Tuning`` measured, else a rule of thumb.
struct AlgorithmChooser: Sendable {
  /// Whether Winograd's minimal filtering, which rounds a little more, may be used.
  var allowsWinograd: Bool
  var tuning: Tuning

  /// The convolution on blocked images for a vertex; nil if it had better stay plain.
  func convolution(_ vertex: Graph.Vertex, _ graph: Graph) -> BlockedConvolution? {
    guard case .convolution(let pass, let geometry) = vertex.op, geometry.strides.count == 2,
      vertex.dtype == .float32
    else { return nil }
    let shapes = vertex.inputs.map { graph.vertices[$0].shape }
    let (x, w, y) =
      switch pass {
      case .forward: (shapes[0], shapes[1], vertex.shape)
      case .inputGradient: (vertex.shape, shapes[1], shapes[0])
      case .weightGradient: (shapes[0], vertex.shape, shapes[1])
      }
    guard (x + w + y).allSatisfy({ $0 > 0 }), w[0] >= BlockedLayout.lanes else { return nil }
    let candidates = algorithms(x, w, geometry).map {
      BlockedConvolution($0, pass, geometry, x: x, w: w, y: y)
    }
    return tuning.best(of: candidates)
  }

  /// Whether the weights that Winograd's kernels read would take more than half as much again as all data that `graph`
  /// runs on. Then those that suit it are made at each run (``BlockedConvolution/isLean``); training makes them at
  /// each run as it is.
  func isShortOfMemory(_ graph: Graph) -> Bool {
    var (given, packed) = (0, 0)
    for vertex in graph.vertices {
      switch vertex.op {
      case .constant: given += vertex.shape.product * vertex.dtype.byteCount
      case .convolution(.weightGradient, _): return false
      case .convolution:
        guard let convolution = convolution(vertex, graph),
          convolution.algorithm.winogradTile != nil
        else { continue }
        packed += convolution.packedCount * 4
      default: continue
      }
    }
    return packed > given / 2
  }

  /// The best first.
  private func algorithms(_ x: [Int], _ w: [Int], _ geometry: Convolution)
    -> [BlockedConvolution.Algorithm]
  {
    if x[1] <= 4 { return [.stem] }
    if geometry.groups == x[1], geometry.groups > 1 { return [.depthwise, .oneDNNDirect] }
    guard x[1] >= BlockedLayout.lanes || geometry.groups == 1 && x[1] >= 8 else { return [] }
    guard allowsWinograd, w[2] == 3, w[3] == 3 else { return [.direct, .oneDNNDirect] }
    // With few tiles, reading the weights costs most, and of one small image Winograd's, which come on top of the plain
    // ones, are not worth their memory.
    let tiles = x[0] * ((x[2] + 3) / 4) * ((x[3] + 3) / 4)
    let own: [BlockedConvolution.Algorithm] =
      if tiles < 9 {
        [.direct, .winograd2, .winograd4]
      } else if tiles < 36 {
        [.winograd2, .winograd4, .direct]
      } else {
        [.winograd4, .winograd2, .direct]
      }
    return own + [.oneDNNDirect, .oneDNNWinograd]
  }
}
