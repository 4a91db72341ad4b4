import TarnCore

extension ONNXOperators {
  static let recurrent: [ONNXOperator] = []
}
