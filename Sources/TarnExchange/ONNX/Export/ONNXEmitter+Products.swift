import TarnCore
import TarnSchemas

/// Products and windows.
extension ONNXEmitter {
  /// One product is a Gemm, which takes its operands transposed; a batch of them a MatMul.
  func emitMatmul(_ node: Node, _ transposeA: Bool, _ transposeB: Bool) {
    let (a, b) = (value(node.inputs[0]), value(node.inputs[1]))
    if node.shape[0] == 1, twin(node).shape[0] == 1, node.dtype.isFloating,
      let left = matrix(node.inputs[0], a), let right = matrix(node.inputs[1], b)
    {
      let name = add(
        "Gemm", [left, right],
        [attribute("transA", transposeA ? 1 : 0), attribute("transB", transposeB ? 1 : 0)])
      values[ObjectIdentifier(node)] = Value(
        name: name, shape: Array(node.shape.dropFirst()),
        other: Array(twin(node).shape.dropFirst()))
      return
    }
    func operand(_ node: Node, _ isTransposed: Bool) -> String {
      let name = whole(node).name
      return isTransposed ? add("Transpose", [name], [attribute("perm", [0, 2, 1])]) : name
    }
    set(
      node,
      add("MatMul", [operand(node.inputs[0], transposeA), operand(node.inputs[1], transposeB)]))
  }

  /// A batch of one matrix as that matrix.
  private func matrix(_ node: Node, _ value: Value) -> String? {
    let (shape, other) = (Array(node.shape.dropFirst()), Array(twin(node).shape.dropFirst()))
    if value.shape == shape && value.other == other { return value.name }
    guard node.shape[0] == 1 else { return nil }
    return add("Reshape", [whole(node).name, shapeInput(shape, other, mayInfer: true)])
  }

  func emitConvolution(_ node: Node, _ pass: ConvolutionPass, _ spec: Convolution) throws {
    let (x, w) = (node.inputs[0], node.inputs[1])
    let kernel = Array(w.shape.dropFirst(2))
    var attributes = [
      attribute("strides", spec.strides), attribute("dilations", spec.dilations),
      attribute("group", spec.groups), attribute("pads", spec.low + spec.high),
    ]
    switch pass {
    case .forward:
      attributes.append(attribute("kernel_shape", kernel))
      set(node, add("Conv", [whole(x).name, whole(w).name], attributes))
    case .inputGradient:
      // What the whole result has too little is padding at its end.
      let extra = kernel.indices.map { axis in
        let whole =
          (x.shape[axis + 2] - 1) * spec.strides[axis] + spec.dilations[axis] * (kernel[axis] - 1)
          + 1
        return node.shape[axis + 2] - (whole - spec.low[axis] - spec.high[axis])
      }
      attributes += [attribute("kernel_shape", kernel), attribute("output_padding", extra)]
      set(node, add("ConvTranspose", [whole(x).name, whole(w).name], attributes))
    case .weightGradient: throw unsupported("the derivative of a convolution by its weight")
    }
  }

  /// The mean over each window, padding as 0, times its size.
  func emitWindowSum(_ node: Node, _ window: Window) throws {
    guard window.dilations.allSatisfy({ $0 == 1 }) || options.opset >= 19 else {
      throw unsupported(
        "means over windows with gaps before operator set 19",
        hint: "ONNXExportOptions(opset: 19)")
    }
    var attributes = [
      attribute("kernel_shape", window.size), attribute("strides", window.strides),
      attribute("count_include_pad", 1),
    ]
    if window.dilations.contains(where: { $0 > 1 }) {
      attributes.append(attribute("dilations", window.dilations))
    }
    var x = whole(node.inputs[0]).name
    // Engines refuse padding as wide as the window.
    if (window.low + window.high).contains(where: { $0 > 0 }) {
      let isWide = window.size.indices.contains {
        Swift.max(window.low[$0], window.high[$0]) >= window.size[$0]
      }
      if isWide {
        let rest = [Int](repeating: 0, count: node.shape.count - window.size.count)
        x = add("Pad", [x, integers(rest + window.low + rest + window.high)])
      } else {
        attributes.append(attribute("pads", window.low + window.high))
      }
    }
    let mean = add("AveragePool", [x], attributes)
    set(node, add("Mul", [mean, scalar(.real(Double(window.size.product)), node.dtype)]))
  }
}
