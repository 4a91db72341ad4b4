import TarnCore

/// Functions of one tensor that networks apply between layers.
extension ONNXOperators {
  static let activations: [ONNXOperator] = [
    .map("Relu", [6, 13, 14]) { $0.relu() },
    .map("Sigmoid", [6, 13]) { $0.sigmoid() },
    .map("Softplus", [1]) { $0.softplus() },
    .map("Softsign", [1]) { $0 / (1 + $0.abs()) },
    .map("HardSwish", [14]) { $0.hardSwish() },
    .map("Mish", [18]) { $0 * $0.softplus().tanh() },
    ONNXOperator("LeakyRelu", [6, 16]) { call in
      let (x, slope) = (try call.tensor(0), try call.float("alpha", 0.01))
      return x.leakyReLU(slope: slope)
    },
    ONNXOperator("PRelu", [6, 7, 9, 16]) { call in
      let x = try call.tensor(0)
      var slope = try call.tensor(1)
      // Before operator set 7 a vector of slopes went along the channels.
      if call.opset < 7, x.rank > 1, slope.count == x.shape[1] {
        slope = slope.reshaped([slope.count] + [Int](repeating: 1, count: x.rank - 2))
      }
      return which(x .< 0, slope * x, x)
    },
    ONNXOperator("Elu", [6]) { try $0.tensor(0).elu(alpha: $0.float("alpha", 1)) },
    ONNXOperator("Celu", [12]) { call in
      let (x, alpha) = (try call.tensor(0), try call.float("alpha", 1))
      return which(x .> 0, x, alpha * (x.minimum(0) / alpha).expm1())
    },
    ONNXOperator("Selu", [6]) { call in
      let alpha = try call.float("alpha", 1.6732631921768188)
      let gamma = try call.float("gamma", 1.0507010221481323)
      return try gamma * call.tensor(0).elu(alpha: alpha)
    },
    ONNXOperator("HardSigmoid", [6]) { call in
      let (alpha, beta) = (try call.float("alpha", 0.2), try call.float("beta", 0.5))
      return try (alpha * call.tensor(0) + beta).clamped(min: 0, max: 1)
    },
    ONNXOperator("ThresholdedRelu", [10]) { call in
      let x = try call.tensor(0)
      return which(x .> (try call.float("alpha", 1)), x, x.filled(.integer(0)))
    },
    ONNXOperator("Gelu", [20]) { call in
      let kind = try call.string("approximate", "none")
      try call.require(["none", "tanh"].contains(kind), "no approximation is called '\(kind)'")
      return try call.tensor(0).gelu(approximate: kind == "tanh")
    },
    ONNXOperator("Shrink", [9]) { call in
      let x = try call.tensor(0)
      let (bias, lambda) = (try call.float("bias", 0), try call.float("lambd", 0.5))
      let zero = x.filled(.integer(0))
      let shrunk = which(x .< -lambda, x + bias, which(x .> lambda, x - bias, zero))
      return shrunk.cast(to: x.dtype)
    },
    ONNXOperator("Softmax", [1, 11, 13]) { try $0.normalised { $0.softmax(axis: $1) } },
    ONNXOperator("LogSoftmax", [1, 11, 13]) { try $0.normalised { $0.logSoftmax(axis: $1) } },
    ONNXOperator("Hardmax", [1, 11, 13]) {
      try $0.normalised { x, axis in
        let best = x.argMax(axis: axis, keepDims: true)
        return (Tensor.iota(x.shape, axis: axis, device: x.device) .== best).cast(to: x.dtype)
      }
    },
    ONNXOperator("Dropout", [7, 10, 12, 13], isPure: false, values: dropout),
  ]

  /// In inference the input, with a mask of ones. In training elements are dropped and the rest scaled up.
  private static func dropout(_ call: ONNXCall) throws -> [ONNXValue] {
    let x = try call.tensor(0)
    let isTraining = try call.opset >= 12 && call.hostInts(2)?.first ?? 0 != 0
    let ratio = try call.opset >= 12 ? call.hostReals(1)?.first ?? 0.5 : call.float("ratio", 0.5)
    let mask: DType = call.opset >= 10 ? .bool : x.dtype
    guard isTraining, ratio != 0 else {
      return [.tensor(x), .tensor(x.filled(.integer(1), dtype: mask))]
    }
    try call.require(ratio >= 0 && ratio < 1, "the ratio \(ratio) is not below 1")
    let kept = Tensor.uniform(x.shape, key: try call.key()) .>= ratio
    let scaled = which(kept, x / (1 - ratio), x.filled(.integer(0)))
    return [.tensor(scaled), .tensor(kept.cast(to: mask))]
  }
}

extension ONNXCall {
  /// A function along an axis. Before operator set 13 all axes from it on counted as one.
  fileprivate func normalised(_ body: (Tensor, Int) -> Tensor) throws -> Tensor {
    let x = try tensor(0)
    if opset >= 13 { return body(x, try axis(int("axis", -1), x.rank)) }
    let start = try int("axis", 1)
    let axis = start < 0 ? start + x.rank : start
    try require((0...x.rank).contains(axis), "there is no axis \(start) of \(x.rank)")
    let rows = x.shape[..<axis].reduce(1, *)
    try require(x.count > 0, "its input is empty")
    return body(x.reshaped([rows, x.count / rows]), 1).reshaped(x.shape)
  }
}
