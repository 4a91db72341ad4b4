import Tarn

/// What an ONNX file computes: what goes in and out, its operators, and those that are not supported.
struct GraphAnswer: Encodable {
  struct Operator: Encodable {
    var name: String
    var count: Int
  }

  var opset: Int
  var producer: String
  var inputs: [ONNXModel.Port]
  var outputs: [ONNXModel.Port]
  var operators: [Operator]
  var unsupported: [ONNXModel.UnsupportedOperator]

  init(_ model: ONNXModel) {
    (opset, producer, inputs, outputs) = (model.opset, model.producer, model.inputs, model.outputs)
    operators = model.operators.map { Operator(name: $0.name, count: $0.count) }
    unsupported = model.unsupported
  }

  var text: String {
    func port(_ kind: String, _ port: ONNXModel.Port) -> String {
      let lengths = port.shape.map { "\($0.map { $0.map(String.init) ?? "?" })" } ?? "any shape"
      return "\(kind) '\(port.name)'  \(port.dtype.map { "\($0)" } ?? "")  "
        + lengths.replacingOccurrences(of: "\"", with: "")
    }
    let counts = operators.map { "\($0.name) ×\($0.count)" }.joined(separator: ", ")
    var lines =
      ["operator set \(opset)" + (producer.isEmpty ? "" : ", written by \(producer)")]
      + inputs.map { port("input ", $0) } + outputs.map { port("output", $0) }
      + ["operators: \(counts)"]
    if unsupported.isEmpty {
      lines.append("all of them are supported")
    } else {
      lines.append("not supported, so the model cannot be run:")
      lines += unsupported.map { "  \($0)" }
    }
    return lines.joined(separator: "\n")
  }
}
