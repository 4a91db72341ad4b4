extension Op {
  /// Computed element by element in a loop, from operands of the loop's own shape.
  package var isElementwise: Bool {
    switch self {
    case .unary, .binary, .compare, .select, .cast: true
    default: false
    }
  }

  /// Another look at the same elements.
  var isMovement: Bool {
    switch self {
    case .reshape, .permute, .broadcast, .slice, .flip: true
    default: false
    }
  }
}

/// Which vertices are computed together in one loop.
///
/// From the results backwards, an element-wise vertex joins the loop that reads it if nothing else reads it, so its
/// values never reach memory. A graph output may join too: the loop then stores it on the way. A reduction takes in
/// what only it reads.
struct Fusion {
  /// Loop number of each vertex in a loop, by vertex.
  private(set) var loopOf: [Int?]
  /// Vertices of each loop, the last to be computed first.
  private(set) var members: [[Int]] = []
  /// The iteration shape of each loop.
  private(set) var shapes: [[Int]] = []
  let live: [Bool]

  /// Longer loops gain nothing: their registers leave the first-level cache.
  private static let longest = 96

  init(_ graph: Graph) {
    let vertices = graph.vertices
    live = graph.live
    loopOf = Array(repeating: nil, count: vertices.count)
    var users = [[Int]](repeating: [], count: vertices.count)
    for (index, vertex) in vertices.enumerated() where live[index] {
      for input in vertex.inputs { users[input].append(index) }
    }
    let outputs = Set(graph.outputs)
    for index in vertices.indices.reversed() where live[index] {
      let vertex = vertices[index]
      if case .reduce = vertex.op {
        start(index, shape: vertices[vertex.inputs[0]].shape)
      } else if vertex.op.isElementwise {
        let candidate = users[index].first.flatMap { loopOf[$0] }
        if let loop = candidate, shapes[loop] == vertex.shape, members[loop].count < Self.longest,
          users[index].allSatisfy({ loopOf[$0] == loop }),
          !outputs.contains(index) || !isReduction(members[loop][0], vertices)
        {
          loopOf[index] = loop
          members[loop].append(index)
        } else {
          start(index, shape: vertex.shape)
        }
      }
    }
  }

  private mutating func start(_ index: Int, shape: [Int]) {
    loopOf[index] = members.count
    members.append([index])
    shapes.append(shape)
  }

  private func isReduction(_ index: Int, _ vertices: [Graph.Vertex]) -> Bool {
    if case .reduce = vertices[index].op { true } else { false }
  }
}
