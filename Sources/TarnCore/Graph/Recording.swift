/// The unevaluated nodes behind some tensors, collected for one run: their structure, and the data that goes with it.
///
/// Two recordings of equal structure run by the same plan; the leaves' data and the numbers in `.full`
/// nodes are arguments of the plan. Numbers that simplification looks at (0, 1, -1, 2, 1/2) are structure.
struct Recording {
  struct Structure: Hashable {
    var ops: [Op] = []
    var shapes: [[Int]] = []
    var dtypes: [DType] = []
    /// Per vertex its slot, then its inputs, each list preceded by nothing: arities follow from the counts.
    var links: [Int32] = []
    var arities: [UInt8] = []
    var wideArities: [Int] = []
    var outputs: [Int32] = []
    /// Per vertex, while layers are named; else empty.
    var layers: [String?] = []
    var fingerprint = 0x2545_f491_4f6c_dd1d

    static func == (a: Structure, b: Structure) -> Bool {
      a.fingerprint == b.fingerprint && a.links == b.links && a.arities == b.arities
        && a.outputs == b.outputs && a.dtypes == b.dtypes && a.ops == b.ops && a.shapes == b.shapes
        && a.wideArities == b.wideArities && a.layers == b.layers
    }

    func hash(into hasher: inout Hasher) { hasher.combine(fingerprint) }

    mutating func mix(_ value: Int) {
      fingerprint = (fingerprint ^ value) &* 0x0000_0100_0000_01b3
      fingerprint ^= fingerprint >> 29
    }
  }

  private(set) var structure = Structure()
  private(set) var leaves: [Node] = []
  private(set) var scalars: [Scalar] = []
  /// The nodes in recording order, vertex by vertex.
  private(set) var nodes: [Node] = []
  /// The first node met that has no value and no way to get one.
  private(set) var orphan: Node?
  private var scalarSlots: [ScalarBits: Int] = [:]
  private let arguments: [ObjectIdentifier: Int]

  /// - Parameter arguments: nodes that are given a value at each run, by leaf number.
  init(_ roots: [Node], arguments: [Node] = [], visit: Int) {
    var numbers: [ObjectIdentifier: Int] = [:]
    for (i, argument) in arguments.enumerated() { numbers[ObjectIdentifier(argument)] = i }
    self.arguments = numbers
    leaves = arguments
    var stack: [Unmanaged<Node>] = []
    for root in roots {
      stack.append(.passUnretained(root))
      collect(&stack, visit)
    }
    structure.outputs = roots.map { Int32($0.number) }
    for output in structure.outputs { structure.mix(Int(output)) }
    guard LayerLabels.isActive else { return }
    structure.layers = nodes.map(\.layer)
    structure.mix(structure.layers.hashValue)
  }

  /// Depth first, inputs before users. A node on the stack is marked by `visit` once its inputs are pushed.
  private mutating func collect(_ stack: inout [Unmanaged<Node>], _ visit: Int) {
    while let top = stack.last {
      let node = top._withUnsafeGuaranteedRef { $0 }
      if node.visit == visit {
        stack.removeLast()
        if node.number < 0 { append(node) }
        continue
      }
      node.visit = visit
      node.number = -1
      if node.storage != nil { continue }
      if let input = node.input0, input.visit != visit { stack.append(.passUnretained(input)) }
      if let input = node.input1, input.visit != visit { stack.append(.passUnretained(input)) }
      if node.input2 != nil {
        for input in node.inputs.dropFirst(2) where input.visit != visit {
          stack.append(.passUnretained(input))
        }
      }
    }
  }

  private mutating func append(_ node: Node) {
    node.number = nodes.count
    nodes.append(node)
    var op = node.op
    var slot = -1
    if node.storage != nil {
      op = .constant
      slot = leaves.count
      leaves.append(node)
    } else if case .argument = node.op {
      op = .constant
      slot = arguments[ObjectIdentifier(node)] ?? -1
      if slot < 0 { orphan = orphan ?? node }
    } else if case .full(let value) = node.op {
      slot = scalarSlot(value)
      if !value.isStructural { op = .full(.integer(.min)) }
    }
    structure.ops.append(op)
    structure.shapes.append(node.shape)
    structure.dtypes.append(node.dtype)
    structure.links.append(Int32(slot))
    structure.mix(Int(node.dtype.rawValue) &* 31 &+ op.code)
    for length in node.shape { structure.mix(length) }
    structure.mix(slot)
    guard op != .constant, let input0 = node.input0 else {
      structure.arities.append(0)
      return
    }
    if let input2 = node.input2 {
      link(input0)
      if let input1 = node.input1 { link(input1) }
      link(input2)
      for input in node.moreInputs { link(input) }
      let arity = 3 + node.moreInputs.count
      structure.arities.append(arity < 255 ? UInt8(arity) : 255)
      if arity >= 255 { structure.wideArities.append(arity) }
    } else {
      link(input0)
      if let input1 = node.input1 {
        link(input1)
        structure.arities.append(2)
      } else {
        structure.arities.append(1)
      }
    }
  }

