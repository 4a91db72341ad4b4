extension Program {
  /// Cuts a simplified graph into steps and plans their memory.
  ///
  /// A loop may have any number of axes; backends merge neighbouring ones.
  ///
  /// - Parameter findsLeafGroups: whether small work on leaves alone gets lasting memory (``LeafGroup``).
  package init(_ graph: Graph, findsLeafGroups: Bool = false) {
    var lowering = Lowering(graph.repeatingMasks())
    lowering.run()
    self = lowering.program
    bringForward()
    if findsLeafGroups { findLeafGroups() }
    planMemory()
  }
}

private struct Lowering {
  let graph: Graph
  let fusion: Fusion
  var program = Program()
  /// Where a vertex's elements are, once they are somewhere.
  var views: [View?]
  /// Which output storage a vertex fills.
  var outputNumber: [Int: Int] = [:]
  var literalSlots: [Graph.Vertex: Int] = [:]
  var inputBuffers: [Int: Int] = [:]
  /// Vertices that have it among their inputs.
  private var readers: [[Int]]

  init(_ graph: Graph) {
    self.graph = graph
    fusion = Fusion(graph)
    views = Array(repeating: nil, count: graph.vertices.count)
    readers = Array(repeating: [], count: graph.vertices.count)
    for (index, vertex) in graph.vertices.enumerated() where fusion.live[index] {
      for input in vertex.inputs { readers[input].append(index) }
    }
  }

  mutating func run() {
    for (index, vertex) in graph.vertices.enumerated() where fusion.live[index] {
      switch vertex.op {
      case .constant: views[index] = input(vertex)
      case .full: break
      case .iota: views[index] = indices(vertex)
      case .reshape, .permute, .broadcast, .slice, .flip: views[index] = moved(vertex)
      case .fence: views[index] = view(vertex.inputs[0])
      default:
        if let loop = fusion.loopOf[index] {
          if fusion.members[loop][0] == index { emit(loop: loop) }
        } else {
          kernel(index, vertex)
        }
      }
      name(vertex.layer)
    }
    for output in graph.outputs { program.results.append(result(output)) }
    name(LayerLabel())
  }

  /// Says of the steps that came last whose they are.
  private mutating func name(_ layer: LayerLabel) {
    while program.layers.count < program.steps.count { program.layers.append(layer.text) }
  }

  // MARK: Views

  private mutating func input(_ vertex: Graph.Vertex) -> View {
    if let buffer = inputBuffers[vertex.slot] {
      return View(.buffer(buffer), shape: vertex.shape, dtype: vertex.dtype)
    }
    program.buffers.append(
      .init(count: vertex.shape.product, dtype: vertex.dtype, place: .input(vertex.slot)))
    inputBuffers[vertex.slot] = program.buffers.count - 1
    return View(.buffer(program.buffers.count - 1), shape: vertex.shape, dtype: vertex.dtype)
  }

  private func indices(_ vertex: Graph.Vertex) -> View {
    guard case .iota(let axis) = vertex.op else {
      return View(.index, shape: vertex.shape, dtype: vertex.dtype)
    }
    var view = View(.index, shape: vertex.shape, dtype: vertex.dtype)
    view.strides = vertex.shape.indices.map { $0 == axis ? 1 : 0 }
    return view
  }

  private mutating func moved(_ vertex: Graph.Vertex) -> View {
    let source = view(vertex.inputs[0])
    switch vertex.op {
    case .permute(let axes): return source.permuted(axes)
    case .broadcast: return source.broadcast(to: vertex.shape)
    case .slice(let ranges): return source.sliced(ranges)
    case .flip(let axes): return source.flipped(axes)
    default:
      if let reshaped = source.reshaped(vertex.shape) { return reshaped }
      return View(.buffer(copied(source)), shape: vertex.shape, dtype: vertex.dtype)
    }
  }

  /// The elements of a vertex, computed if they are not yet anywhere.
  private mutating func view(_ index: Int) -> View {
    if let view = views[index] { return view }
    let view = plain(index)
    views[index] = view
    return view
  }

