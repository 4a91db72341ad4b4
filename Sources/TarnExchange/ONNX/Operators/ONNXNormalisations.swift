import TarnCore
import TarnInterop
import TarnNN

/// Normalisations.
extension ONNXOperators {
  static let normalisations: [ONNXOperator] = [
    ONNXOperator("BatchNormalization", [6, 7, 9, 14, 15], values: batchNormalization),
    ONNXOperator("InstanceNormalization", [6]) { call in
      let x = try call.tensor(0)
      try call.require(x.rank > 2, "\(x.shape) has no spatial axes")
      let normal = x.standardised(Array(2..<x.rank), try call.float("epsilon", 1e-5))
      return normal * (try call.perChannel(1, x)) + (try call.perChannel(2, x))
    },
    ONNXOperator("LayerNormalization", [17], values: layerNormalization),
    ONNXOperator("GroupNormalization", [18, 21], groupNormalization),
    ONNXOperator("LpNormalization", [1]) { call in
      let x = try call.tensor(0)
      let axis = try call.axis(call.int("axis", -1), x.rank)
      let norm =
        try call.int("p", 2) == 1
        ? x.abs().sum(axis, keepDims: true) : (x * x).sum(axis, keepDims: true).sqrt()
      return which(norm .== 0, x.filled(.integer(0)), x / norm)
    },
    ONNXOperator("MeanVarianceNormalization", [9, 13]) { call in
      let x = try call.tensor(0)
      let axes = try call.axes(call.ints("axes") ?? [0, 2, 3], x.rank)
      let mean = x.mean(axes: axes, keepDims: true)
      let variance = (x * x).mean(axes: axes, keepDims: true) - mean * mean
      return (x - mean) / (variance.maximum(0).sqrt() + 1e-9)
    },
    ONNXOperator("LRN", [1, 13]) { call in
      let x = try call.tensor(0)
      let size = try call.int("size", 0)
      try call.require(x.rank >= 2 && (1..<1 << 16).contains(size), "a window of \(size) is none")
      let (low, high) = ((size - 1) / 2, size - 1 - (size - 1) / 2)
      try call.checked([size, x.count])
      // Sums over neighbouring channels as differences would lose digits: they are added up.
      let squares = (x * x).padded(x.shape.indices.map { $0 == 1 ? (low, high) : (0, 0) })
      let terms = (0..<size).map { squares.narrowed(1, from: $0, to: $0 + x.shape[1]) }
      let sum = terms.dropFirst().reduce(terms[0], +)
      let (alpha, beta) = (try call.float("alpha", 1e-4), try call.float("beta", 0.75))
      return x * (try call.float("bias", 1) + alpha / Double(size) * sum).pow(-beta)
    },
  ]

  private static func batchNormalization(_ call: ONNXCall) throws -> [ONNXValue] {
    let x = try call.tensor(0)
    let epsilon = try call.float("epsilon", 1e-5)
    try call.require(x.rank >= 2, "\(x.shape) has no channels")
    let (scale, shift) = (try call.perChannel(1, x), try call.perChannel(2, x))
    let inference = try call.opset >= 7 || call.flag("is_test", false)
    try call.require(inference, "before operator set 7 only inference (is_test) is followed")
    guard try call.flag("training_mode", false) else {
      let (mean, variance) = (try call.perChannel(3, x), try call.perChannel(4, x))
      let factor = scale * (variance + epsilon).rsqrt()
      // One multiplication and one addition a pixel, which a convolution before takes in.
      return [.tensor((x * factor + (shift - mean * factor)).cast(to: x.dtype))]
    }
    let axes = [0] + Array(2..<x.rank)
    let momentum = try call.float("momentum", 0.9)
    let mean = x.mean(axes: axes, keepDims: true)
    let variance = (x - mean).squared().mean(axes: axes, keepDims: true)
    let y = (x - mean) * (variance + epsilon).rsqrt() * scale + shift
    let (oldMean, oldVariance) = (try call.tensor(3), try call.tensor(4))
    return [
      .tensor(y), .tensor(oldMean * momentum + mean.reshaped([-1]) * (1 - momentum)),
      .tensor(oldVariance * momentum + variance.reshaped([-1]) * (1 - momentum)),
    ]
  }

  private static func layerNormalization(_ call: ONNXCall) throws -> [ONNXValue] {
    let x = try call.tensor(0)
    let axis = try call.axis(call.int("axis", -1), x.rank)
    let axes = Array(axis..<x.rank)
    let (scale, shift) = (try call.tensor(1), call.optional(2))
    let lengths = Array(x.shape[axis...])
    if call.outputCount == 1, scale.shape == lengths, shift.map({ $0.shape == lengths }) ?? true {
      let epsilon = try call.float("epsilon", 1e-5)
      let y = x.layerNormalized(over: lengths.count, epsilon, weight: scale, bias: shift)
      return [.tensor(y.cast(to: x.dtype))]
    }
    let wide = x.cast(to: x.dtype == .float64 ? .float64 : .float32)
    let mean = wide.mean(axes: axes, keepDims: true)
    let variance = (wide - mean).squared().mean(axes: axes, keepDims: true)
    let deviation = (variance + (try call.float("epsilon", 1e-5))).rsqrt()
    var y = ((wide - mean) * deviation).cast(to: x.dtype) * scale
    if let shift { y = y + shift }
    return [.tensor(y), .tensor(mean), .tensor(deviation)]
  }

  /// Before operator set 21 scale and shift are a number each group, from then on each channel.
  private static func groupNormalization(_ call: ONNXCall) throws -> Tensor {
    let x = try call.tensor(0)
    let groups = try call.int("num_groups", 0)
    try call.require(
      x.rank > 2 && x.count > 0 && groups > 0 && x.shape[1] % groups == 0,
      "\(groups) groups do not divide \(x.shape)")
    let rows = x.reshaped([x.shape[0], groups, -1])
    let normal = rows.standardised([2], try call.float("epsilon", 1e-5))
    let (scale, shift) = (try call.tensor(1), try call.tensor(2))
    if scale.count == x.shape[1] && (call.opset >= 21 || scale.count != groups) {
      return normal.reshaped(x.shape) * (try call.perChannel(1, x)) + (try call.perChannel(2, x))
    }
    try call.require(
      scale.count == groups && shift.count == groups, "scale and shift do not fit \(groups) groups")
    return (normal * scale.reshaped([groups, 1]) + shift.reshaped([groups, 1])).reshaped(x.shape)
  }
}

extension Tensor {
  /// Mean 0 and variance 1 over the axes.
  fileprivate func standardised(_ axes: [Int], _ epsilon: Double) -> Tensor {
    let mean = self.mean(axes: axes, keepDims: true)
    let variance = (self - mean).squared().mean(axes: axes, keepDims: true)
    return (self - mean) * (variance + epsilon).rsqrt()
  }
}

extension ONNXCall {
  /// A vector of one number a channel, to go along the channels of `x`.
  fileprivate func perChannel(_ i: Int, _ x: Tensor) throws -> Tensor {
    let vector = try tensor(i)
    try require(vector.count == x.shape[1], "input \(i) \(vector.shape) is not for \(x.shape)")
    return vector.reshaped([vector.count] + [Int](repeating: 1, count: x.rank - 2))
  }
}
