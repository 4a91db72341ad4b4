import Foundation
import TarnCore
import TarnInterop
import TarnSchemas

/// Translates recorded nodes into those of an ONNX graph.
final class ONNXEmitter {
  /// A value of the ONNX graph. It may be smaller than the node it stands for and stretch to its shape: operators that go
  /// element by element stretch by themselves.
  struct Value {
    var name: String
    var shape: [Int]
    /// The shape in the trace with another batch.
    var other: [Int]
  }

  let traces: [ONNXTrace]
  let names: [ObjectIdentifier: String]
  let options: ONNXExportOptions
  var nodes: [ONNXNodeProto] = []
  var initializers: [ONNXTensorProto] = []
  var values: [ObjectIdentifier: Value] = [:]
  private var used: Set<String> = []
  private var scalars: [String: String] = [:]
  private var batchName: String?
  /// The node of the other trace for each of this one.
  private var twins: [ObjectIdentifier: Node] = [:]

  init(_ traces: [ONNXTrace], names: [ObjectIdentifier: String], options: ONNXExportOptions) throws
  {
    (self.traces, self.names, self.options) = (traces, names, options)
    used = Set(names.values).union(traces[0].inputs.map(\.name))
      .union(traces[0].outputs.map(\.key))
    guard traces.count > 1 else { return }
    let (a, b) = (traces[0].order, traces[1].order)
    guard a.count == b.count, zip(a, b).allSatisfy({ Self.isAlike($0, $1) }) else {
      throw ONNXExportError(
        reason: "what the model computes depends on how many examples it is given",
        hint: "export for one batch size: ONNXExportOptions(dynamicBatch: false)")
    }
    for (node, twin) in zip(a, b) { twins[ObjectIdentifier(node)] = twin }
  }

  private static func isAlike(_ a: Node, _ b: Node) -> Bool {
    a.shape.count == b.shape.count && a.dtype == b.dtype
      && String(describing: a.op).prefix { $0 != "(" }
        == String(describing: b.op).prefix { $0 != "(" }
  }

  func twin(_ node: Node) -> Node { twins[ObjectIdentifier(node)] ?? node }

  // MARK: The model

  func model() throws -> ONNXModelProto {
    for input in traces[0].inputs {
      let node = input.tensor.node
      values[ObjectIdentifier(node)] = Value(
        name: input.name, shape: node.shape, other: twin(node).shape)
    }
    for node in traces[0].order where values[ObjectIdentifier(node)] == nil {
      try emit(node)
    }
    var graph = ONNXGraphProto()
    graph.name = options.name
    for (i, input) in traces[0].inputs.enumerated() {
      graph.input.append(port(input.name, input.tensor, traces.last?.inputs[i].tensor))
    }
    for (i, output) in traces[0].outputs.enumerated() {
      let value = whole(output.value.node)
      add("Identity", [value.name], as: output.key)
      graph.output.append(port(output.key, output.value, traces.last?.outputs[i].value))
    }
    (graph.node, graph.initializer) = living(graph.output.map(\.name))
    var model = ONNXModelProto()
    (model.irVersion, model.producerName) = (options.opset > 18 ? 9 : 8, "Tarn")
    model.graph = graph
    var opset = ONNXOperatorSetIdProto()
    (opset.domain, opset.version) = ("", Int64(options.opset))
    model.opsetImport = [opset]
    return model
  }

  private func port(_ name: String, _ a: Tensor, _ b: Tensor?) -> ONNXValueInfoProto {
    var port = ONNXValueInfoProto()
    port.name = name
    port.type.tensorType.elemType = ONNXElement(a.dtype).rawValue
    port.type.tensorType.shape.dim = zip(a.shape, b?.shape ?? a.shape).map { x, y in
      var dimension = ONNXTensorShapeProto.Dimension()
      if x == y { dimension.dimValue = Int64(x) } else { dimension.dimParam = "batch" }
      return dimension
    }
    return port
  }

  /// Nodes and initializers that the outputs need.
  private func living(_ outputs: [String]) -> ([ONNXNodeProto], [ONNXTensorProto]) {
    var wanted = Set(outputs)
    var living: [ONNXNodeProto] = []
    for node in nodes.reversed() where node.output.contains(where: wanted.contains) {
      wanted.formUnion(node.input)
      living.append(node)
    }
    return (living.reversed(), initializers.filter { wanted.contains($0.name) })
  }

  // MARK: Nodes

  /// A name that nothing has yet.
  func fresh(_ kind: String) -> String {
    var number = used.count
    while !used.insert("\(kind.lowercased())_\(number)").inserted { number += 1 }
    return "\(kind.lowercased())_\(number)"
  }

  /// Adds a node and gives its output's name.
  @discardableResult
  func add(
    _ type: String, _ inputs: [String], _ attributes: [ONNXAttributeProto] = [],
    as name: String? = nil, outputs count: Int = 1
  ) -> String {
    addMany(type, inputs, attributes, as: name, outputs: count)[0]
  }

  func addMany(
    _ type: String, _ inputs: [String], _ attributes: [ONNXAttributeProto] = [],
    as name: String? = nil, outputs count: Int
  ) -> [String] {
    let first = name ?? fresh(type)
    var node = ONNXNodeProto()
    node.opType = type
    node.name = "\(type)_\(nodes.count)"
    node.input = inputs
    node.output = [first] + (1..<Swift.max(1, count)).map { _ in fresh(type) }
    node.attribute = attributes
    nodes.append(node)
    return node.output
  }

