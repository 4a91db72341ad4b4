import Foundation
import TarnCore
import TarnData
import TarnInterop
import TarnSchemas

/// Makes a checked ``ONNXGraph`` of a message.
///
/// Everything is bounded: graphs in graphs and functions in functions to ``deepest``, all nodes together to ``most``.
struct ONNXGraphReader {
  static let deepest = 24
  static let most = 200_000

  let file: String
  let tensors: ONNXTensorReader
  /// Versions of the operator sets by domain.
  var opsets: [String: Int]
  let functions: [String: ONNXFunctionProto]
  let limit: Int
  let count = Lock(0)
  let unsupported = Lock<[ONNXModel.UnsupportedOperator]>([])

  init(_ model: ONNXModelProto, file: String, folder: URL?, limit: Int) throws(DataError) {
    (self.file, self.limit) = (file, limit)
    tensors = ONNXTensorReader(file: file, folder: folder)
    opsets = try Self.opsets(model.opsetImport, file)
    var functions: [String: ONNXFunctionProto] = [:]
    for function in model.functions {
      let key = Self.key(function.domain, function.name, function.overload)
      guard functions.updateValue(function, forKey: key) == nil else {
        throw DataError(
          .invalid, file: file, reason: "there are two functions '\(function.name)'")
      }
    }
    self.functions = functions
  }

  private static func opsets(
    _ imports: [ONNXOperatorSetIdProto], _ file: String
  ) throws(DataError) -> [String: Int] {
    var opsets: [String: Int] = [:]
    for entry in imports {
      guard (1...1000).contains(entry.version) else {
        throw DataError(
          .invalid, file: file, reason: "there is no operator set version \(entry.version)")
      }
      opsets[entry.domain == "ai.onnx" ? "" : entry.domain] = Int(entry.version)
    }
    return opsets
  }

  private static func key(_ domain: String, _ name: String, _ overload: String) -> String {
    "\(domain == "ai.onnx" ? "" : domain)\u{1f}\(name)\u{1f}\(overload)"
  }

  func error(_ reason: String, _ kind: DataError.Kind = .invalid, hint: String? = nil) -> DataError
  {
    DataError(kind, file: file, reason: reason, hint: hint)
  }

  // MARK: Graphs

  /// A graph inside of others: all that it is given with is constant.
  private func inner(
    _ proto: ONNXGraphProto, depth: Int, outer: Set<String>,
    attributes: [String: ONNXAttributeProto]
  ) throws -> ONNXGraph {
    var constants: [String: ONNXValue] = [:]
    for tensor in proto.initializer {
      guard isRead(tensor) else {
        constants[tensor.name] = .optional(nil)
        continue
      }
      constants[tensor.name] = .fixed(try fixed(tensor))
    }
    for sparse in proto.sparseInitializer {
      constants[sparse.values.name] = .fixed(
        ONNXFixed(try tensors.tensor(sparse, limit: limit)))
    }
    return try graph(
      proto, constants: constants, parameters: [], depth: depth, outer: outer,
      attributes: attributes)
  }

  /// A tensor of the file; small ones where folding wants them.
  func fixed(_ proto: ONNXTensorProto) throws(DataError) -> ONNXFixed {
    fixed(try tensors.tensor(proto), try tensors.element(proto))
  }

  func fixed(_ tensor: Tensor, _ element: ONNXElement?) -> ONNXFixed {
    tensor.count <= ONNXRun.foldingLimit
      ? ONNXFixed(copying: tensor, element) : ONNXFixed(tensor, element)
  }

