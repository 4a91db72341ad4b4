import Foundation
import TarnCore
import TarnData
import TarnInterop
import TarnSchemas

/// What all copies of a model share: the graph, and the parameters as the file has them.
final class ONNXProgram: Sendable {
  let file: String
  let graph: ONNXGraph
  let initial: [Parameter]
  let unsupported: [ONNXModel.UnsupportedOperator]
  let opset: Int
  let producer: String
  let memo = ONNXMemo()
  /// The file without the parameters' numbers, from which the graph can be made again.
  private let stripped: ONNXModelProto
  private let archived = Lock<String?>(nil)

  struct Parameter: Sendable {
    var name: String
    var tensor: Tensor
  }

  /// Where an operator wants numbers that steer it: initializers used there alone are not trained.
  private static let steering: [String: Set<Int>] = [
    "Resize": [1, 2, 3], "Upsample": [1], "Range": [0, 1, 2], "NonMaxSuppression": [2, 3, 4],
    "Dropout": [1, 2], "Pad": [1, 2], "Clip": [1, 2], "QuantizeLinear": [1, 2],
    "DequantizeLinear": [1, 2], "QLinearConv": [1, 4, 6], "QLinearMatMul": [1, 4, 6],
  ]

  convenience init(_ bytes: FileBytes, folder: URL?) throws {
    try self.init(ONNXFile.model(bytes), file: bytes.name, folder: folder, parameters: nil)
  }

  /// - Parameter parameters: stand for those of the file, whose numbers are not there.
  init(
    _ model: ONNXModelProto, file: String, folder: URL?, parameters: [String: Tensor]?
  ) throws {
    let reader = try ONNXGraphReader(model, file: file, folder: folder, limit: 1 << 31)
    var initializers = model.graph.initializer
    var constants: [String: ONNXValue] = [:]
    var initial: [Parameter] = []
    var names: Set<String> = []
    let trained = Self.trained(model)
    for (place, proto) in model.graph.initializer.enumerated() {
      guard names.insert(proto.name).inserted else {
        throw reader.error("two initializers are called '\(proto.name)'")
      }
      guard reader.isRead(proto) else {
        constants[proto.name] = .optional(nil)
        continue
      }
      guard trained.contains(place) else {
        constants[proto.name] = .fixed(try reader.fixed(proto))
        continue
      }
      let tensor = try parameters.map { try Self.parameter(proto, $0, reader) }
      initial.append(
        Parameter(name: proto.name, tensor: try tensor ?? reader.tensors.tensor(proto)))
      initializers[place].clearData()
    }
    var stripped = model
    stripped.graph.initializer = initializers
    for sparse in model.graph.sparseInitializer {
      constants[sparse.values.name] = .fixed(
        ONNXFixed(try reader.tensors.tensor(sparse, limit: 1 << 31)))
    }
    graph = try reader.graph(
      model.graph, constants: constants, parameters: Set(initial.map(\.name)))
    let used = Set(graph.nodes.flatMap(\.uses)).union(graph.outputs.map(\.name))
    (self.file, self.initial, self.stripped) = (
      file, initial.filter { used.contains($0.name) }, stripped
    )
    unsupported = reader.unsupported.withLock { $0 }.sorted {
      ($0.domain, $0.name) < ($1.domain, $1.name)
    }
    opset = reader.opsets[""] ?? 1
    producer = [model.producerName, model.producerVersion].filter { !$0.isEmpty }
      .joined(separator: " ")
  }

  private static func parameter(
    _ proto: ONNXTensorProto, _ known: [String: Tensor], _ reader: ONNXGraphReader
  ) throws -> Tensor {
    guard let tensor = known[proto.name], tensor.shape == proto.dims.map({ Int($0) }) else {
      throw reader.error("the parameter '\(proto.name)' is missing or of another shape")
    }
    return tensor
  }

  /// The places of the initializers that are parameters: floating ones that an operator computes with.
  private static func trained(_ model: ONNXModelProto) -> Set<Int> {
    var computed: Set<String> = []
    for node in model.graph.node {
      let steered = node.domain.isEmpty ? steering[node.opType] ?? [] : []
      for (place, name) in node.input.enumerated() where !steered.contains(place) {
        computed.insert(name)
      }
    }
    let places = model.graph.initializer.indices.filter { place in
      let proto = model.graph.initializer[place]
      guard let element = ONNXElement(rawValue: proto.dataType), element.isNative,
        let carrier = element.carrier
      else { return false }
      return carrier.isFloating && computed.contains(proto.name)
    }
    return Set(places)
  }

  /// Whether a run needs this input.
  func isNeeded(_ name: String) -> Bool {
    graph.nodes.contains { $0.uses.contains(name) } || graph.outputs.contains { $0.name == name }
  }

  /// Throws the list of what is not supported, if there is something.
  func checkRunnable() throws {
    if unsupported.isEmpty { return }
    throw DataError(
      .unsupported, file: file,
      reason: "uses operators that are not supported:\n"
        + unsupported.map { "  \($0)" }.joined(separator: "\n"),
      hint: opset > ONNXOperator.newest
        ? "export it for operator set \(ONNXOperator.newest) or an older one" : nil)
  }

  var operators: [(name: String, count: Int)] {
    var counts: [String: Int] = [:]
    for node in graph.nodes {
      counts[node.domain.isEmpty ? node.type : "\(node.domain).\(node.type)", default: 0] += 1
    }
    return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { ($0.key, $0.value) }
  }

  // MARK: Archive

  private static let recent = Lock<[String: ONNXProgram]>([:])

  /// The graph as a text, for a model's saved configuration.
  func archive() throws -> String {
    try archived.withLock { kept in
      if let kept { return kept }
      let text = try stripped.written().base64EncodedString()
      kept = text
      Self.recent.withLock { programs in
        if programs.count >= 8 { programs.removeAll() }
        programs[text] = self
      }
      return text
    }
  }

  /// The program of a text; one that was written a while ago in this process is found again.
  static func unarchived(_ text: String, parameters: (String) throws -> Tensor) throws
    -> ONNXProgram
  {
    if let known = recent.withLock({ $0[text] }) { return known }
    guard let data = Data(base64Encoded: text) else {
      throw DataError(.invalid, file: "model", reason: "its ONNX graph cannot be read")
    }
    let proto = try ONNXFile.model(FileBytes(data, name: "model"))
    var known: [String: Tensor] = [:]
    for place in trained(proto) {
      let name = proto.graph.initializer[place].name
      known[name] = try? parameters(name)
    }
    return try ONNXProgram(proto, file: "model", folder: nil, parameters: known)
  }
}

extension ONNXTensorProto {
  fileprivate mutating func clearData() {
    clearRawData()
    (floatData, doubleData, int32Data, externalData) = ([], [], [], [])
    clearDataLocation()
  }
}
