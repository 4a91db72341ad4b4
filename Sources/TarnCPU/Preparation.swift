import TarnCore

/// A result kept with the leaf it is made from: weights in the order that a kernel reads them.
struct Preparation: @unchecked Sendable {  // a closure over constant values only
  let slot: Int
  private let call: Call
  private let byteCount: Int
  private let body: KernelStep.Body

  init(_ source: Program.Preparation) {
    slot = source.slot
    byteCount = source.output.shape.product * source.output.dtype.byteCount
    body = KernelStep.body(source.op, source.input, source.output)
    call = if case .call(let call) = source.op { call } else { Call("") }
  }

  /// What was made of `leaf`, now or before.
  func result(of leaf: any Storage, _ allocator: CachingAllocator) throws -> CPUStorage {
    guard let leaf = leaf as? CPUStorage else {
      throw Diagnostic(operation: call.name, reason: "its data is not in this backend's memory")
    }
    return try leaf.derived(call) {
      let made = CPUStorage(byteCount: byteCount, allocator)
      try body([leaf.pointer], made.pointer)
      return made
    }
  }
}
