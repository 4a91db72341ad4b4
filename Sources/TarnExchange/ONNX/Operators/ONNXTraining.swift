import TarnCore

/// Steps of optimizers, which ONNX keeps in a domain of their own. Inputs: the rate, the number of the step, then
/// parameters, gradients and states, as many of each.
extension ONNXOperators {
  static let training: [ONNXOperator] = [
    optimizer("Adagrad", states: 1) { call, rate, step, x, g, states in
      let decayed = rate / (1 + step * (try call.float("decay_factor", 0)))
      let whole = g + x * (try call.float("norm_coefficient", 0))
      let h = states[0] + whole * whole
      return [x - decayed * whole / (h.sqrt() + (try call.float("epsilon", 1e-6))), h]
    },
    optimizer("Momentum", states: 1) { call, rate, step, x, g, states in
      let alpha = try call.float("alpha", 0)
      let whole = g + x * (try call.float("norm_coefficient", 0))
      let beta = which(
        step .> 0, Tensor.full(like: step.cast(to: x.dtype), try call.float("beta", 0)), 1.0)
      let v = alpha * states[0] + beta.cast(to: x.dtype) * whole
      let isNesterov = try call.string("mode", "standard") == "nesterov"
      return [x - rate * (isNesterov ? whole + alpha * v : v), v]
    },
    optimizer("Adam", states: 2) { call, rate, step, x, g, states in
      let (alpha, beta) = (try call.float("alpha", 0.9), try call.float("beta", 0.999))
      let whole = g + x * (try call.float("norm_coefficient", 0))
      let v = alpha * states[0] + (1 - alpha) * whole
      let h = beta * states[1] + (1 - beta) * whole * whole
      let t = step.cast(to: x.dtype)
      let base = Tensor.full(like: t, 1)
      let corrected = rate * (1 - (base * beta).pow(t)).sqrt() / (1 - (base * alpha).pow(t))
      let adjusted = which(t .> 0, corrected, rate)
      let next = x - adjusted * v / (h.sqrt() + (try call.float("epsilon", 1e-6)))
      return [next * (1 - (try call.float("norm_coefficient_post", 0))), v, h]
    },
  ]

  private typealias Step =
    @Sendable (
      ONNXCall, _ rate: Tensor, _ step: Tensor, _ x: Tensor, _ gradient: Tensor, _ states: [Tensor]
    ) throws -> [Tensor]

  private static func optimizer(_ name: String, states: Int, _ body: @escaping Step) -> ONNXOperator
  {
    ONNXOperator(
      name, [1], domain: "ai.onnx.preview.training",
      values: { call in
        let rest = call.values.count - 2
        try call.require(rest > 0 && rest % (states + 2) == 0, "its inputs do not fit")
        let count = rest / (states + 2)
        let (rate, step) = (try call.tensor(0).reshaped([]), try call.tensor(1).reshaped([]))
        let rows = try (0..<count).map { i in
          let all = try (0..<states + 2).map { try call.tensor(2 + $0 * count + i) }
          return try body(call, rate, step, all[0], all[1], Array(all.dropFirst(2)))
        }
        return (0..<states + 1).flatMap { kind in rows.map { .tensor($0[kind]) } }
      })
  }
}
