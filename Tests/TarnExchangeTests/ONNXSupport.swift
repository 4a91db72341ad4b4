import Foundation
import Tarn
import TarnExchange
import TarnSchemas
import Testing

/// The models of Tests/Goldens/onnx.safetensors with what ONNX Runtime makes of them.
struct ONNXGoldens {
  struct Case {
    var name: String
    var model: [UInt8]
    var inputs: [String: Tensor]
    var outputs: [String: Tensor]
  }

  let cases: [Case]

  init() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Goldens")
    let all = try Weights(contentsOf: folder.appendingPathComponent("onnx.safetensors"))
    let names = Set(all.names.map { String($0.prefix { $0 != "/" }) }).sorted()
    cases = try names.map { name in
      func part(_ what: String) -> [String: Tensor] {
        Dictionary(all.strippingPrefix("\(name)/\(what)/").all.map { ($0.name, $0.tensor) }) { $1 }
      }
      return Case(
        name: name, model: try all.tensor("\(name)/model").array(of: UInt8.self),
        inputs: part("in"), outputs: part("out"))
    }
  }
}

/// Expects equal shapes and elements within `tolerance`, relative above 1.
func expectClose(
  _ found: Tensor?, _ expected: Tensor, _ tolerance: Double = 1e-5, _ what: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard let found, found.shape == expected.shape else {
    Issue.record(
      "\(what): \(found.map { "\($0.shape)" } ?? "nothing") instead of \(expected.shape)",
      sourceLocation: sourceLocation)
    return
  }
  for (i, (a, b)) in zip(found.array(of: Double.self), expected.array(of: Double.self)).enumerated()
  where !(abs(a - b) <= tolerance * max(1, abs(b))) && a != b && !(a.isNaN && b.isNaN) {
    Issue.record("\(what): element \(i) is \(a), not \(b)", sourceLocation: sourceLocation)
    return
  }
}

/// A model written down.
struct ONNXSketch {
  var proto = ONNXModelProto()

  init(opset: Int = 17, inputs: [String] = ["x"], outputs: [String] = ["y"]) {
    proto.irVersion = 8
    var version = ONNXOperatorSetIdProto()
    version.version = Int64(opset)
    proto.opsetImport = [version]
    proto.graph.name = "sketch"
    proto.graph.input = inputs.map { Self.port($0) }
    proto.graph.output = outputs.map { Self.port($0) }
  }

  static func port(_ name: String) -> ONNXValueInfoProto {
    var port = ONNXValueInfoProto()
    port.name = name
    port.type.tensorType.elemType = 1
    return port
  }

  static func node(
    _ type: String, _ inputs: [String], _ outputs: [String], name: String = "",
    _ attributes: [ONNXAttributeProto] = []
  ) -> ONNXNodeProto {
    var node = ONNXNodeProto()
    (node.opType, node.input, node.output, node.name) = (type, inputs, outputs, name)
    node.attribute = attributes
    return node
  }

  mutating func add(
    _ type: String, _ inputs: [String], _ outputs: [String] = ["y"], name: String = "",
    _ attributes: [ONNXAttributeProto] = []
  ) {
    proto.graph.node.append(Self.node(type, inputs, outputs, name: name, attributes))
  }

  mutating func give(_ name: String, _ tensor: Tensor) {
    proto.graph.initializer.append(Self.tensor(name, tensor))
  }

  static func tensor(_ name: String, _ tensor: Tensor) -> ONNXTensorProto {
    var proto = ONNXTensorProto()
    proto.name = name
    proto.dims = tensor.shape.map { Int64($0) }
    proto.dataType = tensor.dtype == .int64 ? 7 : 1
    proto.rawData = Data(tensor.bytes())
    return proto
  }

  var bytes: [UInt8] { get throws { Array(try proto.written()) } }
  func model() throws -> ONNXModel { try ONNXModel(bytes, name: "sketch") }
}

/// Expects an error whose description holds all of these words.
func expectError(
  _ words: String..., sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) {
  do {
    try body()
    Issue.record("nothing was thrown", sourceLocation: sourceLocation)
  } catch {
    for word in words where !"\(error)".contains(word) {
      Issue.record("no '\(word)' in: \(error)", sourceLocation: sourceLocation)
    }
  }
}
