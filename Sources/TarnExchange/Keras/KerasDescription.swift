import TarnCore
import TarnData
import TarnInterop

/// A model as its configuration describes it: layers, and which reads what.
struct KerasDescription: Sendable {
  /// One result: of a layer, of one of its calls, one of several.
  struct Reference: Sendable, Hashable {
    var layer: String
    var call: Int
    var output: Int
  }

  struct Input: Sendable {
    /// Lengths of the axes, the first for the batch; nil: any.
    var shape: [Int?]
    var dtype: DType
  }

  enum Content: Sendable {
    case input(Input)
    case operation(any KerasOperation)
    case model(KerasDescription)
  }

  struct Layer: Sendable {
    var name: String
    var type: String
    var content: Content
    /// What each of its calls reads.
    var calls: [[Reference]]
  }

  var name: String
  var layers: [Layer]
  var inputs: [Reference]
  var outputs: [Reference]
}

/// Reads a configuration of Keras 1, 2 or 3. Everything that is not supported is collected.
struct KerasDescriptionReader {
  /// `conv3d_1 (Conv3D): no such layer is known here`
  private(set) var problems: [String] = []
  private let majorVersion: Int

  private static let models: Set<String> = ["Sequential", "Functional", "Model"]

  init(majorVersion: Int) { self.majorVersion = majorVersion }

  /// A whole model.
  mutating func read(_ model: JSON) throws -> KerasDescription {
    guard let type = model["class_name"]?.string, let config = model["config"] else {
      throw KerasRefusal("it has no class_name and config")
    }
    let name = config["name"]?.string ?? model["name"]?.string ?? "model"
    switch type {
    case "Sequential": return sequential(config, name)
    case "Functional", "Model": return try functional(config, name)
    default: throw KerasRefusal("the class \(type) is neither Sequential nor Functional")
    }
  }

  // MARK: - Layers

  private mutating func layer(_ entry: JSON) -> KerasDescription.Layer {
    let type = entry["class_name"]?.string ?? "?"
    let config = entry["config"] ?? .object([])
    let name = entry["name"]?.string ?? config["name"]?.string ?? type
    let reader = KerasConfig(type: type, name: name, majorVersion: majorVersion, json: config)
    var content = KerasDescription.Content.operation(KerasFunction { $0 })
    do {
      if type == "InputLayer" {
        content = .input(try Self.input(reader))
      } else if Self.models.contains(type) {
        content = .model(try read(entry))
      } else {
        content = .operation(try KerasLayers.make(reader))
      }
    } catch let refusal as KerasRefusal {
      problems.append("\(name) (\(type)): \(refusal.reason)")
    } catch {
      problems.append("\(name) (\(type)): \(error)")
    }
    return KerasDescription.Layer(name: name, type: type, content: content, calls: [])
  }

  private static func input(_ config: KerasConfig) throws -> KerasDescription.Input {
    let dtype = config["dtype"]?.string.flatMap { name in DType.allCases.first { $0.name == name } }
    let lengths = (config["batch_shape"] ?? config["batch_input_shape"])?.array ?? []
    let shape: [Int?] = lengths.map(\.int)
    let known = shape.compactMap { $0 }
    guard shape.count <= 16, known.allSatisfy({ (1...KerasConfig.largest).contains($0) }),
      known.reduce(1.0, { $0 * Double($1) }) < 1e9
    else { throw KerasRefusal("its shape is no shape") }
    return KerasDescription.Input(shape: shape, dtype: dtype ?? .float32)
  }

  // MARK: - Sequential models

  private mutating func sequential(_ config: JSON, _ name: String) -> KerasDescription {
    // Until 2.2.3 the configuration was the list itself.
    let entries = config.array ?? config["layers"]?.array ?? []
    var layers = entries.map { layer($0) }
    if let first = layers.first, case .input = first.content {
    } else {
      let own = entries.first?["config"]
      let shape = own?["batch_input_shape"] ?? own?["batch_shape"] ?? config["build_input_shape"]
      let input = KerasConfig(
        type: "InputLayer", name: "input", majorVersion: majorVersion,
        json: .object([.init(name: "batch_shape", value: shape ?? .null, place: 0)]))
      let content = (try? Self.input(input)) ?? KerasDescription.Input(shape: [], dtype: .float32)
      layers.insert(
        .init(name: "input", type: "InputLayer", content: .input(content), calls: []), at: 0)
    }
    for i in layers.indices.dropFirst() {
      layers[i].calls = [[.init(layer: layers[i - 1].name, call: 0, output: 0)]]
    }
    func reference(_ layer: KerasDescription.Layer?) -> [KerasDescription.Reference] {
      layer.map { [.init(layer: $0.name, call: 0, output: 0)] } ?? []
    }
    return KerasDescription(
      name: name, layers: layers, inputs: reference(layers.first), outputs: reference(layers.last))
  }

  // MARK: - Functional models

  private mutating func functional(_ config: JSON, _ name: String) throws -> KerasDescription {
    var layers: [KerasDescription.Layer] = []
    for entry in config["layers"]?.array ?? [] {
      var layer = layer(entry)
      do {
        layer.calls = try (entry["inbound_nodes"]?.array ?? []).map { try Self.call($0) }
      } catch let refusal as KerasRefusal {
        problems.append("\(layer.name) (\(layer.type)): \(refusal.reason)")
      }
      layers.append(layer)
    }
    guard let inputs = config["input_layers"], let outputs = config["output_layers"] else {
      throw KerasRefusal("it has no input_layers and output_layers")
    }
    return KerasDescription(
      name: name, layers: layers, inputs: try Self.references(inputs),
      outputs: try Self.references(outputs))
  }

  /// One call of a layer: `[["input", 0, 0, {}], …]`, or since Keras 3 `{"args": […], "kwargs": {}}`.
  private static func call(_ node: JSON) throws -> [KerasDescription.Reference] {
    guard node.members != nil else { return try references(node) }
    var found: [KerasDescription.Reference] = []
    for argument in node["args"]?.array ?? [] { try collect(argument, into: &found) }
    for option in node["kwargs"]?.members ?? []
    where option.value != .null && option.name != "training" {
      throw KerasRefusal("it is called with \(option.name)")
    }
    return found
  }

  private static func collect(
    _ argument: JSON, into found: inout [KerasDescription.Reference]
  ) throws {
    if let list = argument.array {
      for entry in list { try collect(entry, into: &found) }
    } else if argument["class_name"]?.string == "__keras_tensor__",
      let history = argument["config"]?["keras_history"]
    {
      found += try references(history)
    } else {
      throw KerasRefusal("it is called with what is no tensor")
    }
  }

  /// `["dense", 0, 0]` or a list of such, or an object that names them.
  private static func references(_ value: JSON) throws -> [KerasDescription.Reference] {
    if let members = value.members { return try members.flatMap { try references($0.value) } }
    guard let list = value.array else { throw KerasRefusal("a reference to a layer is broken") }
    guard let name = list.first?.string else { return try list.flatMap { try references($0) } }
    guard list.count >= 3, let call = list[1].int, let output = list[2].int else {
      throw KerasRefusal("a reference to '\(name)' is broken")
    }
    for option in list.dropFirst(3).first?.members ?? []
    where option.value != .null && option.name != "training" {
      throw KerasRefusal("it is called with \(option.name)")
    }
    return [.init(layer: name, call: call, output: output)]
  }
}
