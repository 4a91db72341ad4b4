import TarnCore

/// A result kept with the leaf it is made from: weights in the order that a kernel reads them.
final class Preparation: @unchecked Sendable {  // runs of a plan take turns
  let slot: Int
  /// The leaf of the run before and what was made of it: most plans meet the same data again and again.
  private weak var lastLeaf: CPUStorage?
  private weak var lastResult: CPUStorage?
  private let call: Call
  private let byteCount: Int
  private let body: KernelStep.Body
  /// Makes the leaf's data again; nil if that cannot be, or if the plan reads the data too.
  private let restore: KernelStep.Body?

  init(_ source: Program.Preparation, in program: Program, isRead: Bool) {
    slot = source.slot
    byteCount = source.output.shape.product * source.output.dtype.byteCount
    body = KernelStep.body(source.op, source.input, source.output)
    call = if case .call(let call) = source.op { call } else { Call("") }
    let inverse = isRead ? nil : call.inverse
    restore = inverse.map { KernelStep.body(.call($0), source.output, source.input) }
  }

  /// What was made of `leaf`, now or before. The leaf's own memory is let go where it can be made again.
  func result(of leaf: any Storage, _ allocator: CachingAllocator) throws -> CPUStorage {
    guard let leaf = leaf as? CPUStorage else {
      throw Diagnostic(operation: call.name, reason: "its data is not in this backend's memory")
    }
    if leaf === lastLeaf, let lastResult { return lastResult }
    let storage = try leaf.derived(call) { pointer in
      let made = try CPUStorage(byteCount: byteCount, allocator)
      try body([pointer], made.pointer)
      return made
    }
    if let restore {
      leaf.release(.init(storage: storage) { try restore([$0], $1) })
    }
    (lastLeaf, lastResult) = (leaf, storage)
    return storage
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
