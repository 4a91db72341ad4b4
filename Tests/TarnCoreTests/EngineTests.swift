import Testing

import TarnCore

@Suite struct EngineTests {
  @Test func aMillionNodesNeitherOverflowNorLeak() {
    var y = Tensor([0, 1] as [Double])
    for _ in 0..<1_000_000 { y = y + 1 }
    #expect(y.array(of: Double.self) == [1_000_000, 1_000_001])
    #expect(y.node.inputs.isEmpty)
    // Recorded and never run: freed without recursion.
    weak var lost: Node?
    do {
      var z = Tensor([0.0])
      z = z + 1
      lost = z.node
      for _ in 0..<1_000_000 { z = z * 1.5 }
    }
    #expect(lost == nil)
  }

  @Test func trainingStepsDoNotChainTheirGraphs() {
    var w = Tensor([1.0, 2])
    weak var early: Node?
    for step in 0..<10 {
      let g = grad({ $0.squared().sum() }, at: w)
      w = (w - 0.1 * g).evaluate()
      if step == 2 { early = w.node }
    }
    #expect(early == nil)
  }

  @Test func equalStructuresShareAPlan() {
    // A chain that no other test records.
    func step(_ rate: Double, _ x: Tensor) -> Tensor { ((x * rate).tanh() - 0.1251).erf().sum() }
    let x = Tensor([0.25, 0.5, 3, 7, 11]).evaluate()
    let y = Tensor([4, 5, 6, 7, 8.0]).evaluate()
    #expect(!Engine.hasPlan(for: step(0.3, x)))
    let first = step(0.3, x).item()
    // Other numbers and other data are arguments of the plan.
    #expect(Engine.hasPlan(for: step(0.7, x)))
    #expect(Engine.hasPlan(for: step(0.9, y)))
    #expect(step(0.9, y).item() != first)
    #expect(step(0.3, x).item() == first)
    // 1 and 0 are looked at by simplification, so they are structure; so are shapes and types.
    #expect(!Engine.hasPlan(for: step(1, x)))
    #expect(!Engine.hasPlan(for: step(0.3, x[0..<4])))
    #expect(!Engine.hasPlan(for: step(0.3, x.cast(to: .float32))))
    #expect(step(1, x).item() == (x.tanh() - 0.1251).erf().sum().item())
  }

  @Test func aCheckpointedStepIsPlannedOnce() {
    func graph(_ x: Tensor) -> [Graph.Vertex] {
      let block = checkpointed { (y: Tensor) in (y * 1.375).tanh().exp() }
      return Engine.graph(of: [grad({ block($0).sum() }, at: x)]).graph.vertices
    }
    let x = Tensor([0.5, 1.5, 2.5])
    x.evaluate()
    #expect(graph(x) == graph(x))
  }

  @Test func aFailureLeavesOtherTensorsTheirValues() throws {
    let x = Tensor([1, 2, 3.0])
    let sound = x + 1
    let bad = Tensor([-1, 0, 0, -1.0], shape: [2, 2]).cholesky()
    #expect(throws: Diagnostic.self) { try Diagnostic.catching { Tensor.evaluate([sound, bad]) } }
    #expect(sound.array(of: Double.self) == [2, 3, 4])
    // Nor does the failed one become a number: asking again fails again.
    #expect(throws: Diagnostic.self) { try Diagnostic.catching { _ = bad.array(of: Double.self) } }
  }

  @Test func compiledFunctionsThatCloseOverAVariableAreDifferentiated() {
    let x = Tensor([1, 2, 3.0])
    let gradient = grad(
      { w in
        let product = compile { (x: Tensor) in x * w }
        return product(x).sum()
      }, at: Tensor([4, 5, 6.0]))
    #expect(gradient.array(of: Double.self) == [1, 2, 3])
  }

  private func program(_ tensor: Tensor) -> Program {
    Program(Simplifier.simplified(Engine.graph(of: [tensor]).graph, claims: { _, _ in false }))
  }

  @Test func elementwiseChainsBecomeOneLoop() {
    let x = Tensor([1, 2, 3.0])
    x.evaluate()
    #expect(program((x * 2 + 1).relu() - x.tanh() / 3).steps.count == 1)
    #expect(program(((x * 2 + 1).relu() - x).sum()).steps.count == 1)
    let shared = x.exp()
    #expect(program(shared / shared.sum()).steps.count == 3)
  }

  @Test func equalComputationsAreMergedAndIdentitiesRemoved() {
    let x = Tensor([1, 2, 3.0])
    x.evaluate()
    func vertices(_ tensor: Tensor) -> Int {
      let graph = Simplifier.simplified(Engine.graph(of: [tensor]).graph, claims: { _, _ in false })
      return graph.live.filter { $0 }.count
    }
    #expect(vertices(x.sin() * x.sin()) == 3)
    #expect(vertices(x * 1 + 0) == 1)
    #expect(vertices(-(-x)) == 1)
    #expect(vertices(x.reshaped(3, 1).reshaped(1, 3).reshaped(3)) == 1)
    #expect(vertices((x + 2.5) - (2.5 + x)) == 4)
    let m = Tensor([1, 2, 3, 4.0], shape: [2, 2])
    m.evaluate()
    let product = program(m.transposed().matmul(m))
    #expect(product.steps.count == 1)
    #expect(product.description.contains("matmul Aᵀ("))
  }

