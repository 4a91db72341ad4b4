import Foundation
import TarnCore
import TarnData
import TarnInterop
import TarnNN

/// A model read from an ONNX file.
///
/// It is called with named tensors and records Tarn's operations, so derivatives, `vmap` and `compile` go through it. Its floating
/// initializers are parameters: it is a `Layer` that can be trained on, saved and given other weights.
///
/// ```swift
/// let model = try ONNXModel(contentsOf: URL(fileURLWithPath: "resnet50.onnx"))
/// let logits = model(["input": images])["logits"]
/// ```
///
/// Operator sets 7 to 21 are followed. What a file needs beyond that is listed by ``unsupported``; such a model can be
/// looked at but not run. Shapes and other numbers that steer the computation are computed while recording.
public struct ONNXModel: Layer {
  let program: ONNXProgram
  var tensors: [Tensor]
  /// What operators of random numbers without a seed of their own start from.
  public var seed: UInt64 = 0
  /// The most elements that one tensor of a run may have; models that want more throw.
  public var elementLimit = 1 << 28
  /// The most nodes that a run may go through, those of loops' bodies every time; models that want more throw.
  public var nodeLimit = 1 << 18

  /// An input or an output: its name, and type and lengths where the file tells them.
  public struct Port: Sendable, Hashable, Codable {
    public var name: String
    /// The type of its tensors here; nil: not told, or not a tensor.
    public var dtype: DType?
    /// The lengths of its axes, nil where any will do; nil: not told.
    public var shape: [Int?]?
  }

  /// An operator that a model uses and that is not supported.
  public struct UnsupportedOperator: Sendable, Hashable, Codable, CustomStringConvertible {
    /// Its name in the file, as `StringNormalizer`.
    public var name: String
    /// Whose operator it is; empty: the standard's.
    public var domain: String
    /// The version of the domain's operators that the model was written for.
    public var opset: Int
    /// The nodes that use it.
    public var nodes: [String]
    /// Why it is not supported.
    public var reason: String

    public var description: String {
      let full = domain.isEmpty ? name : "\(domain).\(name)"
      let shown = nodes.prefix(4).map { "'\($0)'" }.joined(separator: ", ")
      let more = nodes.count > 4 ? ", …" : ""
      return "\(full) (operator set \(opset)) in \(nodes.count) nodes: \(reason) [\(shown)\(more)]"
    }
  }

  /// Reads a file and checks the graph in it. Data that the file keeps in other files must lie in its folder.
  ///
  /// Throws `DataError` if the file is damaged or the graph is not sound.
  public init(contentsOf url: URL) throws {
    let program = try ONNXProgram(
      FileBytes(mapping: url), folder: url.deletingLastPathComponent())
    self.init(program)
  }

  /// Reads the bytes of a file; `name` is what errors call them.
  public init(_ bytes: [UInt8], name: String = "model.onnx") throws {
    self.init(try ONNXProgram(FileBytes(bytes, name: name), folder: nil))
  }

  init(_ program: ONNXProgram) {
    (self.program, tensors) = (program, program.initial.map(\.tensor))
  }

  /// What must be given, in the order of the file.
  public var inputs: [Port] { program.graph.inputs.map(Port.init) }
  /// What comes out, in the order of the file.
  public var outputs: [Port] { program.graph.outputs.map(Port.init) }
  /// Operators that are not supported, with the nodes that use them; empty: the model can be run.
  public var unsupported: [UnsupportedOperator] { program.unsupported }
  /// The version of the standard operators that it was written for.
  public var opset: Int { program.opset }
  /// What made the file, with its version.
  public var producer: String { program.producer }
  /// How often each operator is used, after constants were computed and dead nodes left out.
  public var operators: [(name: String, count: Int)] { program.operators }
}

extension ONNXModel.Port {
  init(_ port: ONNXGraph.Port) {
    self.init(name: port.name, dtype: port.element?.carrier, shape: port.shape)
  }
}

// MARK: Running

