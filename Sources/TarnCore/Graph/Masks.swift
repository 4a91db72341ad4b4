extension Graph {
  /// A mask, the number 1 or 0 that a comparison gives, is computed anew for every element-wise vertex that reads it,
  /// from what it compares: that takes no more reading than the mask would, and nothing is written.
  func repeatingMasks() -> Graph {
    var repeated: [Vertex] = []
    repeated.reserveCapacity(vertices.count)
    var place = [Int](repeating: -1, count: vertices.count)
    func copy(_ index: Int) -> Int {
      var vertex = vertices[index]
      if case .compare = vertex.op {
        vertex.inputs = vertex.inputs.map { place[$0] }
      } else {
        vertex.inputs = vertex.inputs.map(copy)
      }
      repeated.append(vertex)
      return repeated.count - 1
    }
    for (index, vertex) in vertices.enumerated() {
      var vertex = vertex
      vertex.inputs = vertex.inputs.map { input in
        vertex.op.isElementwise && isMask(input) ? copy(input) : place[input]
      }
      repeated.append(vertex)
      place[index] = repeated.count - 1
    }
    return Graph(
      vertices: repeated, outputs: outputs.map { place[$0] }, scalarCount: scalarCount)
  }

  /// Whether a vertex is a comparison cast to a floating type no narrower than what is compared.
  private func isMask(_ index: Int) -> Bool {
    guard case .cast = vertices[index].op, vertices[index].dtype.isFloating else { return false }
    let source = vertices[vertices[index].inputs[0]]
    guard case .compare = source.op else { return false }
    return source.inputs.allSatisfy {
      vertices[$0].dtype.byteCount <= vertices[index].dtype.byteCount
    }
  }
}
