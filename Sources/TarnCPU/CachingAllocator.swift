import CTarnKernels
import Synchronization
import TarnCore

/// Memory that is kept when it is let go, so that steps of a loop find their pages already mapped.
///
/// Sizes are rounded up to classes an eighth of a power of two apart; a freed block serves the next request of its class.
/// Where new memory is needed, blocks that lay idle over the last runs go back to the system first: what building a
/// model left behind does not add to what running it takes.
package final class CachingAllocator: Sendable {
  private struct Block: @unchecked Sendable {  // carries a pointer that nobody else has
    let pointer: UnsafeMutableRawPointer
    /// The run in which it became idle.
    var run = 0
  }

  private struct State {
    /// Idle blocks by size class.
    var free = [[Block]](repeating: [], count: CachingAllocator.classes)
    var cachedBytes = 0
    var usedBytes = 0
    var peakBytes = 0
    var run = 0
  }

  private let state = Mutex(State())
  /// More than this much idle memory goes back to the system.
  private let limit: Int
  /// Runs after which an idle block may go.
  private static let patience = 4
  /// Smaller blocks are never worth giving back.
  private static let least = 1 << 16

  package init(limit: Int = 4 << 30) { self.limit = limit }

  /// Bytes in use now, and the most there were.
  package var usage: (used: Int, peak: Int) { state.withLock { ($0.usedBytes, $0.peakBytes) } }

  /// To be called as a plan starts.
  func beginRun() { state.withLock { $0.run += 1 } }

  func take(_ byteCount: Int) throws -> UnsafeMutableRawPointer {
    let size = Self.blockSize(byteCount)
    return try state.withLock { state in
      let block: Block
      if let idle = state.free[Self.sizeClass(of: size)].popLast() {
        block = idle
        state.cachedBytes -= size
      } else {
        block = try Self.fresh(size, &state)
      }
      state.usedBytes += size
      state.peakBytes = max(state.peakBytes, state.usedBytes)
      return block
    }.pointer
  }

  func giveBack(_ pointer: UnsafeMutableRawPointer, _ byteCount: Int) {
    let size = Self.blockSize(byteCount)
    let block = Block(pointer: pointer)
    state.withLock { state in
      state.usedBytes -= size
      if state.cachedBytes + size > limit {
        tarn_free(block.pointer)
      } else {
        state.free[Self.sizeClass(of: size)].append(Block(pointer: block.pointer, run: state.run))
        state.cachedBytes += size
      }
    }
  }

  /// A block from the system; idle ones are given up for it.
  private static func fresh(_ size: Int, _ state: inout State) throws -> Block {
    if size >= least { release(idleSince: state.run - patience, &state) }
    if let pointer = tarn_allocate(Int64(size)) { return Block(pointer: pointer) }
    release(idleSince: .max, &state)
    if let pointer = tarn_allocate(Int64(size)) { return Block(pointer: pointer) }
    throw Diagnostic(
      operation: "memory", reason: "the system has no \(size >> 20) MB left",
      facts: ["\(state.usedBytes >> 20) MB are in use"],
      hint: "use smaller batches, or checkpointed { } for large models")
  }

  /// Gives back blocks that became idle in `run` or before it.
  private static func release(idleSince run: Int, _ state: inout State) {
    for index in sizeClass(of: least)..<classes where !state.free[index].isEmpty {
      let stale = state.free[index].filter { $0.run <= run }
      guard !stale.isEmpty else { continue }
      state.free[index].removeAll { $0.run <= run }
      for block in stale { tarn_free(block.pointer) }
      state.cachedBytes -= stale.count * size(ofClass: index)
    }
  }

  /// Bytes of the block that serves a request.
  static func blockSize(_ byteCount: Int) -> Int {
    if byteCount <= 1024 { return max(64, (byteCount + 63) / 64 * 64) }
    let unit = 1 << (Int.bitWidth - byteCount.leadingZeroBitCount - 4)
    return (byteCount + unit - 1) / unit * unit
  }

  // MARK: Size classes: multiples of 64 up to 1024, then eighths of powers of two

  private static let classes = 16 + 8 * (Int.bitWidth - 10)

  private static func sizeClass(of size: Int) -> Int {
    if size <= 1024 { return size / 64 - 1 }
    let power = Int.bitWidth - 1 - size.leadingZeroBitCount
    return 7 + 8 * (power - 10) + size >> (power - 3)
  }

  private static func size(ofClass index: Int) -> Int {
    if index < 16 { return (index + 1) * 64 }
    return (8 + (index - 15) % 8) << ((index - 15) / 8 + 7)
  }
}
