import TarnCore

extension ONNXModel: CustomStringConvertible {
  /// What made it, its inputs and outputs, its operators, and what of them is not supported.
  public var description: String {
    var lines = ["ONNX model, operator set \(opset)" + (producer.isEmpty ? "" : ", of \(producer)")]
    lines += program.graph.inputs.map { "  input  \($0.title)" }
    lines += program.graph.outputs.map { "  output \($0.title)" }
    lines.append("  \(tensors.count) parameters of \(tensors.reduce(0) { $0 + $1.count }) numbers")
    let counts = operators.map { "\($0.name) \($0.count)" }.joined(separator: ", ")
    lines.append("  operators: \(counts)")
    if !unsupported.isEmpty { lines.append("  not supported:") }
    lines += unsupported.map { "    \($0)" }
    return lines.joined(separator: "\n")
  }
}