  /// A buffer filled with a `.full` vertex: the only kind that has no place of its own.
  private mutating func plain(_ index: Int) -> View {
    let vertex = graph.vertices[index]
    var loop = Loop()
    loop.shape = [vertex.shape.product]
    loop.constants = [.init(register: 0, scalar: scalar(vertex), dtype: vertex.dtype)]
    loop.registerCount = 1
    let buffer = scratch(vertex.shape.product, vertex.dtype)
    loop.outputs = [(View(.buffer(buffer), shape: loop.shape, dtype: vertex.dtype), 0)]
    program.steps.append(.loop(loop))
    return View(.buffer(buffer), shape: vertex.shape, dtype: vertex.dtype)
  }

  private mutating func scratch(_ count: Int, _ dtype: DType) -> Int {
    program.buffers.append(.init(count: count, dtype: dtype, place: .scratch(offset: 0)))
    return program.buffers.count - 1
  }

  /// A new plain buffer with the elements of `view`.
  private mutating func copied(_ view: View) -> Int {
    let buffer = scratch(view.shape.product, view.dtype)
    copy(view, to: buffer)
    return buffer
  }

  private mutating func copy(_ view: View, to buffer: Int) {
    var loop = Loop()
    loop.shape = view.shape
    loop.inputs = [(view, 0)]
    loop.outputs = [(View(.buffer(buffer), shape: view.shape, dtype: view.dtype), 0)]
    loop.registerCount = 1
    program.steps.append(.loop(loop))
  }

  /// As `view`, but with its elements one after another: what kernels read.
  private mutating func contiguousView(_ index: Int) -> View {
    let view = view(index)
    if view.isContiguous, view.buffer != nil { return view }
    return View(.buffer(copied(view)), shape: view.shape, dtype: view.dtype)
  }

  /// The elements with those of the last axis one after another.
  private mutating func rows(_ index: Int) -> View {
    let view = view(index)
    let lies = view.shape.last == 1 || view.strides.last == 1
    return lies && view.buffer != nil ? view : contiguousView(index)
  }

  /// Operands of a batch of products need only their matrices together: a transposed one becomes a flag, a
  /// repeated batch a stride of zero.
  private mutating func matrices(_ index: Int, _ isTransposed: inout Bool) -> View {
    let view = view(index)
    guard view.buffer != nil else { return contiguousView(index) }
    func isMatrix(_ view: View) -> Bool {
      let (rows, columns) = (view.shape[1], view.shape[2])
      return (view.strides[2] == 1 || columns == 1) && (view.strides[1] == columns || rows == 1)
        && (view.shape[0] == 1 || view.strides[0] == 0 || view.strides[0] >= rows * columns)
    }
    if isMatrix(view) { return view }
    let turned = view.permuted([0, 2, 1])
    guard isMatrix(turned) else { return contiguousView(index) }
    isTransposed.toggle()
    return turned
  }

  // MARK: Kernels

  private mutating func kernel(_ index: Int, _ vertex: Graph.Vertex) {
    if case .pad(let margins) = vertex.op { return pad(index, vertex, margins) }
    if case .concatenate(let axis) = vertex.op { return concatenate(index, vertex, axis) }
    if prepare(index, vertex) || deferred(vertex, index) != nil { return }
    if isDrawnInLoop(index, vertex) {
      let key = contiguousView(vertex.inputs[0])
      views[index] = View(.random(key: key.buffer ?? 0), shape: vertex.shape, dtype: vertex.dtype)
      views[index]?.offset = key.offset
      return
    }
    var op = vertex.op
    let operands: [View]
    if case .matmul(var transposeA, var transposeB) = op {
      operands = [matrices(vertex.inputs[0], &transposeA), matrices(vertex.inputs[1], &transposeB)]
      op = .matmul(transposeA: transposeA, transposeB: transposeB)
    } else if case .call(let call) = op, call.takesRows {
      operands = vertex.inputs.map { rows($0) }
    } else {
      operands = vertex.inputs.map { contiguousView($0) }
    }
    let output = View(
      .buffer(scratch(vertex.shape.product, vertex.dtype)), shape: vertex.shape, dtype: vertex.dtype
    )
    program.steps.append(.kernel(op, operands, output: output))
    views[index] = output
  }

  /// Whether these are random numbers that one loop alone reads, in their order: it makes them itself.
  private func isDrawnInLoop(_ index: Int, _ vertex: Graph.Vertex) -> Bool {
    guard vertex.op == .random(.uniform), vertex.dtype == .float32, vertex.shape.count <= 4,
      !graph.outputs.contains(index), let reader = readers[index].first,
      readers[index].allSatisfy({ $0 == reader }), graph.vertices[reader].op.isElementwise,
      let loop = fusion.loopOf[reader], fusion.shapes[loop] == vertex.shape
    else { return false }
    if case .reduce = graph.vertices[fusion.members[loop][0]].op { return false }
    return true
  }