  private mutating func link(_ input: Node) {
    structure.links.append(Int32(input.number))
    structure.mix(input.number)
  }

  private mutating func scalarSlot(_ value: Scalar) -> Int {
    let bits = ScalarBits(value)
    if let slot = scalarSlots[bits] { return slot }
    scalarSlots[bits] = scalars.count
    scalars.append(value)
    return scalars.count - 1
  }

  /// The structure as a graph.
  var graph: Graph {
    var vertices: [Graph.Vertex] = []
    vertices.reserveCapacity(nodes.count)
    var cursor = 0
    var wide = structure.wideArities.makeIterator()
    for index in structure.ops.indices {
      let slot = Int(structure.links[cursor])
      let arity = structure.arities[index] < 255 ? Int(structure.arities[index]) : wide.next() ?? 0
      let inputs = structure.links[(cursor + 1)..<(cursor + 1 + arity)].map(Int.init)
      cursor += 1 + arity
      vertices.append(
        Graph.Vertex(
          structure.ops[index], inputs, shape: structure.shapes[index],
          dtype: structure.dtypes[index], slot: slot))
    }
    for (index, layer) in structure.layers.enumerated() {
      vertices[index].layer = LayerLabel(layer)
    }
    return Graph(
      vertices: vertices, outputs: structure.outputs.map(Int.init), scalarCount: scalars.count)
  }
}

/// A number by its bits: −0 is not 0, and a NaN equals itself.
private struct ScalarBits: Hashable {
  let bits: UInt64
  let isReal: Bool

  init(_ value: Scalar) {
    switch value {
    case .integer(let value): (bits, isReal) = (UInt64(bitPattern: value), false)
    case .real(let value): (bits, isReal) = (value.bitPattern, true)
    }
  }
}

extension Scalar {
  /// Whether simplification looks at this number.
  var isStructural: Bool {
    let value = double
    return value == 1 || value == 2 || value == -1 || value == 0.5
      || (value == 0 && value.sign == .plus)
  }
}

extension Op {
  /// A small number by kind, for the fingerprint; equality compares everything.
  var code: Int {
    switch self {
    case .constant: 1
    case .argument: 2
    case .full(let value): value.isStructural ? 3 &+ Int(value.double * 2) &* 64 : 4
    case .iota(let axis): 5 &+ axis &* 64
    case .random: 6
    case .unary(let kind): 7 &+ Int(kind.rawValue) &* 64
    case .binary(let kind): 8 &+ Int(kind.rawValue) &* 64
    case .compare(let kind): 9 &+ Int(kind.rawValue) &* 64
    case .select: 10
    case .cast: 11
    case .reshape: 12
    case .permute: 13
    case .broadcast: 14
    case .slice(let ranges): 15 &+ (ranges.first?.start ?? 0) &* 64
    case .pad: 16
    case .concatenate(let axis): 17 &+ axis &* 64
    case .flip: 18
    case .reduce(let kind, _): 19 &+ Int(kind.rawValue) &* 64
    case .argReduce: 20
    case .cumulativeSum: 21
    case .argsort: 22
    case .matmul(let a, let b): 23 &+ (a ? 64 : 0) &+ (b ? 128 : 0)
    case .convolution(let pass, _): 24 &+ Int(pass.rawValue) &* 64
    case .windowArgMax: 25
    case .windowSum: 26
    case .windowSpread: 27
    case .take(let axis): 28 &+ axis &* 64
    case .scatterAdd(let axis): 29 &+ axis &* 64
    case .cholesky: 30
    case .triangularSolve: 31
    case .solve: 32
    case .determinant: 33
    case .symmetricEigen: 34
    case .svd: 35
    case .qr: 36
    case .variable: 37
    case .call: 38
    case .fence: 39
    }
  }
}
