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
    return try leaf.derived(call) { pointer in
      let made = CPUStorage(byteCount: byteCount, allocator)
      try body([pointer], made.pointer)
      return made
    }
  }
}

/// A result that stays in the layout its kernels left it in until somebody reads it.
struct Deferral: @unchecked Sendable {  // a closure over constant values only
  /// The output storage it is made from.
  let source: Int
  private let inverse: Call
  private let byteCount: Int
  private let body: KernelStep.Body

  init(_ deferral: Program.Deferral, in program: Program) {
    source =
      if case .output(let number) = program.buffers[deferral.input.buffer ?? 0].place {
        number
      } else { 0 }
    inverse = deferral.inverse
    byteCount = deferral.output.shape.product * deferral.output.dtype.byteCount
    body = KernelStep.body(deferral.op, deferral.input, deferral.output)
  }

  func storage(_ original: CPUStorage, _ allocator: CachingAllocator) -> CPUStorage {
    let body = body
    return CPUStorage(
      byteCount: byteCount, .init(storage: original) { try body([$0], $1) }, as: inverse, allocator)
  }
}