  func set(_ node: Node, _ name: String) {
    values[ObjectIdentifier(node)] = Value(name: name, shape: node.shape, other: twin(node).shape)
  }

  /// The value of a node that was emitted.
  func value(_ node: Node) -> Value {
    values[ObjectIdentifier(node)]
      ?? Value(name: "", shape: node.shape, other: twin(node).shape)
  }

  /// The value in the node's own shape.
  func whole(_ node: Node) -> Value {
    let value = value(node)
    let (shape, other) = (node.shape, twin(node).shape)
    if value.shape == shape { return value }
    let name: String
    if value.shape.product == shape.product && value.shape.count < shape.count {
      name = add("Reshape", [value.name, shapeInput(shape, other, mayInfer: true)])
    } else {
      // Axes that do not stretch keep their lengths, so the batch need not be known for them.
      let lead = [Int](repeating: 1, count: shape.count - value.shape.count)
      let inner = lead + value.shape, innerOther = lead + value.other
      let target = shape.indices.map {
        inner[$0] == shape[$0] && innerOther[$0] == other[$0] ? 1 : shape[$0]
      }
      let targetOther = shape.indices.map {
        inner[$0] == shape[$0] && innerOther[$0] == other[$0] ? 1 : other[$0]
      }
      name = add("Expand", [value.name, shapeInput(target, targetOther, mayInfer: false)])
    }
    return Value(name: name, shape: shape, other: other)
  }

  // MARK: Constants

  func initializer(_ name: String, _ tensor: Tensor) -> String {
    var proto = ONNXTensorProto()
    proto.name = name
    proto.dims = tensor.shape.map { Int64($0) }
    proto.dataType = ONNXElement(tensor.dtype).rawValue
    proto.rawData = Data(tensor.bytes())
    initializers.append(proto)
    return name
  }

  /// A list of whole numbers, each list once.
  func integers(_ values: [Int]) -> String {
    let key = "integers \(values)"
    if let name = scalars[key] { return name }
    let name = initializer(fresh("shape"), Device.with(.reference) { Tensor(values) })
    scalars[key] = name
    return name
  }

  /// A number of a type, each once.
  func scalar(_ value: Scalar, _ dtype: DType) -> String {
    let key = "\(value) \(dtype)"
    if let name = scalars[key] { return name }
    let tensor = Tensor.full([], value, dtype: dtype, device: .reference)
    let name = initializer(fresh("number"), tensor)
    scalars[key] = name
    return name
  }

  /// A shape as an input; lengths that the batch is in are computed from that of the first input.
  func shapeInput(_ a: [Int], _ b: [Int], mayInfer: Bool) -> String {
    let odd = a.indices.filter { a[$0] != b[$0] }
    if odd.isEmpty { return integers(a) }
    if mayInfer && odd.count == 1 && !a.contains(0) {
      return integers(a.indices.map { $0 == odd[0] ? -1 : a[$0] })
    }
    let parts = a.indices.map { i -> String in
      if a[i] == b[i] { return integers([a[i]]) }
      let batch = batchLength()
      let factor = a[i] / Swift.max(1, traces[0].inputs[0].tensor.shape[0])
      return factor == 1 ? batch : add("Mul", [batch, integers([factor])])
    }
    return add("Concat", parts, [attribute("axis", 0)])
  }

  /// How many examples there are, [1].
  private func batchLength() -> String {
    if let batchName { return batchName }
    let lengths = add("Shape", [traces[0].inputs[0].name])
    let name = add("Slice", [lengths, integers([0]), integers([1])])
    batchName = name
    return name
  }

  // MARK: Attributes

  func attribute(_ name: String, _ value: Int) -> ONNXAttributeProto {
    var attribute = ONNXAttributeProto()
    (attribute.name, attribute.type, attribute.i) = (name, 2, Int64(value))
    return attribute
  }

  func attribute(_ name: String, _ values: [Int]) -> ONNXAttributeProto {
    var attribute = ONNXAttributeProto()
    (attribute.name, attribute.type, attribute.ints) = (name, 7, values.map { Int64($0) })
    return attribute
  }

  func attribute(_ name: String, _ value: Double) -> ONNXAttributeProto {
    var attribute = ONNXAttributeProto()
    (attribute.name, attribute.type, attribute.f) = (name, 1, Float(value))
    return attribute
  }

  func attribute(_ name: String, _ value: String) -> ONNXAttributeProto {
    var attribute = ONNXAttributeProto()
    (attribute.name, attribute.type, attribute.s) = (name, 3, Data(value.utf8))
    return attribute
  }

  func attribute(_ name: String, _ values: [String]) -> ONNXAttributeProto {
    var attribute = ONNXAttributeProto()
    (attribute.name, attribute.type) = (name, 8)
    attribute.strings = values.map { Data($0.utf8) }
    return attribute
  }

  func unsupported(_ what: String, hint: String? = nil) -> ONNXExportError {
    ONNXExportError(reason: "ONNX has no operator for \(what)", hint: hint)
  }
}
