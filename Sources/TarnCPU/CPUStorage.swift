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

  private struct Address: @unchecked Sendable {  // carries a pointer across the lock
    let pointer: UnsafeMutableRawPointer
  }

  private struct State: @unchecked Sendable {  // the pointer is this storage's own
    var pointer: UnsafeMutableRawPointer?
    var original: Original?
    var kept: [Call: CPUStorage] = [:]
  }

  let byteCount: Int
  private let allocator: CachingAllocator
  private let state: Lock<State>

  init(byteCount: Int, _ allocator: CachingAllocator) throws {
    self.byteCount = byteCount
    self.allocator = allocator
    state = Lock(State(pointer: try allocator.take(byteCount)))
  }

  /// Data left in the layout that `call` would make of it.
  init(byteCount: Int, _ original: Original, as call: Call, _ allocator: CachingAllocator) {
    self.byteCount = byteCount
    self.allocator = allocator
    state = Lock(State(original: original, kept: [call: original.storage]))
  }

  /// The numbers one after another.
  var pointer: UnsafeMutableRawPointer {
    get throws { try state.withLock { Address(pointer: try self.pointer(&$0)) }.pointer }
  }

  private func pointer(_ state: inout State) throws -> UnsafeMutableRawPointer {
    if let pointer = state.pointer { return pointer }
    let pointer = try allocator.take(byteCount)
    if let original = state.original {
      try original.convert(original.storage.pointer, pointer)
    }
    state.pointer = pointer
    return pointer
  }

  /// The same data as `call` makes it, made at the first asking.
  func derived(_ call: Call, _ make: (UnsafeMutableRawPointer) throws -> CPUStorage) throws
    -> CPUStorage
  {
    try state.withLock { state in
      if let storage = state.kept[call] { return storage }
      let storage = try make(pointer(&state))
      state.kept[call] = storage
      return storage
    }
  }

  /// Lets the memory go: the data can be made from `original` when it is wanted.
  func release(_ original: Original) {
    let own = state.withLock { state in
      defer { (state.pointer, state.original) = (nil, original) }
      return state.pointer.map { Address(pointer: $0) }
    }
    if let own { allocator.giveBack(own.pointer, byteCount) }
  }

  /// Copies in what a new storage is to hold.
  func fill(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress else { return }
    state.withLock { $0.pointer?.copyMemory(from: base, byteCount: bytes.count) }
  }

  deinit {
    let own = state.withLock { $0.pointer.map { Address(pointer: $0) } }
    if let own { allocator.giveBack(own.pointer, byteCount) }
  }

  func read(into bytes: UnsafeMutableRawBufferPointer) {
    guard let target = bytes.baseAddress, byteCount > 0 else { return }
    let address = Address(pointer: target)
    do {
      try state.withLock { state in
        address.pointer.copyMemory(from: try pointer(&state), byteCount: byteCount)
      }
    } catch {
      Diagnostic.report(Diagnostic(operation: "reading a value", reason: "\(error)"))
    }
  }
}
