import CTarnKernels
import TarnCore

/// The small results that a plan makes of leaves alone, kept from run to run as long as the leaves are the same storages.
///
/// A plan that sees other leaves at every run, as one of training, keeps no memory.
final class LeafWork: @unchecked Sendable {  // runs of a plan take turns
  /// What a run finds: the memory of the results, and the steps that have to fill it.
  struct Run {
    let memory: CPUStorage
    let due: [Int]
  }

  private let groups: [Program.LeafGroup]
  private let byteCount: Int
  /// The storages and numbers that each group last read, one group after another.
  private var marks: [UInt64]
  private var isNew = true
  private var memory: CPUStorage?

  /// nil if there is no such work.
  init?(_ program: Program) {
    guard !program.leafGroups.isEmpty else { return nil }
    groups = program.leafGroups
    byteCount = program.lastingBytes
    marks = groups.flatMap { [UInt64](repeating: 0, count: $0.slots.count + 2 * $0.scalars.count) }
  }

  func begin(
    _ inputs: [any Storage], _ numbers: [tarn_scalar], _ allocator: CachingAllocator
  ) throws -> Run {
    let isSame = compare(inputs, numbers)
    defer { isNew = false }
    if let memory {
      return Run(memory: memory, due: groups.indices.flatMap { isSame[$0] ? [] : groups[$0].steps })
    }
    let fresh = try CPUStorage(byteCount: byteCount, allocator)
    if !isNew, isSame.contains(true) { memory = fresh }
    return Run(memory: fresh, due: groups.flatMap(\.steps))
  }

  /// After a run that failed: what is in the memory is not known.
  func forget() {
    memory = nil
    isNew = true
  }

  /// Which groups read what they read last time; remembers what they read now.
  private func compare(_ inputs: [any Storage], _ numbers: [tarn_scalar]) -> [Bool] {
    var next = 0
    func isSame(_ mark: UInt64) -> Bool {
      defer { (marks[next], next) = (mark, next + 1) }
      return marks[next] == mark
    }
    return groups.map { group in
      var isKnown = true
      for slot in group.slots {
        // Storages count from 1, so 0 is the mark of none.
        let mark = (inputs[slot] as? CPUStorage).map { UInt64($0.number) } ?? 0
        if !isSame(mark) || mark == 0 { isKnown = false }
      }
      for scalar in group.scalars {
        if !isSame(numbers[scalar].real.bitPattern) { isKnown = false }
        if !isSame(UInt64(bitPattern: numbers[scalar].integer)) { isKnown = false }
      }
      return isKnown
    }
  }
}
