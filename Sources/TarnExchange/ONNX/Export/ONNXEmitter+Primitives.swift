import TarnCore
import TarnInterop
import TarnSchemas

/// Every primitive in ONNX's operators.
extension ONNXEmitter {
  func emit(_ node: Node) throws {
    if let name = names[ObjectIdentifier(node)] {
      set(node, initializer(name, Tensor(node)))
      return
    }
    if node.storage != nil {
      set(node, initializer(fresh("constant"), Tensor(node)))
      return
    }
    switch node.op {
    case .constant, .argument:
      throw ONNXExportError(reason: "the model reads a tensor that has no value yet")
    case .full(let value):
      values[ObjectIdentifier(node)] = Value(name: scalar(value, node.dtype), shape: [], other: [])
    case .iota(let axis): emitIota(node, axis)
    case .random:
      throw unsupported(
        "Tarn's random numbers", hint: "export in inference, where layers draw none")
    case .unary(let kind): try emitUnary(node, kind)
    case .binary(let kind): try emitBinary(node, kind)
    case .compare(let kind): emitCompare(node, kind)
    case .select: elementwise(node, "Where")
    case .cast:
      elementwise(node, "Cast", [attribute("to", Int(ONNXElement(node.dtype).rawValue))])
    case .reshape: emitReshape(node)
    case .permute(let axes): emitSimple(node, "Transpose", [attribute("perm", axes)])
    case .broadcast: values[ObjectIdentifier(node)] = aligned(node)
    case .slice(let strides): try emitSlice(node, strides)
    case .pad(let margins): try emitPad(node, margins)
    case .concatenate(let axis): emitSimple(node, "Concat", [attribute("axis", axis)])
    case .flip(let axes):
      let ends = axes.map { _ in -Int.max }
      set(
        node,
        add(
          "Slice",
          [
            whole(node.inputs[0]).name, integers(axes.map { _ in -1 }), integers(ends),
            integers(axes), integers(axes.map { _ in -1 }),
          ]))
    case .reduce(let kind, let axes): emitReduce(node, kind, axes)
    case .argReduce(let kind, let axis):
      emitSimple(
        node, kind == .maximum ? "ArgMax" : "ArgMin",
        [attribute("axis", axis), attribute("keepdims", 1)])
    case .cumulativeSum(let axis, let reverse):
      set(
        node,
        add(
          "CumSum", [whole(node.inputs[0]).name, scalar(.integer(Int64(axis)), .int64)],
          [attribute("reverse", reverse ? 1 : 0)]))
    case .argsort(let axis, let descending):
      let length = node.shape[axis]
      set(
        node,
        addMany(
          "TopK", [whole(node.inputs[0]).name, integers([length])],
          [attribute("axis", axis), attribute("largest", descending ? 1 : 0)], outputs: 2)[1])
    case .matmul(let a, let b): emitMatmul(node, a, b)
    case .convolution(let pass, let spec): try emitConvolution(node, pass, spec)
    case .windowSum(let window): try emitWindowSum(node, window)
    case .windowArgMax, .windowSpread: throw unsupported("derivatives of pooling")
    case .take(let axis):
      set(
        node,
        add(
          "Gather", [whole(node.inputs[0]).name, whole(node.inputs[1]).name],
          [attribute("axis", axis)]))
    case .scatterAdd(let axis): try emitScatter(node, axis)
    case .determinant: emitSimple(node, "Det", [])
    case .cholesky, .triangularSolve, .solve, .symmetricEigen, .svd, .qr:
      throw unsupported("decompositions of matrices")
    case .variable, .fence: values[ObjectIdentifier(node)] = value(node.inputs[0])
    case .call(let call): try emitCall(node, call)
    }
  }

  /// An operator of whole inputs.
  private func emitSimple(_ node: Node, _ type: String, _ attributes: [ONNXAttributeProto]) {
    set(node, add(type, node.inputs.map { whole($0).name }, attributes))
  }

