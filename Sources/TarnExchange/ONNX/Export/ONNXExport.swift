import Foundation
import TarnCore
import TarnData
import TarnInterop
import TarnNN
import TarnSchemas

/// Writing models as ONNX files.
///
/// What a function records is translated: every primitive has its ONNX operators, and named computations (softmax, layer
/// normalisation, pooling, recurrent layers) have their own. Initializers are named by the module's paths.
///
/// ```swift
/// try model.exportONNX(to: url, input: [1, 3, 224, 224])
/// try decoder.exportONNX(to: url, inputs: [("tokens", tokens), ("mask", mask)]) { model, x in
///   ["logits": model(x["tokens"]!, mask: x["mask"]!)]
/// }
/// ```
public struct ONNXExportOptions: Sendable, Hashable {
  /// The version of the standard operators to write for: 17 to 21.
  public var opset = 17
  /// Whether the first axis of all inputs may be of any length when the file is used.
  public var dynamicBatch = true
  /// The name of the graph.
  public var name = "tarn"

  public init(opset: Int = 17, dynamicBatch: Bool = true, name: String = "tarn") {
    (self.opset, self.dynamicBatch, self.name) = (opset, dynamicBatch, name)
  }
}

/// A model that ONNX cannot say, with what is in the way.
public struct ONNXExportError: Error, CustomStringConvertible {
  public var reason: String
  public var hint: String?
  public var description: String {
    "export to ONNX: \(reason)" + (hint.map { "\n  hint: \($0)" } ?? "")
  }
}

extension Layer {
  /// Writes the layer in inference as an ONNX file with one input, `input`, and one output, `output`.
  ///
  /// - Parameter shape: of an input, its batch axis first.
  public func exportONNX(
    to url: URL, input shape: [Int], options: ONNXExportOptions = .init()
  ) throws {
    try exportONNX(to: url, inputs: [("input", Tensor.zeros(shape))], options: options) {
      model, inputs in
      inputs["input"].map { ["output": model($0)] } ?? [:]
    }
  }
}

extension Module {
  /// Writes what `function` makes of the model and of inputs like these as an ONNX file.
  ///
  /// Throws ``ONNXExportError`` if it records something that ONNX has no operators for.
  public func exportONNX(
    to url: URL, inputs: [(name: String, tensor: Tensor)],
    options: ONNXExportOptions = .init(),
    _ function: (Self, [String: Tensor]) -> [String: Tensor]
  ) throws {
    let model = try onnxModel(inputs: inputs, options: options, function)
    do { try model.written().write(to: url, options: .atomic) } catch {
      throw DataError(.unwritable, file: url.path, reason: "\(error.localizedDescription)")
    }
  }

  func onnxModel(
    inputs: [(name: String, tensor: Tensor)], options: ONNXExportOptions,
    _ function: (Self, [String: Tensor]) -> [String: Tensor]
  ) throws -> ONNXModelProto {
    guard (17...21).contains(options.opset) else {
      throw ONNXExportError(
        reason: "operator set \(options.opset) is not written", hint: "17 to 21 are")
    }
    evaluated()
    var names: [ObjectIdentifier: String] = [:]
    for (name, tensor) in namedTensors { names[ObjectIdentifier(tensor.node)] = name }
    func trace(batch: Int?) throws -> ONNXTrace {
      let stands = inputs.map { input in
        var shape = input.tensor.shape
        if let batch, !shape.isEmpty { shape[0] = batch }
        return (input.name, Tensor.argument(like: input.tensor, shape: shape, in: nil))
      }
      let results = try Diagnostic.catching {
        Phase.inference { function(self, Dictionary(stands) { $1 }) }
      }
      return ONNXTrace(inputs: stands, outputs: results.sorted { $0.key < $1.key })
    }
    let isDynamic = options.dynamicBatch && inputs.allSatisfy { !$0.tensor.shape.isEmpty }
    // Where the lengths of two traces differ the batch comes in.
    let traces = isDynamic ? [try trace(batch: 5), try trace(batch: 7)] : [try trace(batch: nil)]
    return try withExtendedLifetime(self) {
      try ONNXEmitter(traces, names: names, options: options).model()
    }
  }
}

/// A function's recording: stands for its inputs, and its results.
struct ONNXTrace {
  var inputs: [(name: String, tensor: Tensor)]
  var outputs: [(key: String, value: Tensor)]
  /// Nodes before their users.
  var order: [Node] = []
  /// How many nodes read each.
  var readers: [ObjectIdentifier: Int] = [:]
  /// What named computations are that only their backend has recorded.
  var expansions: [ObjectIdentifier: Node] = [:]

  init(inputs: [(name: String, tensor: Tensor)], outputs: [(key: String, value: Tensor)]) {
    (self.inputs, self.outputs) = (inputs, outputs)
    var state: Set<ObjectIdentifier> = []
    var stack: [(node: Node, isDone: Bool)] = outputs.map { ($0.value.node, false) }.reversed()
    while let (node, isDone) = stack.popLast() {
      if isDone {
        order.append(node)
        continue
      }
      guard state.insert(ObjectIdentifier(node)).inserted else { continue }
      stack.append((node, true))
      let sources = sources(of: node)
      for source in sources.reversed() { stack.append((source, false)) }
      for source in sources { readers[ObjectIdentifier(source), default: 0] += 1 }
    }
    for (_, output) in outputs { readers[ObjectIdentifier(output.node), default: 0] += 1 }
  }

  /// What a node is computed from in ONNX.
  private mutating func sources(of node: Node) -> [Node] {
    if node.storage != nil { return [] }
    guard case .call(let call) = node.op else { return node.inputs }
    let arguments = Array(node.inputs.dropFirst())
    switch call.name {
    case "softmax", "logSoftmax", "maxPool", "hardTanh", "layerNorm": return arguments
    case "recurrentResult": return Array(arguments.dropLast())
    default:
      guard let fallback = call.fallback else { return Array(node.inputs.prefix(1)) }
      let id = ObjectIdentifier(node)
      let expansion = expansions[id] ?? fallback(arguments.map { Tensor($0) }).node
      expansions[id] = expansion
      return [expansion]
    }
  }
}