  /// The graph of a message whose initializers have been read: `constants` with values, `parameters` without.
  func graph(
    _ proto: ONNXGraphProto, constants: [String: ONNXValue], parameters: Set<String>,
    depth: Int = 0, outer: Set<String> = [], attributes: [String: ONNXAttributeProto] = [:]
  ) throws -> ONNXGraph {
    guard depth <= Self.deepest else {
      throw error("graphs are nested more than \(Self.deepest) deep")
    }
    let given = Set(constants.keys).union(parameters)
    var inputs: [ONNXGraph.Port] = []
    for port in proto.input where depth > 0 || !given.contains(port.name) {
      inputs.append(try self.port(port))
    }
    guard Set(inputs.map(\.name)).count == inputs.count else {
      throw error("two inputs of a graph have the same name")
    }
    let outputs = try proto.output.map(port)
    let known = given.union(inputs.map(\.name))
    let nodes = try nodes(
      proto.node, known: known, outer: outer, depth: depth, attributes: attributes)
    return try finished(
      nodes, inputs: inputs, outputs: outputs, constants: constants, known: known, outer: outer)
  }

  /// The body of a function with the attributes of one use of it.
  private func graph(
    of function: ONNXFunctionProto, _ attributes: [String: ONNXAttributeProto], depth: Int
  ) throws -> ONNXGraph {
    guard depth <= Self.deepest else {
      throw error("the function '\(function.name)' uses itself, or functions nest too deep")
    }
    var reader = self
    let own = try Self.opsets(function.opsetImport, file)
    reader.opsets.merge(own) { $1 }
    var known: [String: ONNXAttributeProto] = [:]
    for attribute in function.attributeProto { known[attribute.name] = attribute }
    known.merge(attributes) { $1 }
    let inputs = function.input.map { ONNXGraph.Port(name: $0) }
    let names = Set(function.input)
    let nodes = try reader.nodes(
      function.node, known: names, outer: [], depth: depth, attributes: known)
    return try finished(
      nodes, inputs: inputs, outputs: function.output.map { ONNXGraph.Port(name: $0) },
      constants: [:], known: names, outer: [])
  }

  private func port(_ info: ONNXValueInfoProto) throws -> ONNXGraph.Port {
    var port = ONNXGraph.Port(name: info.name)
    if info.type.hasSequenceType { port.kind = .sequence }
    if info.type.hasOptionalType { port.kind = .optional }
    guard info.type.hasTensorType else { return port }
    let type = info.type.tensorType
    port.element = ONNXElement(rawValue: type.elemType)
    if type.hasShape {
      port.shape = type.shape.dim.map {
        $0.hasDimValue && $0.dimValue >= 0 && $0.dimValue < 1 << 40 ? Int($0.dimValue) : nil
      }
    }
    return port
  }

  // MARK: Nodes

  private func nodes(
    _ protos: [ONNXNodeProto], known: Set<String>, outer: Set<String>, depth: Int,
    attributes: [String: ONNXAttributeProto]
  ) throws -> [ONNXNode] {
    let total = count.withLock { total in
      total += protos.count
      return total
    }
    guard total <= Self.most else { throw error("there are more than \(Self.most) nodes") }
    var made = known
    for proto in protos {
      for output in proto.output where !output.isEmpty {
        guard made.insert(output).inserted else {
          throw error("two things give the value '\(output)'")
        }
      }
    }
    let visible = outer.union(made)
    let nodes = try protos.map {
      try node($0, visible: visible, depth: depth, attributes: attributes)
    }
    return try sorted(nodes, made: made, outer: outer)
  }

  private func node(
    _ proto: ONNXNodeProto, visible: Set<String>, depth: Int,
    attributes: [String: ONNXAttributeProto]
  ) throws -> ONNXNode {
    let domain = proto.domain == "ai.onnx" ? "" : proto.domain
    let opset = opsets[domain] ?? (domain.isEmpty ? 1 : 0)
    var filled: [String: ONNXAttributeProto] = [:]
    for attribute in proto.attribute {
      if attribute.refAttrName.isEmpty {
        filled[attribute.name] = attribute
      } else if var outer = attributes[attribute.refAttrName] {
        outer.name = attribute.name
        filled[attribute.name] = outer
      }
    }
    let function = functions[Self.key(domain, proto.opType, proto.overload)]
    var kind = ONNXNode.Kind.unknown
    var read: [String: ONNXNode.Attribute] = [:]
    if let function {
      kind = .function(try graph(of: function, filled, depth: depth + 1))
    } else {
      if let entry = ONNXOperators.named(proto.opType, domain: domain, opset: opset) {
        kind = .table(entry)
      }
      for (name, attribute) in filled {
        read[name] = try self.attribute(
          attribute, proto, visible: visible, depth: depth, attributes: attributes)
      }
    }
    let node = ONNXNode(
      name: proto.name, type: proto.opType, domain: domain, opset: opset, inputs: proto.input,
      outputs: proto.output, attributes: read, kind: kind)
    if let reason = refusal(of: node) { note(node, reason) }
    return node
  }

