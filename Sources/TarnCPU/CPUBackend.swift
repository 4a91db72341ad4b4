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
    return CPUPlan(Program(blocked, findsLeafGroups: true), allocator)
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
  private let leafWork: LeafWork?
  /// The steps of every run: all but those of leaf groups.
  private let steps: [Int]
  /// Bytes of each output storage.
  private let outputBytes: [Int]
  /// Whether any step reads or writes a buffer: leaves may be wanted in another layout alone.
  private let isTouched: [Bool]
  private let allocator: CachingAllocator

  init(_ program: Program, _ allocator: CachingAllocator) {
    self.program = program
    self.allocator = allocator
    kernels = program.steps.map { KernelStep($0) }
    deferrals = program.deferrals.map { Deferral($0, in: program) }
    leafWork = LeafWork(program)
    let ofLeaves = Set(program.leafGroups.flatMap(\.steps))
    steps = program.steps.indices.filter { !ofLeaves.contains($0) }
    var outputBytes: [Int] = []
    for buffer in program.buffers {
      guard case .output(let number) = buffer.place else { continue }
      while outputBytes.count <= number { outputBytes.append(0) }
      outputBytes[number] = max(outputBytes[number], buffer.byteCount)
    }
    self.outputBytes = outputBytes
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

  /// The memory of one run.
  private struct Memory {
    let scratch: CPUStorage
    let outputs: [CPUStorage]
    let prepared: [CPUStorage]
    let lasting: CPUStorage?
  }

  func run(_ inputs: [any Storage], scalars: [Scalar]) throws -> [any Storage] {
    allocator.beginRun()
    var numbers = scalars.map { tarn_scalar($0) } + program.ownScalars.map { tarn_scalar($0) }
    if numbers.isEmpty { numbers = [tarn_scalar()] }
    do {
      let leaves = try leafWork?.begin(inputs, numbers, allocator)
      let memory = Memory(
        scratch: try CPUStorage(byteCount: program.scratchBytes, allocator),
        outputs: try outputBytes.map { try CPUStorage(byteCount: $0, allocator) },
        prepared: try preparations.map { try $0.result(of: inputs[$0.slot], allocator) },
        lasting: leaves?.memory)
      let pointers = try addresses(inputs, memory)
      try pointers.withUnsafeBufferPointer { pointers in
        try numbers.withUnsafeBufferPointer { numbers in
          if let leaves { try run(leaves.due, pointers.baseAddress!, numbers.baseAddress!) }
          try run(steps, pointers.baseAddress!, numbers.baseAddress!)
        }
      }
      return program.results.map { result($0, inputs, memory) }
    } catch {
      leafWork?.forget()
      throw error
    }
  }

  private func run(
    _ steps: [Int], _ pointers: KernelStep.Pointers, _ numbers: UnsafePointer<tarn_scalar>
  ) throws {
    if LayerLabels.isActive {
      return try ProfileSession.run(kernels, steps, of: program, pointers, numbers)
    }
    for step in steps { try kernels[step].run(pointers, numbers) }
  }

  /// Where each buffer begins.
  private func addresses(_ inputs: [any Storage], _ memory: Memory) throws
    -> [UnsafeMutableRawPointer?]
  {
    let scratch = try memory.scratch.pointer
    let lasting = try memory.lasting?.pointer
    var addresses: [UnsafeMutableRawPointer?] = []
    addresses.reserveCapacity(program.buffers.count)
    for index in program.buffers.indices {
      switch program.buffers[index].place {
      case .input(let slot):
        addresses.append(isTouched[index] ? try (inputs[slot] as? CPUStorage)?.pointer : nil)
      case .prepared(let number): addresses.append(try memory.prepared[number].pointer)
      case .scratch(let offset): addresses.append(scratch + offset)
      case .lasting(let offset): addresses.append(lasting.map { $0 + offset })
      case .output(let number): addresses.append(try memory.outputs[number].pointer)
      case .deferred: addresses.append(nil)
      }
    }
    return addresses
  }

  private func result(_ place: Program.Place, _ inputs: [any Storage], _ memory: Memory)
    -> any Storage
  {
    switch place {
    case .input(let slot): inputs[slot]
    case .output(let number): memory.outputs[number]
    case .deferred(let number):
      deferrals[number].storage(memory.outputs[deferrals[number].source], allocator)
    case .scratch, .prepared, .lasting: memory.scratch
    }
  }
}

extension tarn_scalar {
  init(_ value: Scalar) { self.init(real: value.double, integer: value.int64) }
}
