import CTarnKernels
import TarnCore

/// The CPU engine: fused loops and library kernels in C over planned memory.
package final class CPUBackend: Backend {
  package let name = "cpu"
  package let allocator = CachingAllocator()
  package static let shared = CPUBackend()

  private init() {}

  package func upload(_ bytes: UnsafeRawBufferPointer) -> any Storage {
    let storage = CPUStorage(byteCount: bytes.count, allocator)
    storage.pointer.copyMemory(
      from: bytes.baseAddress ?? UnsafeRawPointer(storage.pointer), byteCount: bytes.count)
    return storage
  }

  package func compile(_ graph: Graph) -> any Executable {
    let simplified = Simplifier.simplified(graph, claims: CallKernels.claims)
    return CPUPlan(Program(simplified), allocator)
  }

  package func claims(_ call: Call, _ arguments: [Graph.Vertex]) -> Bool {
    CallKernels.claims(call, arguments)
  }
}

/// Called when the program starts, by the kernels' library.
@c public func tarn_cpu_register() {
  Backends.register(CPUBackend.shared, for: .cpu)
}

/// A program bound to kernels.
private final class CPUPlan: Executable {
  private let program: Program
  private let kernels: [KernelStep]
  private let allocator: CachingAllocator

  init(_ program: Program, _ allocator: CachingAllocator) {
    self.program = program
    self.allocator = allocator
    kernels = program.steps.map { KernelStep($0) }
  }

  func run(_ inputs: [any Storage], scalars: [Scalar]) throws -> [any Storage] {
    let scratch = CPUStorage(byteCount: program.scratchBytes, allocator)
    var outputs: [Int: CPUStorage] = [:]
    let pointers: [UnsafeMutableRawPointer?] = program.buffers.map { buffer in
      switch buffer.place {
      case .input(let slot): return (inputs[slot] as? CPUStorage)?.pointer
      case .scratch(let offset): return scratch.pointer + offset
      case .output(let number):
        let storage = CPUStorage(byteCount: buffer.byteCount, allocator)
        outputs[number] = storage
        return storage.pointer
      }
    }
    let numbers = scalars.map { tarn_scalar($0) } + program.ownScalars.map { tarn_scalar($0) }
    try pointers.withUnsafeBufferPointer { pointers in
      try (numbers.isEmpty ? [tarn_scalar()] : numbers).withUnsafeBufferPointer { numbers in
        for kernel in kernels { try kernel.run(pointers.baseAddress!, numbers.baseAddress!) }
      }
    }
    return program.results.map { place in
      switch place {
      case .input(let slot): inputs[slot]
      case .output(let number): outputs[number] ?? scratch
      case .scratch: scratch
      }
    }
  }
}

extension tarn_scalar {
  init(_ value: Scalar) { self.init(real: value.double, integer: value.int64) }
}
