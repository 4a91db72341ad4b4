import TarnCore
import TarnData
import TarnNN

// Parameters are the trainable variables, under the names of layers and variables: `conv2d.kernel`.
extension KerasModel {
  private var specifications: [(name: String, isTrainable: Bool)] {
    graph.operations.flatMap { operation in
      operation.operation.variables.map { variable in
        let part = variable.part.isEmpty ? "" : variable.part.replacing("/", with: ".") + "."
        return ("\(operation.name).\(part)\(variable.name)", variable.isTrainable)
      }
    }
  }

  private func places(_ kind: LeafKind) -> [Int] {
    let specifications = specifications
    return variables.indices.filter { kind == .all || specifications[$0].isTrainable }
  }

  public func tensors(_ kind: LeafKind) -> [Tensor] { places(kind).map { variables[$0] } }

  public func replacing(_ kind: LeafKind, with tensors: [Tensor]) -> KerasModel {
    let places = places(kind)
    guard tensors.count == places.count else {
      return Diagnostic.report(
        Diagnostic(
          operation: "KerasModel", reason: "it was given the wrong number of tensors",
          facts: ["it has \(places.count)", "given  \(tensors.count)"]), giving: self)
    }
    var model = self
    for (place, tensor) in zip(places, tensors) { model.variables[place] = tensor }
    return model
  }

  private struct Key: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { nil }

    static let configuration = Key("$configuration"), version = Key("$version")
  }

  public func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: Key.self)
    try fields.encode(configuration, forKey: .configuration)
    try fields.encode(majorVersion, forKey: .version)
    for (variable, tensor) in zip(specifications, variables) {
      if variable.isTrainable {
        try fields.encode(tensor, forKey: Key(variable.name))
      } else {
        try fields.encode(Buffer(tensor), forKey: Key(variable.name))
      }
    }
  }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: Key.self)
    let text = try fields.decode(String.self, forKey: .configuration)
    let version = try fields.decode(Int.self, forKey: .version)
    try self.init(text, majorVersion: version)
    variables = try specifications.map { variable in
      variable.isTrainable
        ? try fields.decode(Tensor.self, forKey: Key(variable.name))
        : try fields.decode(Buffer.self, forKey: Key(variable.name)).wrappedValue
    }
  }
}
