import CTarnKernels
import TarnCore

/// One step of a program, ready to run on the addresses of its buffers.
struct KernelStep: @unchecked Sendable {  // closures over constant values only
  typealias Pointers = UnsafePointer<UnsafeMutableRawPointer?>
  typealias Body = (_ operands: [UnsafeMutableRawPointer], _ output: UnsafeMutableRawPointer) throws
    -> Void

  /// Of a loop, what the kernels take, held by `body`: a call without a closure, for small steps.
  private let loop: UnsafePointer<tarn_loop>?
  private let body: (Pointers, UnsafePointer<tarn_scalar>) throws -> Void

  func run(_ pointers: Pointers, _ scalars: UnsafePointer<tarn_scalar>) throws {
    guard let loop else { return try body(pointers, scalars) }
    try check(tarn_loop_run(loop, pointers, scalars), "element-wise loop")
  }

  init(_ step: Program.Step) {
    switch step {
    case .loop(let source):
      let kernel = LoopKernel(source)
      loop = kernel?.plain
      body = kernel.map { kernel in { try kernel.run($0, $1) } } ?? Self.interpreted(source)
    case .reduction(let source, let kind, let axes):
      loop = nil
      body =
        LoopKernel(source, reducing: (kind, axes)).map { kernel in { try kernel.run($0, $1) } }
        ?? Self.tooManyAxes(source)
    case .kernel(let op, let operands, let output):
      loop = nil
      let kernel = Self.body(of: op, operands, output)
      let places = operands.map { (buffer: $0.buffer ?? 0, bytes: $0.offset * $0.dtype.byteCount) }
      let target = output.buffer ?? 0
      body = { pointers, _ in
        try kernel(places.map { pointers[$0.buffer]! + $0.bytes }, pointers[target]!)
      }
    }
  }

  /// The kernel of a preparation.
  static func body(_ op: Op, _ input: View, _ output: View) -> Body {
    body(of: op, [input], output)
  }

  private static func body(of op: Op, _ x: [View], _ y: View) -> Body {
    body(op, x, y) ?? reference(op, x, y)
  }

  /// The C kernel for a primitive on these operands, if there is one.
  private static func body(_ op: Op, _ x: [View], _ y: View) -> Body? {
    switch op {
    case .matmul(let transposeA, let transposeB): matmul(transposeA, transposeB, x, y)
    case .convolution(let pass, let geometry): convolution(pass, geometry, x, y)
    case .windowArgMax(let window), .windowSum(let window), .windowSpread(let window):
      pooling(op, window, x, y)
    case .take(let axis): take(axis, x, y)
    case .scatterAdd(let axis): scatterAdd(axis, x, y)
    case .argsort(let axis, let descending): argsort(axis, descending, x, y)
    case .argReduce(let kind, let axis): argReduce(kind, axis, x, y)
    case .cumulativeSum(let axis, let reverse): cumulativeSum(axis, reverse, x, y)
    case .random(let kind): random(kind, y)
    case .call(let call): CallKernels.body(call, x, y)
    case .cholesky, .triangularSolve, .solve, .determinant, .symmetricEigen, .svd, .qr:
      LinearAlgebraKernels.body(op, x, y)
    default: nil
    }
  }

  /// What the kernels have no code for is done as the rule says it.
  private static func reference(_ op: Op, _ x: [View], _ y: View) -> Body {
    { operands, output in
      let arrays = zip(operands, x).map { pointer, view in
        HostArray(
          shape: view.shape, dtype: view.dtype,
          bytes: UnsafeRawBufferPointer(
            start: pointer, count: view.shape.product * view.dtype.byteCount))
      }
      let result = try op.rule.reference(op, arrays, y.shape, y.dtype)
      result.write(
        to: UnsafeMutableRawBufferPointer(start: output, count: y.shape.product * y.dtype.byteCount)
      )
    }
  }

  private static func tooManyAxes(_ loop: Loop) -> (Pointers, UnsafePointer<tarn_scalar>) throws ->
    Void
  {
    { _, _ in
      throw Diagnostic(
        operation: "reduction", reason: "more than \(TARN_MAX_RANK) axes that cannot be merged",
        facts: ["shape \(loop.shape)"], hint: "reduce some axes first, or reshape")
    }
  }

