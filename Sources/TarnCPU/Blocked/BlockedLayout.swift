import TarnCore

/// Rewrites a graph so that chains of image layers run on blocked images, [N, C / 16, H, W, 16].
///
/// The kernels for convolution, pooling and normalisation want sixteen channels of a pixel beside one another. Each
/// vertex [N, C, H, W] may have a plain form, a blocked form, or both; a change of form becomes a vertex of its own
/// where a reader needs it, so chains pay for one at their ends only. Blocked forms are ordinary vertices with five
/// axes: element-wise work, sums over pixels and joins of channels need no kernels of their own.
struct BlockedLayout {
  static let lanes = 16
  private static let block = Call("blocked.block", isKept: true)

  private let source: Graph
  private(set) var vertices: [Graph.Vertex] = []
  private var known: [Graph.Vertex: Int] = [:]
  private var plain: [Int?]
  private var blocked: [Int?]
  /// Whether the blocked form is what was computed.
  private var isNative: [Bool]
  private let chooser: AlgorithmChooser
  /// Whether a convolution reads the blocked form.
  private var isConvolved: [Bool]
  private let isShortOfMemory: Bool
  /// Of the vertex that is being rewritten.
  private var layer = LayerLabel()

  /// The graph with blocked layouts, or the graph itself where nothing gains by them.
  static func applied(to graph: Graph, _ chooser: AlgorithmChooser) -> Graph {
    guard graph.vertices.contains(where: { $0.isImageConvolution }) else { return graph }
    var layout = BlockedLayout(graph, chooser)
    return layout.rewritten()
  }

  private init(_ graph: Graph, _ chooser: AlgorithmChooser) {
    source = graph
    self.chooser = chooser
    isShortOfMemory = chooser.isShortOfMemory(graph)
    plain = Array(repeating: nil, count: graph.vertices.count)
    blocked = plain
    isNative = Array(repeating: false, count: graph.vertices.count)
    isConvolved = isNative
  }

  private mutating func rewritten() -> Graph {
    let live = source.live
    noteConvolved(live)
    for (index, vertex) in source.vertices.enumerated() where live[index] {
      layer = vertex.layer
      if case .convolution = vertex.op, convolve(index, vertex) { continue }
      if case .call(let call) = vertex.op, BatchKernels.names.contains(call.name),
        let form = channelTable(call, vertex)
      {
        plain[index] = form
        continue
      }
      if let form = blockedForm(index, vertex) {
        blocked[index] = form
        isNative[index] = true
        continue
      }
      var copy = vertex
      copy.inputs = vertex.inputs.map { plainForm($0) }
      plain[index] = emit(copy)
    }
    // Before the vertices are taken: outputs may add some.
    let outputs = source.outputs.map { plainForm($0) }
    return Graph(vertices: vertices, outputs: outputs, scalarCount: source.scalarCount)
  }

  // MARK: Vertices

  private mutating func emit(_ vertex: Graph.Vertex) -> Int {
    if let index = known[vertex] { return index }
    vertices.append(vertex)
    vertices[vertices.count - 1].layer = layer
    known[vertex] = vertices.count - 1
    return vertices.count - 1
  }

  private mutating func emit(
    _ op: Op, _ inputs: [Int], _ shape: [Int], _ dtype: DType = .float32, slot: Int = -1
  ) -> Int {
    emit(Graph.Vertex(op, inputs, shape: shape, dtype: dtype, slot: slot))
  }

  private func shape(_ index: Int) -> [Int] { source.vertices[index].shape }

  /// [N, C, H, W] → [N, ⌈C / 16⌉, H, W, 16]
  static func blockedShape(_ shape: [Int]) -> [Int] {
    [shape[0], (shape[1] + lanes - 1) / lanes, shape[2], shape[3], lanes]
  }

  // MARK: Forms

  private mutating func plainForm(_ index: Int) -> Int {
    if let form = plain[index] { return form }
    let vertex = source.vertices[index]
    let form = unblocked(blocked[index] ?? 0, vertex.shape, vertex.dtype)
    plain[index] = form
    return form
  }

  private mutating func unblocked(_ form: Int, _ shape: [Int], _ dtype: DType) -> Int {
    let pixels = shape[2] * shape[3]
    if pixels == 1, shape[1] % Self.lanes == 0 { return emit(.reshape, [form], shape, dtype) }
    if dtype == .float32 {
      return emit(.call(Call("blocked.unblock", inverse: Self.block)), [form], shape)
    }
    let five = Self.blockedShape(shape)
    let turned = emit(
      .permute([0, 1, 4, 2, 3]), [form], [five[0], five[1], Self.lanes, shape[2], shape[3]], dtype)
    let whole = [shape[0], five[1] * Self.lanes, shape[2], shape[3]]
    let joined = emit(.reshape, [turned], whole, dtype)
    if whole == shape { return joined }
    return emit(.slice(shape.map { Stride(0, $0) }), [joined], shape, dtype)
  }

  private mutating func blockedForm(_ index: Int) -> Int {
    if let form = blocked[index] { return form }
    let form = madeBlocked(index)
    blocked[index] = form
    return form
  }

