import TarnCore

/// Numbers in host memory that comes from, and goes back to, the allocator.
final class CPUStorage: Storage, @unchecked Sendable {  // written only by the run that makes it
  let pointer: UnsafeMutableRawPointer
  let byteCount: Int
  private let allocator: CachingAllocator

  init(byteCount: Int, _ allocator: CachingAllocator) {
    self.byteCount = byteCount
    self.allocator = allocator
    pointer = allocator.take(byteCount)
  }

  deinit { allocator.giveBack(pointer, byteCount) }

  func read(into bytes: UnsafeMutableRawBufferPointer) {
    if byteCount > 0 {
      bytes.copyMemory(from: UnsafeRawBufferPointer(start: pointer, count: byteCount))
    }
  }
}
