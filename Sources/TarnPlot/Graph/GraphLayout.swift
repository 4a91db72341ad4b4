/// Places the vertices of a directed graph in layers with few crossings.
///
/// The steps are those of Sugiyama, Tagawa and Toda (1981): edges that close a cycle are turned
/// round, each vertex
/// goes below all it depends on, edges over several layers get a bend in each, layers are ordered
/// by the mean
/// place (barycentre) of their neighbours, and positions follow from the order by least squares.
package struct GraphLayout {
  /// The vertices of each layer from left to right; numbers from `widths.count` on are bends.
  package private(set) var layers: [[Int]] = []
  /// The layer of each vertex and bend.
  package private(set) var layer: [Int] = []
  /// The centre of each vertex and bend, in pixels from the left.
  package private(set) var x: [Double] = []
  /// The vertices and bends that each edge passes, in its own direction.
  package private(set) var routes: [[Int]] = []
  package private(set) var width = 0.0

  private var widths: [Double]
  private var above: [[Int]] = []
  private var below: [[Int]] = []

  private static let gap = 18.0
  private static let bendWidth = 10.0
  /// With more bends than this, edges run straight instead.
  private static let mostBends = 50_000

  package init(widths: [Double], edges: [(from: Int, to: Int)]) {
    self.widths = widths
    if widths.isEmpty { return }
    let proper = edges.filter { $0.from != $0.to }
    let isTurned = Self.closingCycles(count: widths.count, proper)
    let downward = zip(proper, isTurned).map { $1 ? (from: $0.to, to: $0.from) : $0 }
    layer = Self.depths(count: widths.count, downward)
    addBends(downward, isTurned)
    orderLayers()
    position()
  }

  /// Which edges lead back to a vertex that a depth-first walk has not yet left.
  private static func closingCycles(count: Int, _ edges: [(from: Int, to: Int)]) -> [Bool] {
    var outgoing = [[Int]](repeating: [], count: count)
    for (index, edge) in edges.enumerated() { outgoing[edge.from].append(index) }
    var state = [UInt8](repeating: 0, count: count)
    var next = [Int](repeating: 0, count: count)
    var closes = [Bool](repeating: false, count: edges.count)
    for root in 0..<count where state[root] == 0 {
      var stack = [root]
      state[root] = 1
      while let vertex = stack.last {
        if next[vertex] == outgoing[vertex].count {
          state[vertex] = 2
          stack.removeLast()
          continue
        }
        let edge = outgoing[vertex][next[vertex]]
        next[vertex] += 1
        let target = edges[edge].to
        if state[target] == 1 { closes[edge] = true }
        if state[target] == 0 {
          state[target] = 1
          stack.append(target)
        }
      }
    }
    return closes
  }

  /// The longest way from a source to each vertex; sources then move down to just above the first
  /// that needs them.
  private static func depths(count: Int, _ edges: [(from: Int, to: Int)]) -> [Int] {
    var outgoing = [[Int]](repeating: [], count: count)
    var waiting = [Int](repeating: 0, count: count)
    for edge in edges {
      outgoing[edge.from].append(edge.to)
      waiting[edge.to] += 1
    }
    let sources = (0..<count).filter { waiting[$0] == 0 }
    var depth = [Int](repeating: 0, count: count)
    var ready = sources
    while let vertex = ready.popLast() {
      for target in outgoing[vertex] {
        depth[target] = max(depth[target], depth[vertex] + 1)
        waiting[target] -= 1
        if waiting[target] == 0 { ready.append(target) }
      }
    }
    for source in sources {
      if let nearest = outgoing[source].map({ depth[$0] }).min() { depth[source] = nearest - 1 }
    }
    return depth
  }

  private mutating func addBends(_ edges: [(from: Int, to: Int)], _ isTurned: [Bool]) {
    above = [[Int]](repeating: [], count: widths.count)
    below = above
    let bends = edges.reduce(0) { $0 + layer[$1.to] - layer[$1.from] - 1 }
    let runsStraight = bends > Self.mostBends
    for (edge, turned) in zip(edges, isTurned) {
      var route = [edge.from]
      if !runsStraight {
        for depth in (layer[edge.from] + 1)..<max(layer[edge.to], layer[edge.from] + 1) {
          route.append(layer.count)
          layer.append(depth)
          widths.append(Self.bendWidth)
          above.append([])
          below.append([])
        }
      }
      route.append(edge.to)
      for (upper, lower) in zip(route, route.dropFirst()) where layer[lower] == layer[upper] + 1 {
        below[upper].append(lower)
        above[lower].append(upper)
      }
      routes.append(turned ? route.reversed() : route)
    }
    layers = [[Int]](repeating: [], count: (layer.max() ?? 0) + 1)
    for (vertex, depth) in layer.enumerated() { layers[depth].append(vertex) }
  }

  /// Sweeps down and up, keeping the order with the fewest crossings.
  private mutating func orderLayers() {
    var best = layers
    var fewest = crossings()
    for sweep in 0..<12 where fewest > 0 {
      var place = places()
      let isDown = sweep % 2 == 0
      for depth in isDown ? Array(layers.indices) : layers.indices.reversed() {
        let neighbours = isDown ? above : below
        let keys = layers[depth].map { vertex in
          let near = neighbours[vertex]
          return near.isEmpty
            ? Double(place[vertex])
            : near.reduce(0.0) { $0 + Double(place[$1]) } / Double(near.count)
        }
        let order = layers[depth].indices.sorted { (keys[$0], $0) < (keys[$1], $1) }
        layers[depth] = order.map { layers[depth][$0] }
        for (index, vertex) in layers[depth].enumerated() { place[vertex] = index }
      }
      let found = crossings()
      if found < fewest { (best, fewest) = (layers, found) }
    }
    layers = best
  }

  private func places() -> [Int] {
    var place = [Int](repeating: 0, count: layer.count)
    for layer in layers {
      for (index, vertex) in layer.enumerated() { place[vertex] = index }
    }
    return place
  }

  /// How many pairs of edges cross, counted by a Fenwick tree over each layer.
  package func crossings() -> Int {
    let place = places()
    var total = 0
    for (upper, lower) in zip(layers, layers.dropFirst()) {
      var tree = [Int](repeating: 0, count: lower.count + 1)
      var seen = 0
      for vertex in upper {
        let ends = below[vertex].map { place[$0] }
        for end in ends {
          var (index, upToHere) = (end + 1, 0)
          while index > 0 {
            upToHere += tree[index]
            index -= index & -index
          }
          total += seen - upToHere
        }
        for end in ends {
          var index = end + 1
          while index < tree.count {
            tree[index] += 1
            index += index & -index
          }
        }
        seen += ends.count
      }
    }
    return total
  }

  /// Draws every vertex to the mean of its neighbours, keeping order and distances.
  private mutating func position() {
    x = [Double](repeating: 0, count: layer.count)
    for layer in layers {
      var right = 0.0
      for vertex in layer {
        x[vertex] = right + widths[vertex] / 2
        right += widths[vertex] + Self.gap
      }
      for vertex in layer { x[vertex] -= right / 2 }
    }
    for sweep in 0..<24 {
      for depth in sweep % 2 == 0 ? Array(layers.indices) : layers.indices.reversed() {
        let near = layers[depth].map { sweep % 2 == 0 ? above[$0] : below[$0] }
        settle(layers[depth], near: near)
      }
    }
    let left = x.indices.map { x[$0] - widths[$0] / 2 }.min() ?? 0
    for vertex in x.indices { x[vertex] -= left }
    width = x.indices.map { x[$0] + widths[$0] / 2 }.max() ?? 0
  }

  /// Places one layer: the least squares of the distances to where its members want to be, under
  /// the order and
  /// the least distances between them (pooling of adjacent violators).
  private mutating func settle(_ members: [Int], near: [[Int]]) {
    var offsets: [Double] = []
    var offset = 0.0
    for (index, vertex) in members.enumerated() {
      if index > 0 { offset += (widths[members[index - 1]] + widths[vertex]) / 2 + Self.gap }
      offsets.append(offset)
    }
    var blocks: [(mean: Double, weight: Double, count: Int)] = []
    for (index, vertex) in members.enumerated() {
      let wish =
        near[index].isEmpty
        ? x[vertex] : near[index].reduce(0) { $0 + x[$1] } / Double(near[index].count)
      var block = (mean: wish - offsets[index], weight: near[index].isEmpty ? 0.1 : 1, count: 1)
      while let last = blocks.last, last.mean > block.mean {
        let weight = last.weight + block.weight
        let mean = (last.mean * last.weight + block.mean * block.weight) / weight
        block = (mean, weight, last.count + block.count)
        blocks.removeLast()
      }
      blocks.append(block)
    }
    var index = 0
    for block in blocks {
      for _ in 0..<block.count {
        x[members[index]] = block.mean + offsets[index]
        index += 1
      }
    }
  }
}
