import CTarnKernels
import TarnCore

/// Named computations that this backend does in one kernel instead of by their fallback.
enum CallKernels {
  static func claims(_ call: Call, _ arguments: [Graph.Vertex]) -> Bool {
    guard let x = arguments.first, [.float32, .float64].contains(x.dtype) else { return false }
    switch call.name {
    case "softmax", "logSoftmax": return call.attributes[0].int64 == Int64(x.shape.count - 1)
    case "crossEntropy":
      return arguments.count == 2 && [.int32, .int64].contains(arguments[1].dtype)
    case "crossEntropyGradient":
      return arguments.count == 3 && [.int32, .int64].contains(arguments[1].dtype)
    case "layerNorm", "layerNormGradient": return RowKernels.claims(arguments)
    case "batchMoments": return x.dtype == .float32 && x.shape.count > 2
    case "batchGradientSums": return x.dtype == .float32 && x.shape.count > 2
    case "maxPool", "maxPoolGradient", "maxPoolChoice": return call.attributes[0].int64 == 2
    case "recurrent", "recurrentGradient": return RecurrentKernels.claims(arguments)
    case "attention", "attentionGradient": return AttentionKernels.claims(call, arguments)
    default: return false
    }
  }

  static func body(_ call: Call, _ x: [View], _ y: View) -> KernelStep.Body? {
    let columns = Int64(x[0].shape.last ?? 1)
    let rows = columns == 0 ? 0 : Int64(x[0].shape.product) / columns
    let code = y.dtype.code
    switch call.name {
    case "softmax", "logSoftmax":
      let logarithm: Int32 = call.name == "logSoftmax" ? 1 : 0
      return { operands, output in
        try check(tarn_softmax(code, rows, columns, operands[0], output, logarithm), call.name)
      }
    case "crossEntropy":
      let labels = x[1].dtype.code
      return { operands, output in
        var bad: Int64 = 0
        let status = tarn_cross_entropy(
          code, rows, columns, operands[0], labels, operands[1], 0, output, &bad)
        if UInt32(status) == TARN_BAD_INDEX.rawValue { throw labelProblem(bad, columns) }
        try check(status, "crossEntropy")
      }
    case "crossEntropyGradient":
      let labels = x[1].dtype.code
      return { operands, output in
        var bad: Int64 = 0
        let status = tarn_cross_entropy_gradient(
          code, rows, columns, operands[0], labels, operands[1], 0, operands[2], output, &bad)
        if UInt32(status) == TARN_BAD_INDEX.rawValue { throw labelProblem(bad, columns) }
        try check(status, "crossEntropy")
      }
    case "layerNorm", "layerNormGradient": return RowKernels.layerNorm(call, x)
    case "maxPool":
      let layout = tarn_window(Window(of: call), unpooled: x[0].shape, pooled: y.shape)
      return { operands, output in
        try check(
          withUnsafePointer(to: layout) { tarn_max_pool(code, $0, operands[0], output) }, "maxPool")
      }
    case "maxPoolGradient":
      let layout = tarn_window(Window(of: call), unpooled: y.shape, pooled: x[1].shape)
      return { operands, output in
        let status = withUnsafePointer(to: layout) {
          tarn_max_pool_gradient(code, $0, operands[0], operands[1], output)
        }
        try check(status, call.name)
      }
    case "maxPoolChoice":
      let layout = tarn_window(Window(of: call), unpooled: x[0].shape, pooled: y.shape)
      return { operands, output in
        let status = withUnsafePointer(to: layout) {
          tarn_max_pool_choice(code, $0, operands[0], operands[1], output)
        }
        try check(status, call.name)
      }
    case "batchMoments", "batchGradientSums": return BatchKernels.body(call, x)
    case "recurrent", "recurrentGradient": return RecurrentKernels.body(call)
    case "attention", "attentionGradient": return AttentionKernels.body(call, x)
    default: return BlockedKernels.body(call, x, y)
    }
  }

  private static func labelProblem(_ label: Int64, _ classes: Int64) -> Diagnostic {
    Diagnostic(
      operation: "crossEntropy", reason: "label \(label) is out of range for \(classes) classes",
      hint: label == classes
        ? "labels count from 0: subtract 1" : "labels are class numbers 0 … \(classes - 1)")
  }
}

extension Window {
  /// From the attributes of a pooling call: the number of spatial axes, then each property axis by axis.
  init(of call: Call) {
    let count = Int(call.attributes[0].int64)
    let lists = (0..<5).map { list in
      (0..<count).map { Int(call.attributes[1 + list * count + $0].int64) }
    }
    self.init(size: lists[0], strides: lists[1], low: lists[2], high: lists[3], dilations: lists[4])
  }
}