  /// An operator that stretches its inputs itself.
  func elementwise(_ node: Node, _ type: String, _ attributes: [ONNXAttributeProto] = []) {
    let operands = node.inputs.map(value)
    let name = add(type, operands.map(\.name), attributes)
    values[ObjectIdentifier(node)] = stretched(operands, name)
  }

  /// The value of an operator on these operands.
  func stretched(_ operands: [Value], _ name: String) -> Value {
    let shape = operands.reduce([Int]()) { $0.broadcast(with: $1.shape) ?? $0 }
    let other = operands.reduce([Int]()) { $0.broadcast(with: $1.other) ?? $0 }
    return Value(name: name, shape: shape, other: other)
  }

  /// The value that a broadcast reads: it stretches by itself wherever that is possible.
  private func aligned(_ node: Node) -> Value { value(node.inputs[0]) }

  private func emitIota(_ node: Node, _ axis: Int) {
    let (length, other) = (node.shape[axis], twin(node).shape[axis])
    var shape = node.shape.map { _ in 1 }
    shape[axis] = length
    var otherShape = shape
    otherShape[axis] = other
    if length == other {
      let numbers = Tensor.iota(shape, axis: axis, dtype: node.dtype, device: .reference)
      values[ObjectIdentifier(node)] = Value(
        name: initializer(fresh("range"), numbers), shape: shape, other: shape)
      return
    }
    let count = add("Reshape", [shapeInput([length], [other], mayInfer: false), integers([])])
    let range = add(
      "Range", [scalar(.integer(0), .int64), count, scalar(.integer(1), .int64)])
    let typed = add("Cast", [range], [attribute("to", Int(ONNXElement(node.dtype).rawValue))])
    let name = add("Reshape", [typed, shapeInput(shape, otherShape, mayInfer: true)])
    values[ObjectIdentifier(node)] = Value(name: name, shape: shape, other: otherShape)
  }

  // MARK: Element by element

  private func emitUnary(_ node: Node, _ kind: Unary) throws {
    let x = value(node.inputs[0])
    let one = scalar(.real(1), node.dtype)
    let name: String
    switch kind {
    case .expm1: name = add("Sub", [add("Exp", [x.name]), one])
    case .log1p: name = add("Log", [add("Add", [x.name, one])])
    case .rsqrt: name = add("Reciprocal", [add("Sqrt", [x.name])])
    case .not: name = add(node.dtype == .bool ? "Not" : try bitwise("BitwiseNot"), [x.name])
    case .erfInverse: throw unsupported("the inverse of the error function")
    case .gelu where options.opset >= 20: name = add("Gelu", [x.name])
    case .gelu: name = add("Mul", [x.name, cumulative(x.name, node.dtype)])
    case .geluSlope:
      let square = add("Mul", [add("Mul", [x.name, x.name]), scalar(.real(-0.5), node.dtype)])
      let height = scalar(.real(0.3989422804014327), node.dtype)
      let density = add("Mul", [add("Exp", [square]), height])
      name = add("Add", [cumulative(x.name, node.dtype), add("Mul", [x.name, density])])
    default: name = add(Self.unaryNames[kind] ?? "Identity", [x.name])
    }
    values[ObjectIdentifier(node)] = Value(name: name, shape: x.shape, other: x.other)
  }

  /// Φ(x) = (1 + erf(x / √2)) / 2
  private func cumulative(_ x: String, _ dtype: DType) -> String {
    let erf = add("Erf", [add("Mul", [x, scalar(.real(0.5.squareRoot()), dtype)])])
    return add("Mul", [add("Add", [erf, scalar(.real(1), dtype)]), scalar(.real(0.5), dtype)])
  }

  private static let unaryNames: [Unary: String] = [
    .negate: "Neg", .absolute: "Abs", .sign: "Sign", .exp: "Exp", .log: "Log", .sqrt: "Sqrt",
    .reciprocal: "Reciprocal", .sin: "Sin", .cos: "Cos", .tan: "Tan", .asin: "Asin",
    .acos: "Acos", .atan: "Atan", .tanh: "Tanh", .erf: "Erf", .sigmoid: "Sigmoid", .relu: "Relu",
    .floor: "Floor", .ceil: "Ceil", .round: "Round",
  ]