  @Test func weightGradientsDoNotWaitForTheWholeWayBack() {
    let layers = 12
    let x = Tensor.full([256, 16], 0.5).evaluate()
    let weights = (0..<layers).map { Tensor.full([16, 16], 0.01 * Double($0)).evaluate() }
    let gradients = grad(
      { (weights: [Tensor]) in
        weights.reduce(x) { y, weight in y.matmul(weight).tanh() }.sum()
      }, at: weights)
    let graph = Engine.graph(of: gradients).graph
    let program = Program(Simplifier.simplified(graph, claims: { _, _ in false }))
    // What the layers gave has to wait for the way back; what comes back has not.
    #expect(program.scratchBytes <= (layers + 3) * x.count * 4)
  }

  @Test func scratchMemoryIsSharedOnlyByThoseThatDoNotMeet() {
    var y = Tensor((0..<64).map { Double($0) * 0.01 }, shape: [8, 8])
    y.evaluate()
    let start = y
    for step in 0..<12 { y = y.matmul(step % 3 == 0 ? start : y.transposed()).tanh() * 0.5 }
    let program = program(y.sum())
    #expect(program.scratchBytes < program.unsharedBytes / 2)
    var spans: [(buffer: Int, bytes: Range<Int>, life: ClosedRange<Int>)] = []
    for (buffer, info) in program.buffers.enumerated() {
      guard case .scratch(let offset) = info.place else { continue }
      let times = program.steps.indices.filter {
        program.steps[$0].buffersRead.contains(buffer)
          || program.steps[$0].buffersWritten.contains(buffer)
      }
      guard let first = times.first, let last = times.last else { continue }
      spans.append((buffer, offset..<(offset + info.byteCount), first...last))
    }
    for a in spans {
      for b in spans
      where a.buffer < b.buffer && a.bytes.overlaps(b.bytes) && a.life.overlaps(b.life) {
        // The only meeting allowed: one ends as an operand of the loop that makes the other in its place.
        #expect(a.life.upperBound == b.life.lowerBound || b.life.upperBound == a.life.lowerBound)
        #expect(a.bytes == b.bytes)
      }
    }
  }

  @Test func compiledFunctionsRecordOncePerShape() {
    let scale = Tensor([2.0])
    let f = compile { (x: Pair<Tensor, Tensor>) in (x.first * scale).sin() + x.second.sum() }
    let a = Tensor([0.1, 0.2])
    #expect(f(Pair(a, a)).isClose(to: (a * 2).sin() + a.sum()))
    #expect(f(Pair(a * 3, a)).isClose(to: (a * 6).sin() + a.sum()))
    #expect(f.recordings == 1)
    #expect(f(Pair(Tensor([0.5]), a)).isClose(to: (Tensor([0.5]) * 2).sin() + a.sum()))
    #expect(f.recordings == 2)
    #expect(grad({ f(Pair($0, a)).sum() }, at: a).isClose(to: 2 * (2 * a).cos()))
    #expect(f.dump().contains("kernels"))
    #expect(throws: Diagnostic.self) {
      try Diagnostic.catching { _ = compile { (x: Tensor) in x * x.item() }(Tensor(2.0)) }
    }
  }

  @Test func theNaNGuardNamesOperationAndLayer() throws {
    let w = Tensor([1, -2.0])
    do {
      try Diagnostic.catching {
        NaNGuard.watching([("head.weight", w)]) { _ = ((w * 2).log() + 1).sum().item() }
      }
      Issue.record("no diagnostic")
    } catch let diagnostic as Diagnostic {
      #expect(diagnostic.operation == "log")
      #expect(diagnostic.facts.contains("layer  head.weight"))
    }
    try Diagnostic.catching { NaNGuard.watching { _ = w.exp().array(of: Double.self) } }
  }

  @Test func dumpShowsKernelsAndMemory() {
    let x = Tensor([1, 2, 3, 4.0], shape: [2, 2])
    x.evaluate()
    let text = (x.matmul(x) + 1).relu().dump()
    #expect(text.contains("matmul(in0, in0)"))
    #expect(text.contains("relu(add("))
    #expect(text.contains("2 kernels"))
  }

  @Test func tensorsOfTwoDevicesDoNotMix() {
    let a = Device.with(.reference) { Tensor([1.0]) }
    #expect(a.device == .reference)
    #expect(Device.with(.reference) { (a + 1).item() } == 2)
  }
}
