extension Program {
  /// Small tables that element-wise steps make of leaves alone, and what they depend on: as long as the leaves and the
  /// numbers stay the same, their steps need not run again.
  package struct Tables: Sendable {
    package var steps: Set<Int> = []
    /// Leaves that are read, and recorded numbers.
    package var slots: [Int] = []
    package var scalars: [Int] = []
    package var byteCount = 0
  }

  /// The most bytes of a table, and of a leaf that it is made of: such leaves are cheap to hold on to.
  private static var mostTableBytes: Int { 1 << 15 }

  /// Gives the tables that kernels read memory of their own, which outlives a run.
  ///
  /// A table is a float32 buffer that loops fill from small leaves, and that nobody reads but such loops and kernels
  /// at operands which `isTable` picks. Networks that infer have many: the scales and shifts of batch normalisation.
  ///
  /// - Parameter recordedScalars: how many numbers come with each run; the rest belong to the program.
  mutating func rememberTables(
    recordedScalars: Int, _ isTable: (_ op: Op, _ operand: Int, _ view: View) -> Bool
  ) {
    var mayRun = steps.map { step in
      if case .loop(let loop) = step { isOfSmallLeaves(loop) } else { false }
    }
    var mayStay = buffers.map { isScratchTable($0) }
    for step in steps {
      guard case .kernel(let op, let operands, let output) = step else { continue }
      if let buffer = output.buffer { mayStay[buffer] = false }
      for (number, view) in operands.enumerated() {
        if let buffer = view.buffer, !isTable(op, number, view) { mayStay[buffer] = false }
      }
    }
    // What depends on something that does not stay does not stay either.
    var isSettled = false
    while !isSettled {
      isSettled = true
      for (index, step) in steps.enumerated() {
        if case .kernel = step { continue }
        let scratch = (step.buffersRead + step.buffersWritten).filter { !isLeaf($0) }
        if mayRun[index], scratch.contains(where: { !mayStay[$0] }) {
          (mayRun[index], isSettled) = (false, false)
        }
        guard !mayRun[index] else { continue }
        for buffer in scratch where mayStay[buffer] {
          (mayStay[buffer], isSettled) = (false, false)
        }
      }
    }
    remember(mayRun.indices.filter { mayRun[$0] }, recordedScalars)
  }

  private func isLeaf(_ buffer: Int) -> Bool {
    if case .input = buffers[buffer].place { true } else { false }
  }

  private func isScratchTable(_ buffer: Buffer) -> Bool {
    guard case .scratch = buffer.place else { return false }
    return buffer.dtype == .float32 && buffer.byteCount <= Self.mostTableBytes
  }

  private func isOfSmallLeaves(_ loop: Loop) -> Bool {
    loop.inputs.allSatisfy { input in
      guard let buffer = input.view.buffer, isLeaf(buffer) else { return true }
      return buffers[buffer].byteCount <= Self.mostTableBytes
    }
  }

  private mutating func remember(_ steps: [Int], _ recordedScalars: Int) {
    var (slots, scalars): (Set<Int>, Set<Int>) = ([], [])
    for index in steps {
      guard case .loop(let loop) = self.steps[index] else { continue }
      scalars.formUnion(loop.constants.map(\.scalar).filter { $0 < recordedScalars })
      for buffer in self.steps[index].buffersRead + self.steps[index].buffersWritten {
        switch buffers[buffer].place {
        case .input(let slot): slots.insert(slot)
        case .scratch:
          buffers[buffer].place = .table(offset: tables.byteCount)
          tables.byteCount += (buffers[buffer].byteCount + 63) / 64 * 64
        default: break
        }
      }
    }
    (tables.steps, tables.slots, tables.scalars) = (Set(steps), slots.sorted(), scalars.sorted())
  }
}
