import TarnCore

/// Draws what follows a convolution on blocked images into its store: a scale and a shift per channel, a sum with
/// another image, a ReLU, a clip or a SiLU.
///
/// The same chain after anything else becomes one pass over the image, since numbers per channel repeat every sixteen
/// elements and make poor operands of a loop.
struct EpilogueFusion {
  static let affineName = "blocked.affine"
  /// a · x + b · y + c, with a, b and c per channel.
  static let blendName = "blocked.blend"

  private var vertices: [Graph.Vertex]
  private var users: [[Int]]
  private var isOutput: [Bool]
  /// Vertices that became part of another.
  private var isAbsorbed: [Bool]

  static func applied(to graph: Graph) -> Graph {
    guard graph.vertices.contains(where: { $0.shape.count == 5 }) else { return graph }
    var fusion = EpilogueFusion(graph)
    fusion.run()
    return fusion.compacted(graph)
  }

  private init(_ graph: Graph) {
    vertices = graph.vertices
    let live = graph.live
    users = Array(repeating: [], count: vertices.count)
    isAbsorbed = live.map { !$0 }
    var isOutput = Array(repeating: false, count: vertices.count)
    for output in graph.outputs { isOutput[output] = true }
    self.isOutput = isOutput
    for (index, vertex) in vertices.enumerated() where live[index] {
      for input in Set(vertex.inputs) { users[input].append(index) }
    }
  }

  private mutating func run() {
    // Blends first, or their products would begin chains.
    for index in vertices.indices where !isAbsorbed[index] {
      guard let blend = blend(index) else { continue }
      vertices[index] = blend.vertex
      for part in blend.parts { isAbsorbed[part] = true }
    }
    for index in vertices.indices where !isAbsorbed[index] {
      if let chain = convolutionChain(index) ?? affineChain(index) { replace(chain) }
    }
  }

  // MARK: Chains

  /// A root, what follows it, and where it ends.
  private struct Chain {
    var root: Int
    var end: Int
    /// Whether the root is the convolution that takes the chain in; else it is an image that is read.
    var isConvolution: Bool
    var epilogue = Epilogue()
    var scale: Factor?
    var shift: Factor?
    var residual: Int?
    var bounds: [Int] = []
    var parts: [Int] = []
  }

  /// Numbers per channel, as vertices [1, C / 16, 1, 1, 16] to be multiplied and added.
  private indirect enum Factor {
    case vertex(Int)
    case product(Factor, Factor)
    case sum(Factor, Factor)
  }

  private func convolutionChain(_ index: Int) -> Chain? {
    guard case .call(let call) = vertices[index].op,
      call.name.hasPrefix(BlockedConvolution.name),
      case let convolution = BlockedConvolution(call), convolution.pass == .forward
    else { return nil }
    let chain = grown(Chain(root: index, end: index, isConvolution: true))
    return chain.parts.isEmpty ? nil : chain
  }

  /// A chain on an image that is not a convolution's, if it begins with numbers per channel.
  private func affineChain(_ index: Int) -> Chain? {
    guard case .binary(let kind) = vertices[index].op, kind == .multiply || kind == .add,
      isImage(index)
    else { return nil }
    for (image, other) in pairs(index) where channelNumbers(other) != nil && isImage(image) {
      guard channelNumbers(image) == nil else { continue }
      var chain = Chain(root: image, end: index, isConvolution: false, parts: [index])
      guard let numbers = channelNumbers(other) else { continue }
      if kind == .multiply {
        chain.scale = .vertex(numbers)
      } else {
        chain.shift = .vertex(numbers)
      }
      return grown(chain)
    }
    return nil
  }

  private func isImage(_ index: Int) -> Bool {
    vertices[index].shape.count == 5 && vertices[index].dtype == .float32
      && vertices[index].shape[4] == BlockedLayout.lanes
  }

  /// The operands both ways round.
  private func pairs(_ index: Int) -> [(Int, Int)] {
    let inputs = vertices[index].inputs
    return [(inputs[0], inputs[1]), (inputs[1], inputs[0])]
  }