extension ONNXModel {
  /// The outputs by name, recorded like any other operations.
  ///
  /// Inputs that the model does not know are mistakes, as are missing ones: both are a `Diagnostic`.
  public func callAsFunction(_ inputs: [String: Tensor]) -> [String: Tensor] {
    do { return try run(inputs) } catch {
      let diagnostic =
        error as? Diagnostic ?? Diagnostic(operation: "ONNXModel", reason: "\(error)")
      let poison = outputs.map { port in
        (port.name, Tensor.zeros((port.shape ?? []).map { $0 ?? 1 }, dtype: port.dtype ?? .float32))
      }
      return Diagnostic.report(diagnostic, giving: Dictionary(poison) { $1 })
    }
  }

  /// The first output of a model with one input.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    guard inputs.count == 1, let output = outputs.first else {
      return x.rejected(
        "ONNXModel", "it has \(inputs.count) inputs and \(outputs.count) outputs",
        hint: "call it with a dictionary: model([\"name\": tensor])")
    }
    return self([inputs[0].name: x])[output.name] ?? x
  }

  /// As ``callAsFunction(_:)-([String:Tensor])``, throwing what is wrong: the list of unsupported operators, a node
  /// that does not fit its inputs, or tensors beyond ``elementLimit``.
  public func run(_ inputs: [String: Tensor]) throws -> [String: Tensor] {
    let values = try outputs(inputs.mapValues { .tensor($0, nil) })
    var result: [String: Tensor] = [:]
    for (port, value) in zip(program.graph.outputs, values) {
      guard let tensor = value.tensor(on: inputs.values.first?.device ?? .current) else {
        throw DataError(
          .unsupported, file: program.file,
          reason: "the output '\(port.name)' is a sequence, not a tensor")
      }
      result[port.name] = tensor
    }
    return result
  }

  /// The outputs in order, given values by name.
  func outputs(_ inputs: [String: ONNXValue]) throws -> [ONNXValue] {
    try program.checkRunnable()
    try check(inputs)
    let device = inputs.values.lazy.compactMap { value -> Device? in
      if case .tensor(let tensor, _) = value { return tensor.device }
      return nil
    }.first
    let run = ONNXRun(
      source: program.file, device: device ?? .current, limit: elementLimit, seed: seed,
      budget: Lock(nodeLimit), memo: program.memo)
    var arguments = inputs
    for (parameter, tensor) in zip(program.initial, tensors) {
      arguments[parameter.name] = .tensor(tensor)
    }
    return try Device.with(run.device) { try run.outputs(of: program.graph, arguments) }
  }

  private func check(_ given: [String: ONNXValue]) throws {
    let names = program.graph.inputs.map(\.name)
    let missing = names.filter { given[$0] == nil && program.isNeeded($0) }
    let strange = given.keys.filter { !names.contains($0) }.sorted()
    guard missing.isEmpty, strange.isEmpty else {
      let wrong =
        missing.isEmpty
        ? "it has no input \(strange.map { "'\($0)'" }.joined(separator: ", "))"
        : "the input \(missing.map { "'\($0)'" }.joined(separator: ", ")) is missing"
      throw Diagnostic(
        operation: "ONNXModel", reason: wrong,
        facts: program.graph.inputs.map { "input \($0.title)" },
        hint: strange.first.flatMap { suggestion(for: $0, among: names) })
    }
    for port in program.graph.inputs {
      guard case .tensor(let tensor, _)? = given[port.name] else { continue }
      try port.check(tensor)
    }
  }
}

extension ONNXGraph.Port {
  var title: String {
    let lengths = shape.map {
      "[" + $0.map { $0.map(String.init) ?? "?" }.joined(separator: ", ") + "]"
    }
    return "'\(name)' \(lengths ?? "of any shape") \(element.map { "\($0)" } ?? "")"
  }

  /// Whether a tensor can be this input.
  func check(_ tensor: Tensor) throws {
    let fits =
      shape.map { shape in
        shape.count == tensor.rank && zip(shape, tensor.shape).allSatisfy { $0 == nil || $0 == $1 }
      } ?? true
    let carrier = element?.carrier ?? tensor.dtype
    if fits && carrier == tensor.dtype { return }
    throw Diagnostic(
      operation: "ONNXModel", reason: "a tensor does not fit the input '\(name)'",
      facts: ["input \(title)", "given \(tensor.shape) of \(tensor.dtype.name)"],
      hint: fits ? "call .cast(to: .\(carrier.name))" : nil)
  }
}
