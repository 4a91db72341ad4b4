extension Program {
  /// Brings steps forward that make little of much: a weight's gradient comes right after the gradient of the layer's
  /// result, and the optimizer's step after it.
  ///
  /// Recording puts inputs before users, so that the first weight's gradient asks for the whole way back through the network, and the gradient
  /// of every layer's result would wait, in memory, for the gradient of its weights. Steps that make less than a quarter of
  /// what they read go as soon as all of that is there, each followed by what it sets free; the rest keep their order. Results cost
  /// nothing: they have memory of their own all along.
  mutating func bringForward() {
    let links = StepLinks(self)
    var waiting = links.predecessors
    var isDone = [Bool](repeating: false, count: steps.count)
    var order: [Int] = []
    order.reserveCapacity(steps.count)
    var ready: [Int] = []
    for next in steps.indices where !isDone[next] {
      ready.append(next)
      while let step = ready.popLast() {
        guard !isDone[step] else { continue }
        isDone[step] = true
        order.append(step)
        for user in links.users[step].reversed() {
          waiting[user] -= 1
          if waiting[user] == 0, makesLittle(user) { ready.append(user) }
        }
      }
    }
    let hasLayers = layers.count == steps.count
    (steps, layers) = (order.map { steps[$0] }, hasLayers ? order.map { layers[$0] } : layers)
  }

  private func makesLittle(_ step: Int) -> Bool {
    func bytes(_ list: [Int], _ counts: (Place) -> Bool) -> Int {
      Set(list).reduce(0) { counts(buffers[$1].place) ? $0 + buffers[$1].byteCount : $0 }
    }
    let read = bytes(steps[step].buffersRead) {
      switch $0 {
      case .scratch, .output: true
      default: false
      }
    }
    let written = bytes(steps[step].buffersWritten) {
      if case .scratch = $0 { true } else { false }
    }
    return read > 0 && 4 * written <= read
  }
}

/// Which steps have to come before which.
private struct StepLinks {
  /// Steps that come after it, in order.
  var users: [[Int]]
  /// How many have to come before.
  var predecessors: [Int]

  init(_ program: Program) {
    let steps = program.steps
    users = Array(repeating: [], count: steps.count)
    predecessors = Array(repeating: 0, count: steps.count)
    /// Of each buffer the step that wrote it last, and those that have read it since.
    var writer: [Int?] = Array(repeating: nil, count: program.buffers.count)
    var readers: [[Int]] = Array(repeating: [], count: program.buffers.count)
    for (index, step) in steps.enumerated() {
      let (read, written) = (step.buffersRead, step.buffersWritten)
      var before = Set((read + written).compactMap { writer[$0] })
      for buffer in written { before.formUnion(readers[buffer]) }
      before.remove(index)
      for earlier in before { users[earlier].append(index) }
      predecessors[index] = before.count
      for buffer in read { readers[buffer].append(index) }
      for buffer in written { (writer[buffer], readers[buffer]) = (index, []) }
    }
  }
}
