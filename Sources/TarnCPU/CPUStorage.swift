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

  private let kept = Lock<[Call: CPUStorage]>([:])

  /// The same data as `call` makes it, made at the first asking.
  func derived(_ call: Call, _ make: () throws -> CPUStorage) throws -> CPUStorage {
    try kept.withLock { kept in
      if let storage = kept[call] { return storage }
      let storage = try make()
      kept[call] = storage
      return storage
    }
  }

  deinit { allocator.giveBack(pointer, byteCount) }

  func read(into bytes: UnsafeMutableRawBufferPointer) {
    if byteCount > 0 {
      bytes.copyMemory(from: UnsafeRawBufferPointer(start: pointer, count: byteCount))
    }
  }
}
