import TarnCore
import TarnSchemas

/// Named computations that ONNX has operators for; of others the primitives are taken.
extension ONNXEmitter {
  func emitCall(_ node: Node, _ call: Call) throws {
    let arguments = Array(node.inputs.dropFirst())
    switch call.name {
    case "softmax", "logSoftmax":
      let axis = call.attributes.first.map { Int($0.int64) } ?? -1
      set(
        node,
        add(
          call.name == "softmax" ? "Softmax" : "LogSoftmax", [whole(arguments[0]).name],
          [attribute("axis", axis)]))
    case "hardTanh":
      let bounds = call.attributes.map { scalar($0, node.dtype) }
      set(node, add("Clip", [whole(arguments[0]).name] + bounds))
    case "layerNorm": emitLayerNorm(node, call, arguments)
    case "maxPool": emitMaxPool(node, call, arguments[0])
    case "recurrentResult":
      try emitRecurrence(node, Recurrence(attributes: call.attributes), arguments)
    default:
      values[ObjectIdentifier(node)] = value(
        traces[0].expansions[ObjectIdentifier(node)] ?? node.inputs[0])
    }
  }

  private func emitLayerNorm(_ node: Node, _ call: Call, _ arguments: [Node]) {
    let count = Int(call.attributes[0].int64), hasWeight = call.attributes[2].int64 != 0
    let lengths = Array(node.shape.suffix(count))
    let rest = arguments.dropFirst().map { whole($0).name }
    let ones =
      hasWeight
      ? []
      : [
        initializer(
          fresh("ones"), Tensor.full(lengths, .integer(1), dtype: node.dtype, device: .reference))
      ]
    set(
      node,
      add(
        "LayerNormalization", [whole(arguments[0]).name] + ones + rest,
        [attribute("axis", -count), attribute("epsilon", call.attributes[1].double)]))
  }

  private func emitMaxPool(_ node: Node, _ call: Call, _ x: Node) {
    let numbers = call.attributes.map { Int($0.int64) }
    let rank = numbers[0]
    func part(_ i: Int) -> [Int] { Array(numbers[1 + i * rank..<1 + (i + 1) * rank]) }
    set(
      node,
      add(
        "MaxPool", [whole(x).name],
        [
          attribute("kernel_shape", part(0)), attribute("strides", part(1)),
          attribute("pads", part(2) + part(3)), attribute("dilations", part(4)),
        ]))
  }

  // MARK: Recurrent layers

  /// The states after each step, one after another, with the first state at the end they begin from; of an LSTM the last
  /// cell too.
  private func emitRecurrence(_ node: Node, _ recurrence: Recurrence, _ arguments: [Node]) throws {
    let places = Recurrence.Places(recurrence)
    let hidden = recurrence.hidden
    let (inputs, weights) = input(arguments[places.inputs], recurrence)
    let state = recurrent(ordered(whole(arguments[places.weights]).name, recurrence, axis: 0))
    let bias = biases(arguments, places, recurrence)
    let start = whole(arguments[places.hidden]).name
    let first = add("Unsqueeze", [start, integers([0])])
    let cell = places.cell.map { add("Unsqueeze", [whole(arguments[$0]).name, integers([0])]) }
    let lengths = places.lengths.map {
      add("Cast", [whole(arguments[$0]).name], [attribute("to", 6)])
    }
    var attributes = [
      attribute("hidden_size", hidden),
      attribute("direction", recurrence.isReversed ? "reverse" : "forward"),
    ]
    var type = "RNN"
    switch recurrence.kind {
    case .lstm: type = "LSTM"
    case .gru, .gruResetBefore:
      type = "GRU"
      attributes.append(attribute("linear_before_reset", recurrence.kind == .gru ? 1 : 0))
    case .tanh: attributes.append(attribute("activations", ["Tanh"]))
    case .relu: attributes.append(attribute("activations", ["Relu"]))
    }
    let results = addMany(
      type, [inputs, weights, state, bias, lengths ?? "", first] + (cell.map { [$0] } ?? []),
      attributes, outputs: cell == nil ? 2 : 3)
    guard lengths == nil else {
      throw ONNXExportError(
        reason: "sequences of different lengths in one batch keep other states in ONNX",
        hint: "export the layer without lengths")
    }
    let planes = add("Squeeze", [results[0], integers([1])])
    let parts =
      (recurrence.isReversed ? [planes, first] : [first, planes])
      + (cell == nil ? [] : [results[2]])
    set(node, add("Concat", parts, [attribute("axis", 0)]))
  }

  private func recurrent(_ weight: String) -> String { add("Unsqueeze", [weight, integers([0])]) }

  /// The layer's input and its weight: recorded is their product, which is looked through.
  private func input(_ node: Node, _ recurrence: Recurrence) -> (x: String, weight: String) {
    let rows = recurrence.kind.gates * recurrence.hidden
    if case .reshape = node.op, node.storage == nil, let product = node.input0,
      case .matmul(false, true) = product.op, product.shape[0] == 1, let a = product.input0,
      let b = product.input1, case .reshape = a.op, let x = a.input0, x.shape.count == 3,
      case .reshape = b.op, let weight = b.input0, weight.shape == [rows, x.shape[2]]
    {
      return (whole(x).name, recurrent(ordered(whole(weight).name, recurrence, axis: 0)))
    }
    let identity = Device.with(.reference) { Tensor.eye(rows, dtype: node.dtype) }
    let name = initializer(fresh("identity"), identity)
    return (whole(node).name, recurrent(ordered(name, recurrence, axis: 0)))
  }

  /// Gates in ONNX's order: input, output, forget, cell; update, reset, new.
  private func ordered(_ weight: String, _ recurrence: Recurrence, axis: Int) -> String {
    let order: [Int]
    switch recurrence.kind {
    case .lstm: order = [0, 3, 1, 2]
    case .gru, .gruResetBefore: order = [1, 0, 2]
    case .tanh, .relu: return weight
    }
    let h = recurrence.hidden
    let parts = order.map {
      add("Slice", [weight, integers([$0 * h]), integers([($0 + 1) * h]), integers([axis])])
    }
    return add("Concat", parts, [attribute("axis", axis)])
  }

  /// [1, 2 · gates · hidden]: those of the input, which here have all, then those of the state.
  private func biases(
    _ arguments: [Node], _ places: Recurrence.Places, _ recurrence: Recurrence
  ) -> String {
    let rows = recurrence.kind.gates * recurrence.hidden
    let dtype = arguments[places.bias].dtype
    let input = ordered(whole(arguments[places.bias]).name, recurrence, axis: 0)
    func zeros(_ count: Int) -> String {
      initializer(
        fresh("zeros"), Tensor.full([count], .integer(0), dtype: dtype, device: .reference))
    }
    let state: [String]
    if let place = places.newBias {
      state = [zeros(2 * recurrence.hidden), whole(arguments[place]).name]
    } else {
      state = [zeros(rows)]
    }
    return recurrent(add("Concat", [input] + state, [attribute("axis", 0)]))
  }
}