  /// Makes a kept call of a whole leaf a preparation; false if it is something else.
  private mutating func prepare(_ index: Int, _ vertex: Graph.Vertex) -> Bool {
    guard case .call(let call) = vertex.op, call.isKept, vertex.inputs.count == 1 else {
      return false
    }
    let input = view(vertex.inputs[0])
    guard input.isPlain, let source = input.buffer,
      case .input(let slot) = program.buffers[source].place,
      program.buffers[source].count == input.shape.product
    else { return false }
    program.buffers.append(
      .init(
        count: vertex.shape.product, dtype: vertex.dtype,
        place: .prepared(program.preparations.count)))
    let output = View(
      .buffer(program.buffers.count - 1), shape: vertex.shape, dtype: vertex.dtype)
    program.preparations.append(.init(op: vertex.op, slot: slot, input: input, output: output))
    views[index] = output
    return true
  }

  /// The inverse of a call that can wait until somebody reads its result: nothing in the graph does.
  private func deferred(_ vertex: Graph.Vertex, _ index: Int) -> Call? {
    guard case .call(let call) = vertex.op, let inverse = call.inverse, readers[index].isEmpty,
      vertex.shape.product > 0
    else { return nil }
    return inverse
  }

  private mutating func deferral(_ index: Int, _ inverse: Call) -> Program.Place {
    let vertex = graph.vertices[index]
    var view = contiguousView(vertex.inputs[0])
    var buffer = view.buffer ?? 0
    if !isOwnResult(view) {
      view = View(.buffer(copied(view)), shape: view.shape, dtype: view.dtype)
      buffer = view.buffer ?? 0
    }
    keep(buffer)
    let output = View(.buffer(buffer), shape: vertex.shape, dtype: vertex.dtype)
    program.deferrals.append(
      .init(op: vertex.op, inverse: inverse, input: view, output: output))
    return .deferred(program.deferrals.count - 1)
  }

  /// Whether a whole buffer of this plan's own is what the view shows.
  private func isOwnResult(_ view: View) -> Bool {
    guard view.isPlain, let buffer = view.buffer,
      program.buffers[buffer].count == view.shape.product
    else { return false }
    return switch program.buffers[buffer].place {
    case .scratch, .output: true
    default: false
    }
  }

  /// Makes a scratch buffer an output storage.
  private mutating func keep(_ buffer: Int) {
    guard case .scratch = program.buffers[buffer].place else { return }
    program.buffers[buffer].place = .output(outputNumber.count)
    outputNumber[buffer] = outputNumber.count
  }

  /// Zeros, then the input written between them.
  private mutating func pad(_ index: Int, _ vertex: Graph.Vertex, _ margins: [Margin]) {
    let buffer = scratch(vertex.shape.product, vertex.dtype)
    let whole = View(.buffer(buffer), shape: vertex.shape, dtype: vertex.dtype)
    var fill = Loop()
    fill.shape = [whole.shape.product]
    fill.constants = [
      .init(register: 0, scalar: literal(.integer(0), vertex.dtype), dtype: vertex.dtype)
    ]
    fill.registerCount = 1
    fill.outputs = [(View(.buffer(buffer), shape: fill.shape, dtype: vertex.dtype), 0)]
    program.steps.append(.loop(fill))
    // Only the input elements that fall inside are copied: negative margins crop.
    let source = view(vertex.inputs[0])
    var kept: [Stride] = []
    var target: [Stride] = []
    for (axis, margin) in margins.enumerated() {
      let step = margin.interior + 1
      let first = margin.low >= 0 ? 0 : (-margin.low + step - 1) / step
      let end = min(
        source.shape[axis], max(first, (vertex.shape[axis] - margin.low + step - 1) / step))
      kept.append(Stride(min(first, end), end))
      let start = margin.low + kept[axis].start * step
      let count = kept[axis].count
      target.append(Stride(start, count == 0 ? start : start + (count - 1) * step + 1, step: step))
    }
    views[index] = whole
    let part = source.sliced(kept)
    guard part.shape.product > 0 else { return }
    var loop = Loop()
    loop.shape = part.shape
    loop.inputs = [(part, 0)]
    loop.outputs = [(whole.sliced(target), 0)]
    loop.registerCount = 1
    program.steps.append(.loop(loop))
  }

