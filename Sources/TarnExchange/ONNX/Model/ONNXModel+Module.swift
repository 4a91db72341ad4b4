import TarnCore
import TarnNN

// Parameters are the floating initializers, under their names.
extension ONNXModel {
  public func tensors(_ kind: LeafKind) -> [Tensor] { tensors }

  public func replacing(_ kind: LeafKind, with tensors: [Tensor]) -> ONNXModel {
    guard tensors.count == self.tensors.count else {
      return Diagnostic.report(
        Diagnostic(
          operation: "ONNXModel", reason: "it was given the wrong number of tensors",
          facts: ["it has \(self.tensors.count)", "given  \(tensors.count)"]), giving: self)
    }
    var model = self
    model.tensors = tensors
    return model
  }

  private struct Key: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { nil }

    static let graph = Key("$graph"), seed = Key("$seed"), limit = Key("$limit"),
      nodes = Key("$nodes")
  }

  public func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: Key.self)
    try fields.encode(program.archive(), forKey: .graph)
    try fields.encode(seed, forKey: .seed)
    try fields.encode(elementLimit, forKey: .limit)
    try fields.encode(nodeLimit, forKey: .nodes)
    for (parameter, tensor) in zip(program.initial, tensors) {
      try fields.encode(tensor, forKey: Key(parameter.name))
    }
  }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: Key.self)
    let text = try fields.decode(String.self, forKey: .graph)
    program = try ONNXProgram.unarchived(text) { name in
      try fields.decode(Tensor.self, forKey: Key(name))
    }
    tensors = try program.initial.map { parameter in
      try fields.decode(Tensor.self, forKey: Key(parameter.name))
    }
    seed = try fields.decode(UInt64.self, forKey: .seed)
    elementLimit = try fields.decode(Int.self, forKey: .limit)
    nodeLimit = try fields.decode(Int.self, forKey: .nodes)
  }
}
