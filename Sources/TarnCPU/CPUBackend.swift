import CTarnKernels
import TarnCore

/// The CPU engine: fused loops and library kernels in C over planned memory.
package final class CPUBackend: Backend {
  package let name = "cpu"
  package let allocator = CachingAllocator()
  package static let shared = CPUBackend()
  private let chooser: AlgorithmChooser

  package init(tuning: Tuning = .shared) {
    chooser = AlgorithmChooser(allowsWinograd: Machine.allowsWinograd, tuning: tuning)
  }

  package func upload(_ bytes: UnsafeRawBufferPointer) -> any Storage {
    do {
      let storage = try CPUStorage(byteCount: bytes.count, allocator)
      storage.fill(bytes)
      return storage
    } catch {
      let problem = error as? Diagnostic ?? Diagnostic(operation: "upload", reason: "\(error)")
      return Diagnostic.report(problem, giving: HostStorage(byteCount: bytes.count))
    }
  }

  package func compile(_ graph: Graph) -> any Executable {
    let simplified = Simplifier.simplified(graph, claims: CallKernels.claims)
    let blocked = EpilogueFusion.applied(to: BlockedLayout.applied(to: simplified, chooser))
    return CPUPlan(Program(blocked), allocator)
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
  private let preparations: [Preparation]
  private let deferrals: [Deferral]
  /// Whether any step reads or writes a buffer: leaves may be wanted in another layout alone.
  private let isTouched: [Bool]
  private let allocator: CachingAllocator

  init(_ program: Program, _ allocator: CachingAllocator) {
    self.program = program
    self.allocator = allocator
    kernels = program.steps.map { KernelStep($0) }
    deferrals = program.deferrals.map { Deferral($0, in: program) }
    var isTouched = program.buffers.map { _ in false }
    for step in program.steps {
      for buffer in step.buffersRead + step.buffersWritten { isTouched[buffer] = true }
    }
    self.isTouched = isTouched
    preparations = program.preparations.map { preparation in
      let source = preparation.input.buffer ?? 0
      return Preparation(preparation, in: program, isRead: isTouched[source])
    }
  }

  func run(_ inputs: [any Storage], scalars: [Scalar]) throws -> [any Storage] {
    allocator.beginRun()
    let scratch = try CPUStorage(byteCount: program.scratchBytes, allocator)
    var outputs: [Int: CPUStorage] = [:]
    let prepared = try preparations.map { try $0.result(of: inputs[$0.slot], allocator) }
    let base = try scratch.pointer
    let pointers: [UnsafeMutableRawPointer?] = try program.buffers.indices.map { index in
      switch program.buffers[index].place {
      case .input(let slot):
        return isTouched[index] ? try (inputs[slot] as? CPUStorage)?.pointer : nil
      case .prepared(let number): return try prepared[number].pointer
      case .scratch(let offset): return base + offset
      case .output(let number):
        if let storage = outputs[number] { return try storage.pointer }
        let storage = try CPUStorage(byteCount: program.buffers[index].byteCount, allocator)
        outputs[number] = storage
        return try storage.pointer
      case .deferred: return nil
      }
    }
    let numbers = scalars.map { tarn_scalar($0) } + program.ownScalars.map { tarn_scalar($0) }
    try pointers.withUnsafeBufferPointer { pointers in
      try (numbers.isEmpty ? [tarn_scalar()] : numbers).withUnsafeBufferPointer { numbers in
        guard !LayerLabels.isActive else {
          let scalars = numbers.baseAddress!
          return try ProfileSession.run(kernels, of: program, pointers.baseAddress!, scalars)
        }
        for kernel in kernels { try kernel.run(pointers.baseAddress!, numbers.baseAddress!) }
      }
    }
    return program.results.map { place in
      switch place {
      case .input(let slot): inputs[slot]
      case .output(let number): outputs[number] ?? scratch
      case .deferred(let number):
        deferrals[number].storage(outputs[deferrals[number].source] ?? scratch, allocator)
      case .scratch, .prepared: scratch
      }
    }
  }
}

extension tarn_scalar {
  init(_ value: Scalar) { self.init(real: value.double, integer: value.int64) }
}