  /// Why a node cannot be run, or nil.
  private func refusal(of node: ONNXNode) -> String? {
    if case .unknown = node.kind {
      return ONNXOperators.refusals[node.type] ?? "the operator is not known"
    }
    if case .table(let entry) = node.kind, !entry.follows(node.opset) {
      return "its meaning in operator set \(node.opset) is not followed, "
        + "that of \(entry.versions[0]) to \(ONNXOperator.newest) is"
    }
    for (name, attribute) in node.attributes {
      if case .other = attribute { return "its attribute '\(name)' is of a type that is not read" }
    }
    return nil
  }

  /// Whether a tensor's elements are of a type that is read; if not it is listed.
  func isRead(_ proto: ONNXTensorProto) -> Bool {
    guard let element = ONNXElement(rawValue: proto.dataType), element.carrier == nil else {
      return true
    }
    unsupported.withLock {
      $0.append(
        ONNXModel.UnsupportedOperator(
          name: "initializer", domain: "", opset: opsets[""] ?? 1, nodes: [proto.name],
          reason: "tensors of type \(element) are not supported"))
    }
    return false
  }

  private func note(_ node: ONNXNode, _ reason: String) {
    unsupported.withLock { list in
      let place = list.firstIndex {
        $0.name == node.type && $0.domain == node.domain && $0.reason == reason
      }
      let name = node.name.isEmpty ? node.outputs.first ?? "" : node.name
      if let place {
        list[place].nodes.append(name)
      } else {
        list.append(
          ONNXModel.UnsupportedOperator(
            name: node.type, domain: node.domain, opset: node.opset, nodes: [name], reason: reason))
      }
    }
  }

  // MARK: Attributes

  private func attribute(
    _ proto: ONNXAttributeProto, _ node: ONNXNodeProto, visible: Set<String>, depth: Int,
    attributes: [String: ONNXAttributeProto]
  ) throws -> ONNXNode.Attribute {
    switch proto.type == 0 ? Self.guessedType(proto) : proto.type {
    case 1: return .float(Double(proto.f))
    case 2: return .int(Int(proto.i))
    case 3: return .string(String(decoding: proto.s, as: UTF8.self))
    case 4:
      guard ONNXElement(rawValue: proto.t.dataType)?.carrier != nil else { return .other }
      let tensor = try tensors.tensor(proto.t)
      // A Constant's element type goes with it, if tensors do not have it.
      return .tensor(tensor)
    case 5:
      return .graph(
        try inner(proto.g, depth: depth + 1, outer: visible, attributes: attributes))
    case 6: return .floats(proto.floats.map(Double.init))
    case 7: return .ints(proto.ints.map { Int($0) })
    case 8: return .strings(proto.strings.map { String(decoding: $0, as: UTF8.self) })
    case 11: return .tensor(try tensors.tensor(proto.sparseTensor, limit: limit))
    case 13:
      let type = ONNXElement(rawValue: proto.tp.tensorType.elemType)
      return type.map { .element($0) } ?? .element(.float32)
    default: return .other
    }
  }

  /// Files of the first versions do not say the types of attributes.
  private static func guessedType(_ proto: ONNXAttributeProto) -> Int32 {
    if proto.hasF { return 1 }
    if proto.hasI { return 2 }
    if proto.hasS { return 3 }
    if proto.hasT { return 4 }
    if proto.hasG { return 5 }
    if !proto.floats.isEmpty { return 6 }
    if !proto.ints.isEmpty { return 7 }
    return proto.strings.isEmpty ? 0 : 8
  }
}