  private mutating func concatenate(_ index: Int, _ vertex: Graph.Vertex, _ axis: Int) {
    let buffer = scratch(vertex.shape.product, vertex.dtype)
    let whole = View(.buffer(buffer), shape: vertex.shape, dtype: vertex.dtype)
    var start = 0
    for input in vertex.inputs {
      let part = view(input)
      var ranges = vertex.shape.map { Stride(0, $0) }
      ranges[axis] = Stride(start, start + part.shape[axis])
      start += part.shape[axis]
      guard part.shape.product > 0 else { continue }
      var loop = Loop()
      loop.shape = part.shape
      loop.inputs = [(part, 0)]
      loop.outputs = [(whole.sliced(ranges), 0)]
      loop.registerCount = 1
      program.steps.append(.loop(loop))
    }
    views[index] = whole
  }

  // MARK: Loops

  private mutating func emit(loop number: Int) {
    let members = fusion.members[number].reversed() as [Int]
    let root = fusion.members[number][0]
    var tape = Tape(shape: fusion.shapes[number])
    var reduction: (Reduction, [Int])?
    let outputs = Set(graph.outputs)
    for index in members {
      let vertex = graph.vertices[index]
      let operands = vertex.inputs.map { operand($0, number, &tape) }
      if case .reduce(let kind, let axes) = vertex.op {
        reduction = (kind, axes)
        tape.registers[index] = operands[0]
        continue
      }
      guard let kind = vertex.op.loopKind(from: graph.vertices[vertex.inputs[0]].dtype) else {
        continue
      }
      let source = graph.vertices[vertex.inputs[vertex.op == .select ? 1 : 0]].dtype
      tape.append(kind, operands, dtype: vertex.dtype, operandDType: source, vertex: index)
    }
    var stored = members.filter { $0 == root || outputs.contains($0) }
    if stored.last != root { stored.append(root) }
    for index in stored {
      let vertex = graph.vertices[index]
      let view = View(
        .buffer(scratch(vertex.shape.product, vertex.dtype)), shape: vertex.shape,
        dtype: vertex.dtype)
      views[index] = view
      if let register = tape.registers[index] {
        tape.loop.outputs.append(
          (reduction == nil ? view : view.broadcast(to: tape.loop.shape), register))
      }
    }
    let loop = tape.finished()
    if let (kind, axes) = reduction {
      program.steps.append(.reduction(loop, kind, axes: axes))
    } else {
      program.steps.append(.loop(loop))
    }
  }

  /// The register that holds a vertex's element in a loop: computed there, a constant, or loaded.
  private mutating func operand(_ index: Int, _ number: Int, _ tape: inout Tape) -> Int {
    if let register = tape.registers[index] { return register }
    let vertex = graph.vertices[index]
    if case .full = vertex.op {
      // A narrow type's constant is rounded as its elements are.
      let wide: DType =
        switch vertex.dtype {
        case .float16, .bfloat16: .float32
        case .uint8, .int8: .int32
        default: vertex.dtype
        }
      let register = tape.constant(scalar(vertex), wide, vertex: index)
      guard wide != vertex.dtype else { return register }
      tape.append(
        .cast(from: wide), [register], dtype: vertex.dtype, operandDType: wide, vertex: index)
      return tape.registers[index] ?? register
    }
    return tape.load(view(index), vertex: index)
  }

  // MARK: Numbers and results

  private mutating func scalar(_ vertex: Graph.Vertex) -> Int {
    guard case .full(let value) = vertex.op else { return 0 }
    if vertex.slot < 0 { return literal(value, vertex.dtype) }
    return vertex.slot
  }

  private mutating func literal(_ value: Scalar, _ dtype: DType) -> Int {
    let key = Graph.Vertex(.full(value), shape: [], dtype: dtype)
    if let slot = literalSlots[key] { return slot }
    program.ownScalars.append(value)
    literalSlots[key] = graph.scalarCount + program.ownScalars.count - 1
    return graph.scalarCount + program.ownScalars.count - 1
  }

