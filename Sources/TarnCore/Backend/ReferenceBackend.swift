/// Evaluates every vertex by its rule's plain implementation, in recording order: no simplification,
/// no fusion, no C. It judges the other backends.
package final class ReferenceBackend: Backend {
  package let name = "reference"
  package init() {}

  package func upload(_ bytes: UnsafeRawBufferPointer) -> any Storage {
    let storage = HostStorage(byteCount: bytes.count)
    storage.bytes.copyMemory(from: bytes)
    return storage
  }

  package func compile(_ graph: Graph) -> any Executable { ReferencePlan(graph) }
}

private final class ReferencePlan: Executable {
  private let graph: Graph
  /// The last vertex that reads each.
  private let lastUse: [Int]

  init(_ graph: Graph) {
    self.graph = graph
    var lastUse = Array(graph.vertices.indices)
    for (index, vertex) in graph.vertices.enumerated() {
      for input in vertex.inputs { lastUse[input] = index }
    }
    for output in graph.outputs { lastUse[output] = .max }
    self.lastUse = lastUse
  }

  func run(_ inputs: [any Storage], scalars: [Scalar]) throws -> [any Storage] {
    var values = [HostArray?](repeating: nil, count: graph.vertices.count)
    for (index, vertex) in graph.vertices.enumerated() {
      values[index] = try value(of: vertex, values, inputs, scalars)
      for input in vertex.inputs where lastUse[input] <= index { values[input] = nil }
    }
    return graph.outputs.map { values[$0].map { HostStorage($0) } ?? HostStorage(byteCount: 0) }
  }

  private func value(
    of vertex: Graph.Vertex, _ values: [HostArray?], _ inputs: [any Storage], _ scalars: [Scalar]
  ) throws -> HostArray {
    switch vertex.op {
    case .constant:
      return HostArray(inputs[vertex.slot], shape: vertex.shape, dtype: vertex.dtype)
    case .full(let own):
      let value = vertex.slot < 0 ? own : scalars[vertex.slot]
      return try vertex.op.rule.reference(.full(value), [], vertex.shape, vertex.dtype)
    default:
      return try vertex.op.rule.reference(
        vertex.op, vertex.inputs.compactMap { values[$0] }, vertex.shape, vertex.dtype)
    }
  }
}

extension HostArray {
  /// A device's numbers brought to the host.
  package init(_ storage: any Storage, shape: [Int], dtype: DType) {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: storage.byteCount, alignment: 16)
    defer { bytes.deallocate() }
    storage.read(into: bytes)
    self.init(shape: shape, dtype: dtype, bytes: UnsafeRawBufferPointer(bytes))
  }
}
