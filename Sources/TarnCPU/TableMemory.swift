import TarnCore

/// The tables of a plan, and the leaves and numbers they were last made of.
///
/// The leaves are held on to, so that another one is never taken for them; they are small.
final class TableMemory: @unchecked Sendable {  // runs of a plan take turns
  private let tables: Program.Tables
  private var storage: CPUStorage?
  private var isMade = false
  private var leaves: [any Storage] = []
  private var numbers: [Scalar] = []

  init(_ tables: Program.Tables) { self.tables = tables }

  /// Where the tables lie.
  func memory(_ allocator: CachingAllocator) throws -> CPUStorage {
    if let storage { return storage }
    let made = try CPUStorage(byteCount: tables.byteCount, allocator)
    storage = made
    return made
  }

  /// Whether the tables are those of this run already.
  func holds(_ inputs: [any Storage], _ scalars: [Scalar]) -> Bool {
    guard isMade else { return false }
    for (leaf, slot) in zip(leaves, tables.slots) where leaf !== inputs[slot] { return false }
    return zip(numbers, tables.scalars).allSatisfy { $0 == scalars[$1] }
  }

  /// To be called before the tables are made and, with what they were made of, after.
  func forget() { isMade = false }

  func remember(_ inputs: [any Storage], _ scalars: [Scalar]) {
    isMade = !tables.steps.isEmpty
    leaves = tables.slots.map { inputs[$0] }
    numbers = tables.scalars.map { scalars[$0] }
  }
}