  private func bitwise(_ name: String) throws -> String {
    if options.opset >= 18 { return name }
    throw unsupported("\(name) before operator set 18", hint: "ONNXExportOptions(opset: 18)")
  }

  private func emitBinary(_ node: Node, _ kind: Binary) throws {
    if fused(node, kind) { return }
    let operands = node.inputs.map(value)
    let (a, b) = (operands[0].name, operands[1].name)
    let name: String
    switch kind {
    case .add: name = add("Add", [a, b])
    case .subtract: name = add("Sub", [a, b])
    case .multiply: name = add("Mul", [a, b])
    case .divide: name = add("Div", [a, b])
    case .power: name = add("Pow", [a, b])
    case .maximum: name = node.dtype == .bool ? add("Or", [a, b]) : add("Max", [a, b])
    case .minimum: name = node.dtype == .bool ? add("And", [a, b]) : add("Min", [a, b])
    case .and: name = add(node.dtype == .bool ? "And" : try bitwise("BitwiseAnd"), [a, b])
    case .or: name = add(node.dtype == .bool ? "Or" : try bitwise("BitwiseOr"), [a, b])
    case .xor: name = add(node.dtype == .bool ? "Xor" : try bitwise("BitwiseXor"), [a, b])
    case .remainder where !node.dtype.isFloating: name = add("Mod", [a, b])
    case .remainder:
      let quotient = add("Floor", [add("Div", [a, b])])
      name = add("Sub", [a, add("Mul", [quotient, b])])
    case .floorDivide where node.dtype.isFloating: name = add("Floor", [add("Div", [a, b])])
    case .floorDivide:
      // (a − a mod b) / b: what is left over is gone, so the division is exact.
      name = add("Div", [add("Sub", [a, add("Mod", [a, b])]), b])
    case .atan2: throw unsupported("the angle of two coordinates (atan2)")
    }
    values[ObjectIdentifier(node)] = stretched(operands, name)
  }

  private func emitCompare(_ node: Node, _ kind: Comparison) {
    let operands = node.inputs.map(value)
    let inputs = operands.map(\.name)
    let name: String
    switch kind {
    case .equal: name = add("Equal", inputs)
    case .notEqual: name = add("Not", [add("Equal", inputs)])
    case .less: name = add("Less", inputs)
    case .lessEqual: name = add("LessOrEqual", inputs)
    }
    values[ObjectIdentifier(node)] = stretched(operands, name)
  }

  // MARK: Movement

  private func emitReshape(_ node: Node) {
    let source = node.inputs[0]
    let value = value(source)
    let (shape, other) = (node.shape, twin(node).shape)
    let lead = shape.count - value.shape.count
    let isFull = value.shape.product == shape.product && value.other.product == other.product
    // Axes of length 1 in front come by themselves.
    if isFull, lead >= 0, shape == [Int](repeating: 1, count: lead) + value.shape,
      other == [Int](repeating: 1, count: lead) + value.other
    {
      values[ObjectIdentifier(node)] = value
      return
    }
    let input = isFull ? value : whole(source)
    set(node, add("Reshape", [input.name, shapeInput(shape, other, mayInfer: true)]))
  }

  private func emitSlice(_ node: Node, _ strides: [Stride]) throws {
    let source = node.inputs[0]
    guard case .slice(let others) = twin(node).op else { return }
    let (shape, other) = (source.shape, twin(source).shape)
    let axes = strides.indices.filter { strides[$0] != Stride(0, shape[$0]) }
    let ends = try axes.map { axis -> Int in
      guard strides[axis].start == others[axis].start else { throw batchCut }
      if strides[axis].stop == others[axis].stop { return strides[axis].stop }
      guard strides[axis].stop == shape[axis], others[axis].stop == other[axis] else {
        throw batchCut
      }
      return Int.max
    }
    if axes.isEmpty {
      values[ObjectIdentifier(node)] = value(source)
      return
    }
    set(
      node,
      add(
        "Slice",
        [
          whole(source).name, integers(axes.map { strides[$0].start }), integers(ends),
          integers(axes), integers(axes.map { strides[$0].step }),
        ]))
  }

