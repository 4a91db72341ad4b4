import CTarnKernels
import TarnCore

/// A loop laid out for the C kernels, kept in memory that does not move.
final class LoopKernel: @unchecked Sendable {  // constant once made
  private let loop: UnsafeMutablePointer<tarn_loop>
  private let operands: UnsafeMutablePointer<tarn_operand>
  private let constants: UnsafeMutablePointer<tarn_const>
  private let instructions: UnsafeMutablePointer<tarn_instr>
  /// Set for a reduction: the axes it goes over, as bits, and its kind.
  private let reduction: (axes: UInt32, kind: Int32)?

  /// nil if the loop has more axes than the kernels take.
  init?(_ source: Loop, reducing: (kind: Reduction, axes: [Int])? = nil) {
    let merged = MergedAxes(source, reduced: reducing?.axes ?? [])
    guard merged.shape.count <= Int(TARN_MAX_RANK) else { return nil }
    let inputs = zip(source.inputs, merged.inputStrides).map { input, strides in
      Self.operand(input.view, input.register, strides)
    }
    let program = source.instructions.flatMap(Self.encode)
    let outputs = zip(source.outputs, merged.outputStrides).map { output, strides in
      Self.operand(output.view, output.register, strides)
    }
    loop = .allocate(capacity: 1)
    operands = .allocate(capacity: inputs.count + outputs.count)
    operands.initialize(from: inputs + outputs, count: inputs.count + outputs.count)
    constants = .allocate(capacity: max(source.constants.count, 1))
    constants.initialize(
      from: source.constants.map {
        tarn_const(reg: UInt16($0.register), cls: $0.dtype.computeClass, scalar: Int32($0.scalar))
      }, count: source.constants.count)
    instructions = .allocate(capacity: max(program.count, 1))
    instructions.initialize(from: program, count: program.count)
    var layout = tarn_loop()
    layout.rank = Int32(merged.shape.count)
    withUnsafeMutableBytes(of: &layout.shape) {
      $0.copyBytes(from: merged.shape.map(Int64.init).bytes)
    }
    layout.n_inputs = Int32(inputs.count)
    layout.n_outputs = Int32(outputs.count)
    layout.n_consts = Int32(source.constants.count)
    layout.n_instrs = Int32(program.count)
    layout.n_regs = Int32(source.registerCount)
    layout.inputs = UnsafePointer(operands)
    layout.outputs = UnsafePointer(operands + inputs.count)
    layout.consts = UnsafePointer(constants)
    layout.instrs = UnsafePointer(instructions)
    loop.initialize(to: layout)
    reduction = reducing.map { (merged.reducedBits, $0.kind.code) }
  }

  /// What the kernels take, as long as this lives; nil if it is a reduction's.
  var plain: UnsafePointer<tarn_loop>? { reduction == nil ? UnsafePointer(loop) : nil }

  deinit {
    loop.deallocate()
    operands.deallocate()
    constants.deallocate()
    instructions.deallocate()
  }

  func run(
    _ pointers: UnsafePointer<UnsafeMutableRawPointer?>, _ scalars: UnsafePointer<tarn_scalar>
  ) throws {
    let status =
      if let reduction {
        tarn_reduce_run(loop, reduction.axes, reduction.kind, pointers, scalars)
      } else {
        tarn_loop_run(loop, pointers, scalars)
      }
    try check(status, "element-wise loop")
  }

  private static func operand(_ view: View, _ register: Int, _ strides: [Int]) -> tarn_operand {
    var result = tarn_operand()
    let kind =
      switch view.source {
      case .buffer: TARN_MEMORY
      case .index: TARN_IOTA
      case .random: TARN_RANDOM
      }
    result.kind = UInt8(kind.rawValue)
    result.pointer = Int32(view.memory ?? 0)
    result.dtype = view.dtype.rawValue
    result.reg = UInt16(register)
    result.offset = Int64(view.offset)
    let padded =
      strides.map(Int64.init) + Array(repeating: 0, count: Int(TARN_MAX_RANK) - strides.count)
    withUnsafeMutableBytes(of: &result.strides) { $0.copyBytes(from: padded.bytes) }
    return result
  }

