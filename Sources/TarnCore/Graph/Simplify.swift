/// Rewrites a graph into one with the same values and less work: equal computations merged, identities removed,
/// constants and movements folded, unclaimed calls replaced by their fallbacks.
package struct Simplifier {
  private(set) var vertices: [Graph.Vertex] = []
  private var known: [Graph.Vertex: Int] = [:]
  /// Of the vertex that is being rewritten.
  private var layer = LayerLabel()
  private let claims: (Call, [Graph.Vertex]) -> Bool

  /// - Parameter claims: whether the backend has its own implementation of a call for these arguments.
  package static func simplified(_ graph: Graph, claims: (Call, [Graph.Vertex]) -> Bool) -> Graph {
    withoutActuallyEscaping(claims) { claims in
      var simplifier = Simplifier(claims: claims)
      var place = [Int](repeating: -1, count: graph.vertices.count)
      let live = graph.live
      for (index, vertex) in graph.vertices.enumerated() where live[index] {
        var vertex = vertex
        simplifier.layer = vertex.layer
        vertex.inputs = vertex.inputs.map { place[$0] }
        place[index] = simplifier.emit(vertex)
      }
      return Graph(
        vertices: simplifier.vertices, outputs: graph.outputs.map { place[$0] },
        scalarCount: graph.scalarCount)
    }
  }

  private init(claims: @escaping (Call, [Graph.Vertex]) -> Bool) { self.claims = claims }

  mutating func emit(_ vertex: Graph.Vertex) -> Int {
    rewritten(vertex) ?? intern(vertex)
  }

  private mutating func intern(_ vertex: Graph.Vertex) -> Int {
    if let index = known[vertex] { return index }
    vertices.append(vertex)
    vertices[vertices.count - 1].layer = layer
    known[vertex] = vertices.count - 1
    return vertices.count - 1
  }

  /// The vertex that does the same with less, if there is one.
  private mutating func rewritten(_ vertex: Graph.Vertex) -> Int? {
    switch vertex.op {
    case .variable: return vertex.inputs[0]
    case .call(let call): return rewritten(call, vertex)
    case .reshape, .permute, .broadcast, .slice, .flip: return movement(vertex)
    case .pad(let margins) where margins.allSatisfy({ $0 == Margin() }): return vertex.inputs[0]
    case .concatenate where vertex.inputs.count == 1: return vertex.inputs[0]
    case .cast:
      let input = vertices[vertex.inputs[0]]
      if input.dtype == vertex.dtype { return vertex.inputs[0] }
      return nil
    case .reduce where vertices[vertex.inputs[0]].shape == vertex.shape: return vertex.inputs[0]
    case .unary(.negate):
      if case .unary(.negate) = vertices[vertex.inputs[0]].op {
        return vertices[vertex.inputs[0]].inputs[0]
      }
      return nil
    case .binary(let kind): return arithmetic(kind, vertex)
    case .matmul: return oneHotProduct(vertex)
    default: return nil
    }
  }

  /// A claimed call keeps only its arguments: the fallback is computed only if something else needs it.
  private mutating func rewritten(_ call: Call, _ vertex: Graph.Vertex) -> Int {
    let arguments = Array(vertex.inputs.dropFirst())
    guard claims(call, arguments.map { vertices[$0] }) else { return vertex.inputs[0] }
    var claimed = vertex
    claimed.inputs = arguments
    return intern(claimed)
  }

  private mutating func movement(_ vertex: Graph.Vertex) -> Int? {
    let source = vertex.inputs[0]
    let input = vertices[source]
    if case .full = input.op {
      return emit(
        Graph.Vertex(input.op, [], shape: vertex.shape, dtype: vertex.dtype, slot: input.slot))
    }
    switch (vertex.op, input.op) {
    case (.reshape, _) where input.shape == vertex.shape,
      (.broadcast, _) where input.shape == vertex.shape:
      return source
    case (.reshape, .reshape), (.broadcast, .broadcast):
      return emit(Graph.Vertex(vertex.op, input.inputs, shape: vertex.shape, dtype: vertex.dtype))
    case (.permute(let axes), _) where axes == Array(axes.indices):
      return source
    case (.permute(let outer), .permute(let inner)):
      return emit(
        Graph.Vertex(
          .permute(outer.map { inner[$0] }), input.inputs, shape: vertex.shape, dtype: vertex.dtype)
      )
    case (.slice(let ranges), _) where zip(ranges, input.shape).allSatisfy({ $0 == Stride(0, $1) }):
      return source
    case (.flip(let axes), _) where axes.isEmpty: return source
    case (.flip(let outer), .flip(let inner)) where outer == inner: return input.inputs[0]
    default: return nil
    }
  }

  /// The number a vertex holds everywhere, if it is one that structure tells.
  private func constant(_ index: Int) -> Double? {
    guard case .full(let value) = vertices[index].op, value != .integer(.min) else { return nil }
    return value.double
  }

  private mutating func unary(_ kind: Unary, _ x: Int, like vertex: Graph.Vertex) -> Int {
    emit(Graph.Vertex(.unary(kind), [x], shape: vertex.shape, dtype: vertex.dtype))
  }

  /// x + 0, x · 1, x / 1, x − 0, 0 − x, x · −1, and small powers. 0 · x stays, for the sake of NaN;
  /// the sign of a zero may change.
  private mutating func arithmetic(_ kind: Binary, _ vertex: Graph.Vertex) -> Int? {
    let (x, y) = (vertex.inputs[0], vertex.inputs[1])
    let (a, b) = (constant(x), constant(y))
    let floating = vertex.dtype.isFloating
    switch kind {
    case .add:
      if b == 0 { return x }
      if a == 0 { return y }
    case .subtract:
      if b == 0 { return x }
      if a == 0 { return unary(.negate, y, like: vertex) }
    case .multiply:
      if b == 1 { return x }
      if a == 1 { return y }
      if b == -1 { return unary(.negate, x, like: vertex) }
      if a == -1 { return unary(.negate, y, like: vertex) }
    case .divide:
      if b == 1 { return x }
      if a == 1, floating { return unary(.reciprocal, y, like: vertex) }
    case .power:
      if b == 1 { return x }
      if b == 2 {
        return emit(
          Graph.Vertex(.binary(.multiply), [x, x], shape: vertex.shape, dtype: vertex.dtype))
      }
      if b == -1, floating { return unary(.reciprocal, x, like: vertex) }
    default: break
    }
    // One order for commuting operands lets equal computations meet.
    if [.add, .multiply].contains(kind), x > y {
      return emit(Graph.Vertex(vertex.op, [y, x], shape: vertex.shape, dtype: vertex.dtype))
    }
    return nil
  }
}