  private var batchCut: ONNXExportError {
    ONNXExportError(
      reason: "the model cuts the batch at a place that depends on its length",
      hint: "export for one batch size: ONNXExportOptions(dynamicBatch: false)")
  }

  private func emitPad(_ node: Node, _ margins: [Margin]) throws {
    guard case .pad(let others) = twin(node).op, margins == others else { throw batchCut }
    let source = node.inputs[0]
    var name = whole(source).name
    var (shape, other) = (source.shape, twin(source).shape)
    for (axis, margin) in margins.enumerated() where margin.interior > 0 && shape[axis] > 0 {
      // Each element is followed by zeros, those after the last are cut off.
      let apart = add("Unsqueeze", [name, integers([axis + 1])])
      var pads = [Int](repeating: 0, count: 2 * (shape.count + 1))
      pads[shape.count + 1 + axis + 1] = margin.interior
      let wide = add("Pad", [apart, integers(pads)])
      let count = shape[axis] * (margin.interior + 1)
      (shape[axis], other[axis]) = (count, other[axis] * (margin.interior + 1))
      let flat = add("Reshape", [wide, shapeInput(shape, other, mayInfer: true)])
      (shape[axis], other[axis]) = (count - margin.interior, other[axis] - margin.interior)
      name = add(
        "Slice", [flat, integers([0]), integers([-margin.interior]), integers([axis])])
    }
    let pads = margins.map(\.low) + margins.map(\.high)
    set(node, pads.allSatisfy { $0 == 0 } ? name : add("Pad", [name, integers(pads)]))
  }

  /// Zeros with rows added: the axis goes to the front, where ScatterND wants it.
  private func emitScatter(_ node: Node, _ axis: Int) throws {
    let (updates, indices) = (node.inputs[0], node.inputs[1])
    let (n, rank) = (node.shape[axis], indices.shape.count)
    guard node.dtype.isFloating || options.opset >= 18 else {
      throw unsupported("sums of whole numbers at places", hint: "ONNXExportOptions(opset: 18)")
    }
    let front = Array(axis..<axis + rank)
    let rest = updates.shape.indices.filter { !front.contains($0) }
    let moved = add("Transpose", [whole(updates).name], [attribute("perm", front + rest)])
    let place = whole(indices)
    let places = add(
      "Unsqueeze", [add("Cast", [place.name], [attribute("to", 7)]), integers([rank])])
    // A negative index counts from the end.
    let size = integers([n])
    let kept = add(
      "Where",
      [add("Less", [places, scalar(.integer(0), .int64)]), add("Add", [places, size]), places])
    let shape = [n] + rest.map { updates.shape[$0] }
    let other = [twin(node).shape[axis]] + rest.map { twin(updates).shape[$0] }
    let zeros = add(
      "Expand",
      [
        scalar(.integer(0).canonical(node.dtype), node.dtype),
        shapeInput(shape, other, mayInfer: false),
      ])
    let sums = add("ScatterND", [zeros, kept, moved], [attribute("reduction", "add")])
    let back = Array(1..<axis + 1) + [0] + Array(axis + 1..<node.shape.count)
    set(node, add("Transpose", [sums], [attribute("perm", back)]))
  }

  // MARK: Reductions

  private func emitReduce(_ node: Node, _ kind: Reduction, _ axes: [Int]) {
    let x = whole(node.inputs[0]).name
    let keep = attribute("keepdims", 1)
    switch kind {
    case .sum: set(node, add("ReduceSum", [x, integers(axes)], [keep]))
    case .product: set(node, reduced("ReduceProd", x, axes))
    case .maximum: set(node, reduced("ReduceMax", x, axes))
    case .minimum: set(node, reduced("ReduceMin", x, axes))
    }
  }

  /// From operator set 18 on the axes are an input.
  func reduced(_ type: String, _ x: String, _ axes: [Int]) -> String {
    let keep = attribute("keepdims", 1)
    return options.opset >= 18
      ? add(type, [x, integers(axes)], [keep]) : add(type, [x], [attribute("axes", axes), keep])
  }
}
