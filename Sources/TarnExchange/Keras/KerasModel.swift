import Foundation
import TarnCore
import TarnData
import TarnInterop
import TarnNN

/// A model that Keras saved, ready to run and to be differentiated.
///
/// Sequential and functional models of Keras 2 and 3 are built from their configuration, with the layers of the
/// list in ``supportedLayers``; all that is not supported is named at once. Inputs and outputs are laid out as in Keras: images
/// are [N, H, W, C]. Layers do what they do in inference.
///
/// ```swift
/// let model = try KerasModel(contentsOf: URL(fileURLWithPath: "model.keras"))
/// let probabilities = model(images)  // [N, 224, 224, 3] to [N, 1000]
/// ```
public struct KerasModel: Layer {
  /// An input of the model.
  public struct Port: Sendable, Hashable, Codable {
    public var name: String
    /// Lengths of the axes; nil: any, as the first, which is the batch.
    public var shape: [Int?]
    public var dtype: DType
  }

  private(set) var graph: KerasGraph
  /// The configuration and Keras's major version, from which the graph is made again.
  let configuration: String
  let majorVersion: Int
  /// In the order of the graph's operations.
  var variables: [Tensor]
  /// The model's name in its configuration.
  public let name: String

  /// The most elements that the result of a layer may have: a short file can ask for any number.
  public var elementLimit: Int {
    get { graph.elementLimit }
    set { graph.elementLimit = newValue }
  }

  /// Classes of layers that can be built.
  public static var supportedLayers: [String] {
    (KerasLayers.all.keys + ["InputLayer", "Sequential", "Functional"]).sorted()
  }

  /// Opens a whole model: `.keras`, or an `.h5` file with a configuration in it.
  public init(contentsOf url: URL) throws {
    try self.init(KerasFile(contentsOf: url))
  }

  /// A configuration (`model.to_json()`) and its weights (`.h5`, `.weights.h5`, `.keras`).
  public init(configuration: URL, weights: URL) throws {
    let file = try FileBytes(mapping: configuration)
    let text = file.withBytes { String(decoding: $0, as: UTF8.self) }
    try self.init(KerasFile(contentsOf: weights), configuration: text, source: configuration.path)
  }

  package init(_ file: KerasFile) throws {
    guard let configuration = file.configuration else {
      throw DataError(
        .invalid, file: file.weights.source, reason: "holds weights, but no model's configuration",
        hint: "give the JSON of model.to_json() as well, or save the whole model: model.save(...)")
    }
    try self.init(file, configuration: configuration, source: file.weights.source)
  }

  package init(_ file: KerasFile, configuration: String, source: String) throws {
    let json = try Self.parsed(configuration, source: source)
    majorVersion = Self.majorVersion(json, file)
    let description = try Self.description(json, majorVersion, source: source)
    (graph, name) = (try Self.graph(description, source: source), description.name)
    self.configuration = configuration
    let filling = KerasFilling(file, description)
    guard filling.problems.isEmpty else {
      throw Self.problem(
        .invalid, file.weights.source, "the weights do not fit the model", filling.problems,
        hint: "are these the weights of this configuration?")
    }
    variables = filling.variables
    try checkShapes(source: source)
  }

  /// The structure alone, without variables.
  init(_ configuration: String, majorVersion: Int) throws {
    let json = try Self.parsed(configuration, source: "configuration")
    let description = try Self.description(json, majorVersion, source: "configuration")
    (graph, name) = (try Self.graph(description, source: "configuration"), description.name)
    (self.configuration, self.majorVersion, variables) = (configuration, majorVersion, [])
  }

  // MARK: - Reading

  private static func parsed(_ text: String, source: String) throws(DataError) -> JSON {
    let bytes = FileBytes(Array(text.utf8), name: source)
    return try JSON(bytes, 0..<bytes.count)
  }

  private static func majorVersion(_ json: JSON, _ file: KerasFile) -> Int {
    let text = file.weights.metadata["keras_version"] ?? json["keras_version"]?.string
    if let number = text?.split(separator: ".").first.flatMap({ Int($0) }) { return number }
    return json["module"] == nil ? 2 : 3
  }

  private static func description(
    _ json: JSON, _ majorVersion: Int, source: String
  ) throws -> KerasDescription {
    var reader = KerasDescriptionReader(majorVersion: majorVersion)
    do {
      let description = try reader.read(json)
      guard reader.problems.isEmpty else {
        throw problem(
          .unsupported, source, "the model has layers that are not supported", reader.problems,
          hint: "export it to ONNX, or build the rest by hand from the weights")
      }
      return description
    } catch let refusal as KerasRefusal {
      throw problem(.unsupported, source, "the model cannot be built", [refusal.reason], hint: nil)
    }
  }

  private static func graph(
    _ description: KerasDescription, source: String
  ) throws -> KerasGraph {
    do { return try KerasGraph(description) } catch let refusal as KerasRefusal {
      throw problem(.invalid, source, "the model cannot be built", [refusal.reason], hint: nil)
    }
  }

  private static func problem(
    _ kind: DataError.Kind, _ source: String, _ reason: String, _ list: [String], hint: String?
  ) -> DataError {
    let shown = list.prefix(30).map { "\n  \($0)" }.joined()
    let more = list.count > 30 ? "\n  … and \(list.count - 30) more" : ""
    return DataError(kind, file: source, reason: "\(reason):\(shown)\(more)", hint: hint)
  }

  /// Records one run on zeros, where all lengths are known, so that variables that do not fit are found before use.
  private func checkShapes(source: String) throws {
    let shapes = graph.inputs.map { Array($0.input.shape.dropFirst()) }
    guard !shapes.isEmpty, shapes.allSatisfy({ !$0.isEmpty && !$0.contains(nil) }) else { return }
    let zeros = zip(shapes, graph.inputs).map { shape, port in
      Tensor.zeros([1] + shape.compactMap { $0 }, dtype: port.input.dtype)
    }
    do { _ = try Diagnostic.catching { graph(zeros, variables) } } catch let mistake as Diagnostic {
      throw Self.problem(
        .invalid, source, "the model does not fit together", ["\(mistake)"],
        hint: "are these the weights of this configuration?")
    }
  }

  // MARK: - Running

  /// The inputs, in their order.
  public var inputs: [Port] {
    graph.inputs.map { Port(name: $0.name, shape: $0.input.shape, dtype: $0.input.dtype) }
  }

  /// The names of the outputs, in their order.
  public var outputs: [String] { graph.outputs.map(\.name) }

  /// The first output for the only input.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    graph([x], variables).first ?? x
  }

  /// All outputs, for inputs in the order of ``inputs``.
  public func callAsFunction(_ inputs: [Tensor]) -> [Tensor] { graph(inputs, variables) }

  /// All outputs by name, for inputs by name. Inputs of a wrong shape are an error.
  public func run(_ inputs: [String: Tensor]) throws -> [(name: String, tensor: Tensor)] {
    let arguments = try graph.inputs.map { port in
      guard let tensor = inputs[port.name] ?? (inputs.count == 1 ? inputs.first?.value : nil) else {
        throw DataError(
          .invalid, file: name, reason: "the input '\(port.name)' is missing",
          hint: suggestion(for: port.name, among: inputs.keys.sorted()))
      }
      return tensor
    }
    let results = try Diagnostic.catching { graph(arguments, variables) }
    return zip(outputs, results).map { ($0, $1) }
  }
}