  /// The numbers behind a vertex that repeats [1, C / 16, 1, 1, 16] over an image.
  private func channelNumbers(_ index: Int) -> Int? {
    guard case .broadcast = vertices[index].op else { return nil }
    let source = vertices[index].inputs[0]
    let shape = vertices[source].shape
    return shape.count == 5 && shape[0] == 1 && shape[2] == 1 && shape[3] == 1
      && shape[1] == vertices[index].shape[1] && shape[4] == BlockedLayout.lanes ? source : nil
  }

  /// The chain with all that can be drawn in.
  private func grown(_ chain: Chain) -> Chain {
    var chain = chain
    while let longer = extended(chain) { chain = longer }
    return chain
  }

  private func extended(_ chain: Chain) -> Chain? {
    guard !isOutput[chain.end], chain.epilogue.activation == .none else { return nil }
    if let silu = silu(chain) { return silu }
    guard users[chain.end].count == 1, case let next = users[chain.end][0], isImage(next) else {
      return nil
    }
    var longer = chain
    longer.end = next
    longer.parts.append(next)
    switch vertices[next].op {
    case .unary(.relu): longer.epilogue.activation = .relu
    case .binary(let kind):
      guard let (_, other) = pairs(next).first(where: { $0.0 == chain.end }) else { return nil }
      if vertices[next].inputs[0] == vertices[next].inputs[1] { return nil }
      guard operand(kind, other, chain, &longer) else { return nil }
    default: return nil
    }
    return longer
  }

  /// Draws `end kind other` in.
  private func operand(_ kind: Binary, _ other: Int, _ chain: Chain, _ longer: inout Chain) -> Bool
  {
    let numbers = channelNumbers(other)
    switch kind {
    case .multiply:
      guard let numbers, chain.residual == nil else { return false }
      longer.scale = chain.scale.map { .product($0, .vertex(numbers)) } ?? .vertex(numbers)
      longer.shift = chain.shift.map { .product($0, .vertex(numbers)) }
      return true
    case .add:
      if let numbers, chain.residual == nil {
        longer.shift = chain.shift.map { .sum($0, .vertex(numbers)) } ?? .vertex(numbers)
        return true
      }
      guard chain.residual == nil, isImage(other), !isAbsorbed[other],
        vertices[other].shape == vertices[chain.end].shape
      else { return false }
      longer.residual = other
      return true
    case .maximum: return clip(other, &longer)
    default: return false
    }
  }

  /// min(max(a, low), high)
  private func clip(_ low: Int, _ longer: inout Chain) -> Bool {
    guard case .full = vertices[low].op, !usesOneDNN(longer.root), !isOutput[longer.end],
      users[longer.end].count == 1,
      case let next = users[longer.end][0], case .binary(.minimum) = vertices[next].op,
      let (_, high) = pairs(next).first(where: { $0.0 == longer.end }),
      case .full = vertices[high].op
    else { return false }
    longer.bounds = [low, high]
    longer.epilogue.activation = .clip
    longer.end = next
    longer.parts.append(next)
    return true
  }

  private func usesOneDNN(_ root: Int) -> Bool {
    guard case .call(let call) = vertices[root].op, call.name.hasPrefix(BlockedConvolution.name)
    else { return false }
    return BlockedConvolution(call).algorithm.oneDNN != nil
  }

  /// a · sigmoid(a), both read by nothing else.
  private func silu(_ chain: Chain) -> Chain? {
    guard users[chain.end].count == 2,
      let gate = users[chain.end].first(where: { vertices[$0].op == .unary(.sigmoid) }),
      let product = users[chain.end].first(where: { vertices[$0].op == .binary(.multiply) }),
      Set(vertices[product].inputs) == [chain.end, gate], users[gate] == [product],
      !isOutput[gate]
    else { return nil }
    var longer = chain
    longer.epilogue.activation = .silu
    longer.end = product
    longer.parts += [gate, product]
    return longer
  }

  // MARK: Replacing

