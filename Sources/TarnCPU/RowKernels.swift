import CTarnKernels
import TarnCore

/// Layer normalisation: rows are all that the last axes hold.
enum RowKernels {
  static func claims(_ arguments: [Graph.Vertex]) -> Bool {
    arguments.allSatisfy { $0.dtype == arguments[0].dtype } && !arguments[0].shape.contains(0)
  }

  static func layerNorm(_ call: Call, _ x: [View]) -> KernelStep.Body {
    let columns = Int64(x[0].shape.suffix(Int(call.attributes[0].int64)).product)
    let rows = Int64(x[0].shape.product) / columns
    let (code, epsilon) = (x[0].dtype.code, call.attributes[1].double)
    if call.name == "layerNormGradient" {
      return { operands, output in
        let weight = operands.count > 2 ? operands[2] : nil
        try check(
          tarn_layer_norm_gradient(
            code, rows, columns, operands[0], operands[1], weight, epsilon, output),
          "layer normalisation")
      }
    }
    let hasWeight = call.attributes[2].int64 == 1
    return { operands, output in
      let weight = hasWeight ? operands[1] : nil
      let bias = operands.count > (hasWeight ? 2 : 1) ? operands.last : nil
      try check(
        tarn_layer_norm(code, rows, columns, operands[0], weight, bias, epsilon, output),
        "layer normalisation")
    }
  }
}