  private mutating func madeBlocked(_ index: Int) -> Int {
    let vertex = source.vertices[index]
    let five = Self.blockedShape(vertex.shape)
    if case .full = vertex.op {
      return emit(vertex.op, [], five, vertex.dtype, slot: vertex.slot)
    }
    if case .broadcast = vertex.op {
      return emit(.broadcast, [narrow(vertex.inputs[0])], five, vertex.dtype)
    }
    return blocking(plainForm(index), vertex.shape, vertex.dtype)
  }

  /// What a broadcast repeats, with five axes: a length of 1 stays one.
  private mutating func narrow(_ index: Int) -> Int {
    let shape = shape(index), dtype = source.vertices[index].dtype
    if shape[1] == 1 { return emit(.reshape, [plainForm(index)], shape + [1], dtype) }
    return blockedForm(index)
  }

  private mutating func blocking(_ form: Int, _ shape: [Int], _ dtype: DType) -> Int {
    let five = Self.blockedShape(shape)
    if shape[2] * shape[3] == 1, shape[1] % Self.lanes == 0 {
      return emit(.reshape, [form], five, dtype)
    }
    if dtype == .float32 { return emit(.call(Self.block), [form], five) }
    var whole = shape
    whole[1] = five[1] * Self.lanes
    var form = form
    if whole != shape {
      let margins = shape.indices.map { Margin(0, whole[$0] - shape[$0]) }
      form = emit(.pad(margins), [form], whole, dtype)
    }
    let split = emit(
      .reshape, [form], [five[0], five[1], Self.lanes, shape[2], shape[3]], dtype)
    return emit(.permute([0, 1, 3, 4, 2]), [split], five, dtype)
  }

  /// Whether a blocked form costs nothing.
  private func isCheap(_ index: Int) -> Bool {
    if isNative[index] { return true }
    let shape = shape(index)
    return shape.count == 4 && shape[2] * shape[3] == 1 && shape[1] % Self.lanes == 0
  }

  // MARK: Convolution

  /// Does a convolution on blocked images; false if it had better stay plain.
  private mutating func convolve(_ index: Int, _ vertex: Graph.Vertex) -> Bool {
    guard var convolution = chooser.convolution(vertex, source) else { return false }
    convolution.isLean = isShortOfMemory && convolution.suitsLean
    let (a, b) = (vertex.inputs[0], vertex.inputs[1])
    let isStem = convolution.algorithm == .stem
    switch convolution.pass {
    case .forward:
      let x = isStem ? plainForm(a) : blockedForm(a)
      blocked[index] = emit(
        convolution.op, [x, packed(b, convolution)], Self.blockedShape(vertex.shape))
      isNative[index] = true
    case .inputGradient:
      blocked[index] = emit(
        convolution.op, [blockedForm(a), packed(b, convolution)], Self.blockedShape(vertex.shape))
      isNative[index] = true
    case .weightGradient:
      let x = isStem ? plainForm(a) : blockedForm(a)
      plain[index] = emit(convolution.op, [x, blockedForm(b)], vertex.shape)
    }
    return true
  }

  private mutating func noteConvolved(_ live: [Bool]) {
    for (index, vertex) in source.vertices.enumerated() where live[index] {
      guard case .convolution = vertex.op,
        let convolution = chooser.convolution(vertex, source)
      else { continue }
      if convolution.algorithm != .stem { isConvolved[vertex.inputs[0]] = true }
      if convolution.pass == .weightGradient { isConvolved[vertex.inputs[1]] = true }
    }
  }

  private mutating func packed(_ weight: Int, _ convolution: BlockedConvolution) -> Int {
    emit(convolution.packing, [plainForm(weight)], [convolution.packedCount])
  }

  // MARK: Everything else

  /// The vertex on blocked operands, if its operands are blocked and it can be.
  private mutating func blockedForm(_ index: Int, _ vertex: Graph.Vertex) -> Int? {
    switch vertex.op {
    case .call(let call): return called(call, vertex)
    case .windowSum, .windowSpread: return pooled(vertex)
    case .reduce(let kind, let axes): return reduced(kind, axes, vertex)
    case .concatenate(let axis): return joined(axis, vertex)
    case .slice(let ranges): return sliced(ranges, vertex)
    case .fence where isNative[vertex.inputs[0]]:
      let cause = vertex.inputs[1]
      return emit(
        .fence, [blockedForm(vertex.inputs[0]), plain[cause] ?? plainForm(cause)],
        Self.blockedShape(vertex.shape), vertex.dtype)
    default: return vertex.op.isElementwise ? elementwise(vertex) : nil
    }
  }

  private mutating func elementwise(_ vertex: Graph.Vertex) -> Int? {
    guard vertex.shape.count == 4, vertex.inputs.contains(where: { isNative[$0] }) else {
      return nil
    }
    let inputs = vertex.inputs.map { blockedForm($0) }
    return emit(vertex.op, inputs, Self.blockedShape(vertex.shape), vertex.dtype)
  }

