import TarnCore

/// Memory that is kept when it is let go, so that steps of a loop find their pages already mapped.
///
/// Sizes are rounded up to classes an eighth of a power of two apart; a freed block serves the next request of its class.
package final class CachingAllocator: Sendable {
  private struct State: @unchecked Sendable {  // the pointers are owned by whoever took them out
    var free: [Int: [UnsafeMutableRawPointer]] = [:]
    var cachedBytes = 0
    var usedBytes = 0
    var peakBytes = 0
  }

  private let state = Lock(State())
  /// More than this much idle memory goes back to the system.
  private let limit: Int

  package init(limit: Int = 4 << 30) { self.limit = limit }

  /// Bytes in use now, and the most there were.
  package var usage: (used: Int, peak: Int) { state.withLock { ($0.usedBytes, $0.peakBytes) } }

  func take(_ byteCount: Int) -> UnsafeMutableRawPointer {
    let size = Self.sizeClass(byteCount)
    return state.withLock { state in
      state.usedBytes += size
      state.peakBytes = max(state.peakBytes, state.usedBytes)
      if let pointer = state.free[size]?.popLast() {
        state.cachedBytes -= size
        return Block(pointer: pointer)
      }
      return Block(pointer: .allocate(byteCount: size, alignment: size >= 1 << 20 ? 4096 : 64))
    }.pointer
  }

  func giveBack(_ pointer: UnsafeMutableRawPointer, _ byteCount: Int) {
    let size = Self.sizeClass(byteCount)
    let block = Block(pointer: pointer)
    state.withLock { state in
      state.usedBytes -= size
      if state.cachedBytes + size > limit {
        block.pointer.deallocate()
      } else {
        state.free[size, default: []].append(block.pointer)
        state.cachedBytes += size
      }
    }
  }

  private struct Block: @unchecked Sendable {  // carries a pointer across the lock
    let pointer: UnsafeMutableRawPointer
  }

  static func sizeClass(_ byteCount: Int) -> Int {
    if byteCount <= 1024 { return max(64, (byteCount + 63) / 64 * 64) }
    let unit = 1 << (Int.bitWidth - byteCount.leadingZeroBitCount - 4)
    return (byteCount + unit - 1) / unit * unit
  }
}
