import Synchronization
import TarnCore

/// Numbers in host memory that comes from, and goes back to, the allocator.
///
/// They may be there in another layout at first: a result that a plan left as its kernels wrote it becomes plain when
/// somebody reads it, and the next plan that wants that layout finds it.
final class CPUStorage: Storage, @unchecked Sendable {  // written only by the run that makes it
  /// Another layout of the same data, and how to make this one from it.
  struct Original: @unchecked Sendable {  // a closure over constant values only
    let storage: CPUStorage
    let convert: (_ from: UnsafeMutableRawPointer, _ to: UnsafeMutableRawPointer) throws -> Void
  }

  /// Other layouts: what this one is made from, and what was made of it.
  private struct Layouts: @unchecked Sendable {  // used under the lock
    var original: Original?
    var kept: [Call: CPUStorage] = [:]
  }

  private struct Address: @unchecked Sendable {  // carries a pointer across the lock
    let pointer: UnsafeMutableRawPointer
  }

  private static let made = Atomic<Int>(0)

  let byteCount: Int
  /// Tells it from all other storages there are and ever were.
  let number = CPUStorage.made.add(1, ordering: .relaxed).newValue
  private let allocator: CachingAllocator
  /// The numbers one after another, if they are there. Set under the lock.
  private let address: Atomic<UnsafeMutableRawPointer?>
  private let layouts: Mutex<Layouts>

  init(byteCount: Int, _ allocator: CachingAllocator) throws {
    self.byteCount = byteCount
    self.allocator = allocator
    address = Atomic(try allocator.take(byteCount))
    layouts = Mutex(Layouts())
  }

  /// Data left in the layout that `call` would make of it.
  init(byteCount: Int, _ original: Original, as call: Call, _ allocator: CachingAllocator) {
    self.byteCount = byteCount
    self.allocator = allocator
    address = Atomic(nil)
    layouts = Mutex(Layouts(original: original, kept: [call: original.storage]))
  }

  /// The numbers one after another.
  var pointer: UnsafeMutableRawPointer {
    get throws {
      if let pointer = address.load(ordering: .acquiring) { return pointer }
      return try layouts.withLock { Address(pointer: try plain($0)) }.pointer
    }
  }

  private func plain(_ layouts: Layouts) throws -> UnsafeMutableRawPointer {
    if let pointer = address.load(ordering: .acquiring) { return pointer }
    let pointer = try allocator.take(byteCount)
    if let original = layouts.original {
      try original.convert(original.storage.pointer, pointer)
    }
    address.store(pointer, ordering: .releasing)
    return pointer
  }

  /// The same data as `call` makes it, made at the first asking.
  func derived(_ call: Call, _ make: (UnsafeMutableRawPointer) throws -> CPUStorage) throws
    -> CPUStorage
  {
    try layouts.withLock { layouts in
      if let storage = layouts.kept[call] { return storage }
      let storage = try make(plain(layouts))
      layouts.kept[call] = storage
      return storage
    }
  }

  /// Lets the memory go: the data can be made from `original` when it is wanted.
  func release(_ original: Original) {
    let own = layouts.withLock { layouts in
      layouts.original = original
      return address.exchange(nil, ordering: .acquiringAndReleasing).map { Address(pointer: $0) }
    }
    if let own { allocator.giveBack(own.pointer, byteCount) }
  }

  /// Copies in what a new storage is to hold.
  func fill(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress else { return }
    address.load(ordering: .acquiring)?.copyMemory(from: base, byteCount: bytes.count)
  }

  deinit {
    if let own = address.load(ordering: .acquiring) { allocator.giveBack(own, byteCount) }
  }

  func read(into bytes: UnsafeMutableRawBufferPointer) {
    guard let target = bytes.baseAddress, byteCount > 0 else { return }
    let to = Address(pointer: target)
    do {
      // Under the lock, so that no run lets the memory go meanwhile.
      try layouts.withLock { layouts in
        to.pointer.copyMemory(from: try plain(layouts), byteCount: byteCount)
      }
    } catch {
      Diagnostic.report(Diagnostic(operation: "reading a value", reason: "\(error)"))
    }
  }
}
