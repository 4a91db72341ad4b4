extension Program {
  /// A few small steps that depend on leaves alone, as the scale of a batch normalisation on its parameters and statistics.
  ///
  /// Their results have lasting memory, so a backend may leave them out while the leaves and numbers are those of
  /// the run before.
  package struct LeafGroup: Sendable {
    package var steps: [Int]
    /// Leaves that they read.
    package var slots: [Int]
    /// Numbers that they read.
    package var scalars: [Int]
  }

  private enum LeafLimit {
    /// Bytes of one result, and of all results of a plan.
    static let result = 1 << 15
    static let all = 1 << 20
    /// What takes more steps is what the plan is for.
    static let steps = 4
  }

  /// Finds the groups and gives their results places.
  mutating func findLeafGroups() {
    let isLeafStep = leafSteps()
    /// Steps whose results meet, by number of a group; nil if there are too many.
    var groups: [[Int]?] = []
    var groupOf: [Int: Int] = [:]
    for (index, step) in steps.enumerated() where isLeafStep[index] {
      let met = Set((step.buffersRead + step.buffersWritten).compactMap { groupOf[$0] }).sorted()
      let members = met.flatMap { groups[$0] ?? [] } + [index]
      let isLarge = members.count > LeafLimit.steps || met.contains { groups[$0] == nil }
      for number in met where groups[number] != nil { groups[number] = [] }
      groups.append(isLarge ? nil : members)
      for member in members {
        for buffer in steps[member].buffersWritten { groupOf[buffer] = groups.count - 1 }
      }
    }
    for case let group? in groups where !group.isEmpty { place(group) }
  }

  /// Loops, and changes of layout, whose operands are leaves or of the same kind, and whose small results nothing else
  /// writes and nobody keeps.
  private func leafSteps() -> [Bool] {
    var isLeafStep = steps.map { step in
      switch step {
      case .loop: true
      case .kernel(.call(let call), _, _): call.isKept
      case .reduction, .kernel: false
      }
    }
    var isOther = buffers.map { buffer in
      switch buffer.place {
      case .input, .prepared: false
      case .scratch: buffer.byteCount > LeafLimit.result
      case .output, .deferred, .lasting: true
      }
    }
    for (index, step) in steps.enumerated() where !isLeafStep[index] {
      for buffer in step.buffersWritten { isOther[buffer] = true }
    }
    // Readers follow writers, so what one pass rules out it rules out to the end; only where several steps write to one
    // result is there more to do.
    var isStable = false
    while !isStable {
      isStable = true
      for (index, step) in steps.enumerated() where isLeafStep[index] {
        let written = step.buffersWritten
        guard (step.buffersRead + written).contains(where: { isOther[$0] }) else { continue }
        (isLeafStep[index], isStable) = (false, false)
        for buffer in written { isOther[buffer] = true }
      }
    }
    return isLeafStep
  }

  private mutating func place(_ members: [Int]) {
    let results = Set(members.flatMap { steps[$0].buffersWritten }).sorted()
    let bytes = results.reduce(0) { $0 + (buffers[$1].byteCount + 63) / 64 * 64 }
    guard lastingBytes + bytes <= LeafLimit.all else { return }
    var slots: Set<Int> = []
    var scalars: Set<Int> = []
    for member in members {
      for buffer in steps[member].buffersRead {
        switch buffers[buffer].place {
        case .input(let slot): slots.insert(slot)
        case .prepared(let number): slots.insert(preparations[number].slot)
        default: continue
        }
      }
      if case .loop(let loop) = steps[member] { scalars.formUnion(loop.constants.map(\.scalar)) }
    }
    for buffer in results {
      buffers[buffer].place = .lasting(offset: lastingBytes)
      lastingBytes += (buffers[buffer].byteCount + 63) / 64 * 64
    }
    leafGroups.append(
      LeafGroup(steps: members, slots: slots.sorted(), scalars: scalars.sorted()))
  }
}