  /// Over all pixels, and over the examples or not.
  private mutating func reduced(_ kind: Reduction, _ axes: [Int], _ vertex: Graph.Vertex) -> Int? {
    let input = vertex.inputs[0]
    guard isNative[input] || isConvolved[input], axes.contains(2), axes.contains(3),
      !axes.contains(1)
    else { return nil }
    if kind == .sum, axes.contains(0), vertex.dtype == .float32 {
      return emit(
        .call(Call("blocked.channelSums")), [blockedForm(input)], Self.blockedShape(vertex.shape))
    }
    return emit(
      .reduce(kind, axes: axes), [blockedForm(input)], Self.blockedShape(vertex.shape),
      vertex.dtype)
  }

  private mutating func joined(_ axis: Int, _ vertex: Graph.Vertex) -> Int? {
    guard vertex.shape.count == 4, vertex.inputs.contains(where: { isNative[$0] }) else {
      return nil
    }
    let isAligned = vertex.inputs.dropLast().allSatisfy { shape($0)[1] % Self.lanes == 0 }
    guard axis != 1 || isAligned else { return nil }
    return emit(
      vertex.op, vertex.inputs.map { blockedForm($0) }, Self.blockedShape(vertex.shape),
      vertex.dtype)
  }

  private mutating func sliced(_ ranges: [Stride], _ vertex: Graph.Vertex) -> Int? {
    guard isNative[vertex.inputs[0]], ranges.count == 4, ranges[1].step == 1 else { return nil }
    let channels = ranges[1], count = shape(vertex.inputs[0])[1]
    guard channels.start % Self.lanes == 0,
      channels.stop % Self.lanes == 0 || channels.stop == count
    else { return nil }
    var five = ranges + [Stride(0, Self.lanes)]
    five[1] = Stride(
      channels.start / Self.lanes, (channels.stop + Self.lanes - 1) / Self.lanes)
    return emit(
      .slice(five), [blockedForm(vertex.inputs[0])], Self.blockedShape(vertex.shape), vertex.dtype)
  }

  private mutating func pooled(_ vertex: Graph.Vertex) -> Int? {
    guard let window = vertex.op.window, window.size.count == 2, vertex.dtype == .float32,
      isCheap(vertex.inputs[0])
    else { return nil }
    let name =
      if case .windowSum = vertex.op { "blocked.windowSum" } else { "blocked.windowSpread" }
    return emit(
      .call(Call(name, window.attributes)), [blockedForm(vertex.inputs[0])],
      Self.blockedShape(vertex.shape))
  }

  private mutating func called(_ call: Call, _ vertex: Graph.Vertex) -> Int? {
    guard let first = vertex.inputs.first, vertex.dtype == .float32,
      vertex.inputs.contains(where: { isNative[$0] })
    else { return nil }
    switch call.name {
    case "maxPool", "maxPoolGradient":
      guard isNative[first] else { return nil }
      return emit(
        .call(Call("blocked." + call.name, call.attributes)),
        vertex.inputs.map { blockedForm($0) }, Self.blockedShape(vertex.shape))
    default: return nil
    }
  }

  // MARK: Tables of numbers per channel, [2, C]

  /// What a batch normalisation sums over images, computed from blocked ones; nil if they are not.
  private mutating func channelTable(_ call: Call, _ vertex: Graph.Vertex) -> Int? {
    let images = vertex.inputs.filter { shape($0).count == 4 }
    guard images.contains(where: { isNative[$0] }) else { return nil }
    let channels = vertex.shape[1]
    let blocks = (channels + Self.lanes - 1) / Self.lanes
    let inputs = vertex.inputs.map { index in
      shape(index).count == 4 ? blockedForm(index) : table(plainForm(index), channels, blocks)
    }
    let made = emit(
      .call(Call("blocked." + call.name, call.attributes)), inputs, [2, blocks, Self.lanes])
    let whole = emit(.reshape, [made], [2, blocks * Self.lanes])
    if blocks * Self.lanes == channels { return whole }
    return emit(.slice([Stride(0, 2), Stride(0, channels)]), [whole], [2, channels])
  }

  private mutating func table(_ form: Int, _ channels: Int, _ blocks: Int) -> Int {
    let wanted = [2, blocks, Self.lanes]
    if case .reshape = vertices[form].op, vertices[vertices[form].inputs[0]].shape == wanted {
      return vertices[form].inputs[0]
    }
    var form = form
    if blocks * Self.lanes != channels {
      form = emit(
        .pad([Margin(), Margin(0, blocks * Self.lanes - channels)]), [form],
        [2, blocks * Self.lanes])
    }
    return emit(.reshape, [form], wanted)
  }
}

extension Graph.Vertex {
  /// What may gain by blocked layouts.
  fileprivate var isImageConvolution: Bool {
    guard case .convolution(_, let geometry) = op else { return false }
    return geometry.strides.count == 2 && dtype == .float32 && shape.product > 0
  }
}

extension Op {
  fileprivate var window: Window? {
    switch self {
    case .windowSum(let window), .windowSpread(let window): window
    default: nil
    }
  }
}
