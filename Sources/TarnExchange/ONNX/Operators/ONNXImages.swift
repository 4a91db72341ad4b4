import TarnCore

extension ONNXOperators {
  static let images: [ONNXOperator] = []
  static let signals: [ONNXOperator] = []
  static let training: [ONNXOperator] = []
}
