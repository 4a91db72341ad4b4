import CTarnKernels
import TarnCore

/// Named computations that this backend does in one kernel instead of by their fallback.
enum CallKernels {
  static func claims(_ call: Call, _ arguments: [Graph.Vertex]) -> Bool {
    guard let x = arguments.first, [.float32, .float64].contains(x.dtype) else { return false }
    switch call.name {
    case "softmax", "logSoftmax": return call.attributes[0].int64 == Int64(x.shape.count - 1)
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
    default: return nil
    }
  }
}