  /// A loop over more axes than the kernels take: its first axis is walked here.
  private static func interpreted(_ loop: Loop) -> (Pointers, UnsafePointer<tarn_scalar>) throws ->
    Void
  {
    let slices = (0..<loop.shape[0]).map { index in
      var slice = loop
      func cut(_ view: View) -> View {
        var view = view
        view.offset += index * view.strides[0]
        view.shape.removeFirst()
        view.strides.removeFirst()
        return view
      }
      slice.shape.removeFirst()
      slice.inputs = loop.inputs.map { (cut($0.view), $0.register) }
      slice.outputs = loop.outputs.map { (cut($0.view), $0.register) }
      return KernelStep(.loop(slice))
    }
    return { pointers, scalars in for slice in slices { try slice.run(pointers, scalars) } }
  }
}

extension View {
  /// Lengths before, along and after one axis.
  func split(at axis: Int) -> (outer: Int64, length: Int64, inner: Int64) {
    (Int64(shape[..<axis].product), Int64(shape[axis]), Int64(shape[(axis + 1)...].product))
  }
}

extension KernelStep {
  private static func matmul(_ transposeA: Bool, _ transposeB: Bool, _ x: [View], _ y: View)
    -> Body?
  {
    guard y.dtype != .bool else { return nil }
    let (batch, m, n) = (Int64(y.shape[0]), Int64(y.shape[1]), Int64(y.shape[2]))
    let k = Int64(x[0].shape[transposeA ? 1 : 2])
    let (strideA, strideB) = (Int64(x[0].strides[0]), Int64(x[1].strides[0]))
    return { operands, output in
      try check(
        tarn_matmul(
          y.dtype.code, transposeA ? 1 : 0, transposeB ? 1 : 0, batch, m, n, k, operands[0],
          strideA, operands[1],
          strideB, output), "matmul")
    }
  }

  private static func convolution(
    _ pass: ConvolutionPass, _ geometry: Convolution, _ x: [View], _ y: View
  ) -> Body? {
    guard geometry.strides.count == 2, [.float32, .float64].contains(y.dtype) else { return nil }
    let (input, weight, result) =
      switch pass {
      case .forward: (x[0].shape, x[1].shape, y.shape)
      case .inputGradient: (y.shape, x[1].shape, x[0].shape)
      case .weightGradient: (x[0].shape, y.shape, x[1].shape)
      }
    var shape = tarn_conv()
    (shape.n, shape.c, shape.h, shape.w) = (
      Int64(input[0]), Int64(input[1]), Int64(input[2]), Int64(input[3])
    )
    (shape.o, shape.kh, shape.kw) = (Int64(weight[0]), Int64(weight[2]), Int64(weight[3]))
    (shape.oh, shape.ow) = (Int64(result[2]), Int64(result[3]))
    shape.stride = (Int64(geometry.strides[0]), Int64(geometry.strides[1]))
    shape.low = (Int64(geometry.low[0]), Int64(geometry.low[1]))
    shape.dilation = (Int64(geometry.dilations[0]), Int64(geometry.dilations[1]))
    shape.groups = Int64(geometry.groups)
    let code = y.dtype.code
    let layout = shape
    return { operands, output in
      let status = withUnsafePointer(to: layout) { layout in
        switch pass {
        case .forward: tarn_conv2d_forward(code, layout, operands[0], operands[1], output)
        case .inputGradient:
          tarn_conv2d_input_gradient(code, layout, operands[0], operands[1], output)
        case .weightGradient:
          tarn_conv2d_weight_gradient(code, layout, operands[0], operands[1], output)
        }
      }
      try check(status, "convolution")
    }
  }

  private static func pooling(_ op: Op, _ window: Window, _ x: [View], _ y: View) -> Body? {
    guard window.size.count == 2, [.float32, .float64].contains(x[0].dtype) else { return nil }
    let isSpread = if case .windowSpread = op { true } else { false }
    let layout = tarn_window(
      window, unpooled: isSpread ? y.shape : x[0].shape, pooled: isSpread ? x[0].shape : y.shape)
    let code = x[0].dtype.code
    return { operands, output in
      let status = withUnsafePointer(to: layout) { layout in
        switch op {
        case .windowArgMax:
          tarn_window_argmax(code, layout, operands[0], output.assumingMemoryBound(to: Int32.self))
        case .windowSum: tarn_window_sum(code, layout, operands[0], output)
        default: tarn_window_spread(code, layout, operands[0], output)
        }
      }
      try check(status, "pooling")
    }
  }

