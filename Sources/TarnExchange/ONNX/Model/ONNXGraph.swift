import Foundation
import TarnCore
import TarnInterop

/// A computation of an ONNX model: the model's own, a branch or a loop's body, or a function.
final class ONNXGraph: Sendable {
  /// In an order in which every value comes before its use.
  let nodes: [ONNXNode]
  let inputs: [Port]
  let outputs: [Port]
  /// What is given with the graph and never trained: integers, and everything inside of branches and bodies.
  let constants: [String: ONNXValue]
  /// Values of graphs around it that it reads.
  let captured: [String]

  struct Port: Sendable, Hashable {
    var name: String
    var element: ONNXElement?
    /// Lengths of the axes, nil where any will do; nil: any shape.
    var shape: [Int?]?
    var kind = Kind.tensor

    enum Kind: Sendable { case tensor, sequence, optional }
  }

  init(
    nodes: [ONNXNode], inputs: [Port], outputs: [Port], constants: [String: ONNXValue],
    captured: [String]
  ) {
    (self.nodes, self.inputs, self.outputs) = (nodes, inputs, outputs)
    (self.constants, self.captured) = (constants, captured)
  }
}

/// One operation.
final class ONNXNode: Sendable {
  let name: String
  let type: String
  /// Empty for the standard operators.
  let domain: String
  /// The version of the domain's operators that the model was written for.
  let opset: Int
  /// An empty name stands for an input or an output that is left out.
  let inputs: [String]
  let outputs: [String]
  let attributes: [String: Attribute]
  let kind: Kind
  /// Values that are needed no more once it has run.
  let lastUses: [String]

  enum Kind: Sendable {
    case table(ONNXOperator)
    /// The body with the node's attributes filled in.
    case function(ONNXGraph)
    case unknown
  }

  enum Attribute: Sendable {
    case int(Int), float(Double), string(String), tensor(Tensor), graph(ONNXGraph)
    case ints([Int]), floats([Double]), strings([String])
    case element(ONNXElement)
    case other
  }

  init(
    name: String, type: String, domain: String, opset: Int, inputs: [String], outputs: [String],
    attributes: [String: Attribute], kind: Kind, lastUses: [String] = []
  ) {
    (self.name, self.type, self.domain, self.opset) = (name, type, domain, opset)
    (self.inputs, self.outputs, self.attributes) = (inputs, outputs, attributes)
    (self.kind, self.lastUses) = (kind, lastUses)
  }

  /// The same with what it uses last.
  func releasing(_ names: [String]) -> ONNXNode {
    ONNXNode(
      name: name, type: type, domain: domain, opset: opset, inputs: inputs, outputs: outputs,
      attributes: attributes, kind: kind, lastUses: names)
  }

  /// Graphs in its attributes.
  var graphs: [ONNXGraph] {
    attributes.values.compactMap {
      if case .graph(let graph) = $0 { return graph }
      return nil
    }
  }

  /// Values it reads: its own inputs and those its graphs take from around them.
  var uses: [String] { inputs.filter { !$0.isEmpty } + graphs.flatMap(\.captured) }

  /// For messages: `Conv 'conv1'`.
  var title: String {
    let full = domain.isEmpty ? type : "\(domain).\(type)"
    return name.isEmpty ? full + (outputs.first.map { " of '\($0)'" } ?? "") : "\(full) '\(name)'"
  }
}