  private mutating func replace(_ chain: Chain) {
    var epilogue = chain.epilogue
    epilogue.hasScale = chain.scale != nil
    epilogue.hasShift = chain.shift != nil
    epilogue.hasResidual = chain.residual != nil
    var inputs = chain.isConvolution ? vertices[chain.root].inputs : [chain.root]
    if let scale = chain.scale { inputs.append(made(scale)) }
    if let shift = chain.shift { inputs.append(made(shift)) }
    if let residual = chain.residual { inputs.append(residual) }
    for bound in chain.bounds {
      inputs.append(
        made(
          Graph.Vertex(
            vertices[bound].op, shape: [1], dtype: .float32, slot: vertices[bound].slot)))
    }
    var op = Op.call(Call(Self.affineName, epilogue.code.map { .integer(Int64($0)) }))
    if chain.isConvolution, case .call(let call) = vertices[chain.root].op {
      var convolution = BlockedConvolution(call)
      convolution.epilogue = epilogue
      op = convolution.op
      if convolution.algorithm.oneDNN != nil {
        let weight = vertices[inputs[1]].inputs[0]
        inputs[1] = made(
          Graph.Vertex(
            convolution.packing, [weight], shape: [convolution.packedCount], dtype: .float32))
      }
      isAbsorbed[chain.root] = true
    }
    for part in chain.parts { isAbsorbed[part] = true }
    isAbsorbed[chain.end] = false
    vertices[chain.end].op = op
    vertices[chain.end].inputs = inputs
    if chain.isConvolution { vertices[chain.end].layer = vertices[chain.root].layer }
  }

  private mutating func made(_ factor: Factor) -> Int {
    switch factor {
    case .vertex(let index): return index
    case .product(let a, let b): return made(.multiply, made(a), made(b))
    case .sum(let a, let b): return made(.add, made(a), made(b))
    }
  }

  private mutating func made(_ kind: Binary, _ a: Int, _ b: Int) -> Int {
    made(Graph.Vertex(.binary(kind), [a, b], shape: vertices[a].shape, dtype: .float32))
  }

  private mutating func made(_ vertex: Graph.Vertex) -> Int {
    vertices.append(vertex)
    users.append([])
    isAbsorbed.append(false)
    isOutput.append(false)
    return vertices.count - 1
  }

  // MARK: Blends

  /// The end of (a · x + b · y) + c as one vertex, and the vertices it takes the place of.
  private func blend(_ index: Int) -> (vertex: Graph.Vertex, parts: [Int])? {
    guard vertices[index].op == .binary(.add), isImage(index),
      let (sum, c) = pairs(index).first(where: { channelNumbers($0.1) != nil }),
      vertices[sum].op == .binary(.add), isPrivate(sum),
      let shift = channelNumbers(c),
      let (a, x) = scaled(vertices[sum].inputs[0]), let (b, y) = scaled(vertices[sum].inputs[1])
    else { return nil }
    var vertex = vertices[index]
    vertex.op = .call(Call(Self.blendName))
    vertex.inputs = [x, y, a, b, shift]
    return (vertex, [sum] + vertices[sum].inputs)
  }

  private func isPrivate(_ index: Int) -> Bool { users[index].count == 1 && !isOutput[index] }

  /// The numbers and the image of a product of them that nothing else reads.
  private func scaled(_ index: Int) -> (numbers: Int, image: Int)? {
    guard vertices[index].op == .binary(.multiply), isPrivate(index) else { return nil }
    for (image, other) in pairs(index) {
      if let numbers = channelNumbers(other), isImage(image) { return (numbers, image) }
    }
    return nil
  }

  // MARK: Result

  /// What the outputs depend on, inputs before their users.
  private func compacted(_ graph: Graph) -> Graph {
    var place = Array(repeating: -1, count: vertices.count)
    var result: [Graph.Vertex] = []
    for output in graph.outputs {
      var stack = [output]
      while let top = stack.last {
        if place[top] >= 0 {
          stack.removeLast()
          continue
        }
        let missing = vertices[top].inputs.filter { place[$0] < 0 }
        if missing.isEmpty {
          stack.removeLast()
          var vertex = vertices[top]
          vertex.inputs = vertex.inputs.map { place[$0] }
          place[top] = result.count
          result.append(vertex)
        } else {
          stack += missing
        }
      }
    }
    return Graph(
      vertices: result, outputs: graph.outputs.map { place[$0] }, scalarCount: graph.scalarCount)
  }
}