  private static func take(_ axis: Int, _ x: [View], _ y: View) -> Body? {
    guard [.int32, .int64].contains(x[1].dtype) else { return nil }
    let (outer, length, inner) = x[0].split(at: axis)
    let count = Int64(x[1].shape.product)
    let (size, code) = (Int64(y.dtype.byteCount), x[1].dtype.code)
    return { operands, output in
      var bad: Int64 = 0
      let status = tarn_take(
        size, outer, length, inner, operands[0], code, operands[1], count, output, &bad)
      try checkIndex(status, "take", bad, axis, length)
    }
  }

  private static func scatterAdd(_ axis: Int, _ x: [View], _ y: View) -> Body? {
    guard [.int32, .int64].contains(x[1].dtype) else { return nil }
    let (outer, length, inner) = y.split(at: axis)
    let count = Int64(x[1].shape.product)
    let (dtype, code) = (y.dtype.code, x[1].dtype.code)
    return { operands, output in
      var bad: Int64 = 0
      let status = tarn_scatter_add(
        dtype, outer, length, inner, operands[0], code, operands[1], count, output, &bad)
      try checkIndex(status, "scatterAdd", bad, axis, length)
    }
  }

  static func checkIndex(
    _ status: Int32, _ operation: String, _ bad: Int64, _ axis: Int, _ length: Int64
  ) throws {
    if UInt32(status) == TARN_BAD_INDEX.rawValue {
      throw Diagnostic(
        operation: operation,
        reason: "index \(bad) is out of range for axis \(axis) of length \(length)")
    }
    try check(status, operation)
  }

  private static func argsort(_ axis: Int, _ descending: Bool, _ x: [View], _ y: View) -> Body? {
    let (outer, length, inner) = x[0].split(at: axis)
    let code = x[0].dtype.code
    return { operands, output in
      try check(
        tarn_argsort(
          code, outer, length, inner, descending ? 1 : 0, operands[0],
          output.assumingMemoryBound(to: Int64.self)),
        "argsort")
    }
  }

  private static func argReduce(_ kind: ArgReduction, _ axis: Int, _ x: [View], _ y: View) -> Body?
  {
    let (outer, length, inner) = x[0].split(at: axis)
    guard length > 0 else { return nil }
    let code = x[0].dtype.code
    return { operands, output in
      try check(
        tarn_arg_reduce(
          code, outer, length, inner, kind == .maximum ? 1 : 0, operands[0],
          output.assumingMemoryBound(to: Int64.self)), "argMax")
    }
  }

  private static func cumulativeSum(_ axis: Int, _ reverse: Bool, _ x: [View], _ y: View) -> Body? {
    guard y.dtype != .bool else { return nil }
    let (outer, length, inner) = x[0].split(at: axis)
    let code = y.dtype.code
    return { operands, output in
      try check(
        tarn_cumsum(code, outer, length, inner, reverse ? 1 : 0, operands[0], output),
        "cumulativeSum")
    }
  }

  private static func random(_ kind: RandomKind, _ y: View) -> Body {
    let count = Int64(y.shape.product)
    let code = y.dtype.code
    return { operands, output in
      let key = operands[0].assumingMemoryBound(to: UInt64.self)
      let status =
        switch kind {
        case .uniform: tarn_random_uniform(code, key[0], key[1], count, output)
        case .bits:
          tarn_random_bits(key[0], key[1], count, output.assumingMemoryBound(to: Int64.self))
        }
      try check(status, "random")
    }
  }
}

extension tarn_window {
  init(_ window: Window, unpooled: [Int], pooled: [Int]) {
    self.init()
    planes = Int64(unpooled.dropLast(2).reduce(1, *))
    (h, w) = (Int64(unpooled[unpooled.count - 2]), Int64(unpooled[unpooled.count - 1]))
    (oh, ow) = (Int64(pooled[pooled.count - 2]), Int64(pooled[pooled.count - 1]))
    size = (Int64(window.size[0]), Int64(window.size[1]))
    stride = (Int64(window.strides[0]), Int64(window.strides[1]))
    low = (Int64(window.low[0]), Int64(window.low[1]))
    dilation = (Int64(window.dilations[0]), Int64(window.dilations[1]))
  }
}