  /// Where an output of the graph is left: its own storage, or a leaf's.
  private mutating func result(_ index: Int) -> Program.Place {
    if let inverse = deferred(graph.vertices[index], index) { return deferral(index, inverse) }
    var view = view(index)
    let buffer = view.buffer ?? 0
    if view.isPlain, program.buffers[buffer].count == view.shape.product,
      case .input = program.buffers[buffer].place
    {
      return program.buffers[buffer].place
    }
    if !isOwnResult(view) {
      view = View(.buffer(copied(view)), shape: view.shape, dtype: view.dtype)
    }
    keep(view.buffer ?? 0)
    return program.buffers[view.buffer ?? 0].place
  }
}

extension Op {
  /// As an instruction of a loop.
  fileprivate func loopKind(from dtype: DType) -> Loop.Kind? {
    switch self {
    case .unary(let kind): .unary(kind)
    case .binary(let kind): .binary(kind)
    case .compare(let kind): .compare(kind)
    case .select: .select
    case .cast: .cast(from: dtype)
    default: nil
    }
  }
}

/// A loop while it is being written: registers by vertex.
private struct Tape {
  var loop = Loop()
  var registers: [Int: Int] = [:]

  init(shape: [Int]) { loop.shape = shape }

  private mutating func next() -> Int {
    loop.registerCount += 1
    return loop.registerCount - 1
  }

  mutating func constant(_ scalar: Int, _ dtype: DType, vertex: Int) -> Int {
    let register = next()
    loop.constants.append(.init(register: register, scalar: scalar, dtype: dtype))
    registers[vertex] = register
    return register
  }

  mutating func load(_ view: View, vertex: Int) -> Int {
    let register = next()
    loop.inputs.append((view, register))
    registers[vertex] = register
    return register
  }

  mutating func append(
    _ kind: Loop.Kind, _ operands: [Int], dtype: DType, operandDType: DType, vertex: Int
  ) {
    let register = next()
    loop.instructions.append(
      .init(
        kind: kind, dtype: dtype, operandDType: operandDType, target: register, a: operands[0],
        b: operands.count > 1 ? operands[1] : 0, c: operands.count > 2 ? operands[2] : 0))
    registers[vertex] = register
  }

  /// With registers used again once their values are no longer needed, so that a loop's working set stays small.
  func finished() -> Loop {
    var loop = loop
    let pinned = Set(loop.inputs.map(\.register) + loop.constants.map(\.register))
    var lastUse = [Int](repeating: -1, count: loop.registerCount)
    for (time, instruction) in loop.instructions.enumerated() {
      for register in instruction.operands { lastUse[register] = time }
    }
    for output in loop.outputs { lastUse[output.register] = .max }
    var assigned = [Int](repeating: -1, count: loop.registerCount)
    for register in pinned.sorted() { assigned[register] = register }
    // Loads and constants keep numbers of their own, packed first.
    var count = 0
    for register in pinned.sorted() {
      assigned[register] = count
      count += 1
    }
    var free: [Int] = []
    for (time, instruction) in loop.instructions.enumerated() {
      for register in Set(instruction.operands)
      where lastUse[register] == time && !pinned.contains(register) {
        free.append(assigned[register])
      }
      if let reused = free.popLast() {
        assigned[instruction.target] = reused
      } else {
        assigned[instruction.target] = count
        count += 1
      }
      loop.instructions[time] = instruction.renamed { assigned[$0] }
      if lastUse[instruction.target] < 0 { free.append(assigned[instruction.target]) }
    }
    loop.inputs = loop.inputs.map { ($0.view, assigned[$0.register]) }
    loop.outputs = loop.outputs.map { ($0.view, assigned[$0.register]) }
    for index in loop.constants.indices {
      loop.constants[index].register = assigned[loop.constants[index].register]
    }
    loop.registerCount = count
    return loop
  }
}

extension Loop.Instruction {
  /// Registers it reads.
  fileprivate var operands: [Int] {
    switch kind {
    case .unary, .cast: [a]
    case .binary, .compare: [a, b]
    case .select: [a, b, c]
    }
  }

  fileprivate func renamed(_ name: (Int) -> Int) -> Self {
    var copy = self
    copy.target = name(target)
    copy.a = name(a)
    copy.b = operands.count > 1 ? name(b) : 0
    copy.c = operands.count > 2 ? name(c) : 0
    return copy
  }
}