  /// An instruction, followed by the rounding or wrapping that its narrow type needs.
  private static func encode(_ instruction: Loop.Instruction) -> [tarn_instr] {
    func make(_ op: tarn_op, _ cls: UInt8, _ a: Int, _ b: Int = 0, _ c: Int = 0) -> tarn_instr {
      tarn_instr(
        op: UInt8(op.rawValue), cls: cls, dst: UInt16(instruction.target), a: UInt16(a),
        b: UInt16(b), c: UInt16(c))
    }
    let target = instruction.target
    let cls = instruction.operandDType.computeClass
    switch instruction.kind {
    case .unary(let kind):
      return [make(kind.code(instruction.dtype), cls, instruction.a)]
        + narrowing(instruction.dtype).map { make($0, instruction.dtype.computeClass, target) }
    case .binary(let kind):
      return [make(kind.code, cls, instruction.a, instruction.b)]
        + narrowing(instruction.dtype).map { make($0, instruction.dtype.computeClass, target) }
    case .compare(let kind): return [make(kind.code, cls, instruction.a, instruction.b)]
    case .select:
      return [
        make(
          TARN_SELECT, instruction.dtype.computeClass, instruction.a, instruction.b, instruction.c)
      ]
    case .cast(let from): return cast(from, instruction.dtype, instruction.a, make)
    }
  }

  private static func narrowing(_ dtype: DType) -> [tarn_op] {
    switch dtype {
    case .uint8: [TARN_WRAP_U8]
    case .int8: [TARN_WRAP_I8]
    case .float16: [TARN_ROUND_F16]
    case .bfloat16: [TARN_ROUND_BF16]
    default: []
    }
  }

  private static func cast(
    _ from: DType, _ to: DType, _ a: Int, _ make: (tarn_op, UInt8, Int, Int, Int) -> tarn_instr
  ) -> [tarn_instr] {
    // Steps through registers; the first reads the operand, the others what the step before left.
    var steps: [(tarn_op, UInt8)] = []
    let (source, target) = (from.computeClass, to.computeClass)
    if to == .bool {
      steps = [(TARN_CAST_BOOL, source)]
    } else if to.isFloating {
      let op = target == DType.float64.computeClass ? TARN_CAST_F64 : TARN_CAST_F32
      steps = (source == target ? [] : [(op, source)]) + narrowing(to).map { ($0, target) }
    } else if to == .int64 {
      steps = source == target ? [] : [(TARN_CAST_I64, source)]
    } else {
      // Through int64, so that large numbers wrap instead of sticking at the end of the range.
      if from.isFloating { steps.append((TARN_CAST_I64, source)) }
      if from.isFloating || from == .int64 {
        steps.append((TARN_CAST_I32, DType.int64.computeClass))
      }
      steps += narrowing(to).map { ($0, target) }
    }
    if steps.isEmpty {
      // The same number in the same class: or'ing with itself, or the larger of twice the same, copies it.
      return [make(to.isFloating ? TARN_MAX : TARN_OR, target, a, a, 0)]
    }
    var register = a
    return steps.map { op, cls in
      let made = make(op, cls, register, 0, 0)
      register = Int(made.dst)
      return made
    }
  }
}

/// A loop's shape with neighbouring axes made one wherever every operand walks through both in one stride.
struct MergedAxes {
  var shape: [Int]
  var inputStrides: [[Int]]
  var outputStrides: [[Int]]
  var reducedBits: UInt32 = 0

  init(_ loop: Loop, reduced: [Int]) {
    let all = loop.inputs.map(\.view.strides) + loop.outputs.map(\.view.strides)
    shape = []
    var strides = [[Int]](repeating: [], count: all.count)
    var flags: [Bool] = []
    for axis in loop.shape.indices where loop.shape[axis] != 1 {
      let isReduced = reduced.contains(axis)
      let joins =
        flags.last == isReduced
        && all.indices.allSatisfy { strides[$0].last! == all[$0][axis] * loop.shape[axis] }
      if joins {
        shape[shape.count - 1] *= loop.shape[axis]
        for operand in all.indices { strides[operand][shape.count - 1] = all[operand][axis] }
      } else {
        shape.append(loop.shape[axis])
        flags.append(isReduced)
        for operand in all.indices { strides[operand].append(all[operand][axis]) }
      }
    }
    if shape.isEmpty {
      shape = [1]
      strides = all.map { _ in [0] }
      flags = [!reduced.isEmpty]
    }
    for (axis, flag) in flags.enumerated() where flag { reducedBits |= 1 << UInt32(axis) }
    inputStrides = Array(strides[..<loop.inputs.count])
    outputStrides = Array(strides[loop.inputs.count...])
  }
}

extension Array where Element: BitwiseCopyable {
  /// The elements' bytes, one after another.
  var bytes: [UInt8] { withUnsafeBytes { [UInt8]($0) } }
}
