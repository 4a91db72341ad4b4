import TarnCore
import TarnInterop

/// Arithmetic, element by element.
extension ONNXOperators {
  static let math: [ONNXOperator] = [
    .map("Abs", [6, 13]) { $0.abs() },
    .map("Neg", [6, 13]) { -$0 },
    .map("Exp", [6, 13]) { $0.exp() },
    .map("Log", [6, 13]) { $0.log() },
    .map("Sqrt", [6, 13]) { $0.sqrt() },
    .map("Reciprocal", [6, 13]) { $0.reciprocal() },
    .map("Floor", [6, 13]) { $0.floor() },
    .map("Ceil", [6, 13]) { $0.ceil() },
    .map("Round", [11]) { $0.round() },
    .map("Sign", [9, 13]) { $0.sign() },
    .map("Erf", [9, 13]) { $0.erf() },
    .map("Sin", [7]) { $0.sin() },
    .map("Cos", [7]) { $0.cos() },
    .map("Tan", [7]) { $0.tan() },
    .map("Asin", [7]) { $0.asin() },
    .map("Acos", [7]) { $0.acos() },
    .map("Atan", [7]) { $0.atan() },
    .map("Sinh", [9]) { $0.sinh() },
    .map("Cosh", [9]) { $0.cosh() },
    .map("Tanh", [6, 13]) { $0.tanh() },
    .map("Asinh", [9]) { x in x.sign() * (x.abs() + (x * x + 1).sqrt()).log() },
    .map("Acosh", [9]) { x in (x + (x * x - 1).sqrt()).log() },
    .map("Atanh", [9]) { x in 0.5 * ((1 + x) / (1 - x)).log() },
    .pair("Add", [6, 7, 13, 14]) { $0 + $1 },
    .pair("Sub", [6, 7, 13, 14]) { $0 - $1 },
    .pair("Mul", [6, 7, 13, 14]) { $0 * $1 },
    .pair("Div", [6, 7, 13, 14]) { $0.dividedONNX(by: $1) },
    .pair("Pow", [1, 7, 12, 13, 15]) { $0.powered(by: $1) },
    ONNXOperator("Mod", [10, 13]) { call in
      let (a, b) = (try call.tensor(0), try call.tensor(1))
      guard try call.flag("fmod", false) else { return a % b }
      return a.dtype.isFloating ? a.fmod(b) : a - b * a.dividedONNX(by: b)
    },
    ONNXOperator("Max", [6, 8, 12, 13]) { try $0.folded { $0.maximum($1) } },
    ONNXOperator("Min", [6, 8, 12, 13]) { try $0.folded { $0.minimum($1) } },
    ONNXOperator("Sum", [6, 8, 13]) { try $0.folded { $0 + $1 } },
    ONNXOperator("Mean", [6, 8, 13]) { call in
      try call.folded { $0 + $1 } / Double(call.values.count)
    },
    ONNXOperator("Clip", [6, 11, 12, 13], clip),
    ONNXOperator("Identity", [1, 13, 14, 16, 19, 21], values: { [$0.value(0) ?? .optional(nil)] }),
    ONNXOperator("CumSum", [11, 14], cumulativeSum),
    ONNXOperator("Det", [11]) { try $0.tensor(0).determinant() },
    ONNXOperator(
      "BitwiseNot", [18],
      values: { call in
        [.tensor((.!(try call.tensor(0))).wrapped(to: call.element(0)), call.element(0))]
      }),
    .pair("BitwiseAnd", [18]) { $0 .& $1 },
    .pair("BitwiseOr", [18]) { $0 .| $1 },
    .pair("BitwiseXor", [18]) { $0 .^ $1 },
    ONNXOperator("BitShift", [11], values: bitShift),
  ]

  private static func clip(_ call: ONNXCall) throws -> Tensor {
    var x = try call.tensor(0)
    if call.opset < 11 {
      let low = try call.float("min", -3.4028234663852886e38)
      let high = try call.float("max", 3.4028234663852886e38)
      return x.maximum(x.filled(.real(low))).minimum(x.filled(.real(high)))
    }
    if let low = call.optional(1) { x = x.maximum(low.reshaped([])) }
    if let high = call.optional(2) { x = x.minimum(high.reshaped([])) }
    return x
  }

  /// Sums up to and with each element, or without it; from the other end if reversed.
  private static func cumulativeSum(_ call: ONNXCall) throws -> Tensor {
    let x = try call.tensor(0)
    let axis = try call.axis(call.hostInt(1) ?? 0, x.rank)
    let reverse = try call.flag("reverse", false)
    let sums = Tensor.record(.cumulativeSum(axis: axis, reverse: reverse), x, x.shape, x.dtype)
    return try call.flag("exclusive", false) ? sums - x : sums
  }

  private static func bitShift(_ call: ONNXCall) throws -> [ONNXValue] {
    let (x, count) = (try call.tensor(0), try call.tensor(1))
    let power = x.filled(.integer(2)).stretched(to: x.shape).pow(count.cast(to: x.dtype))
    if try call.string("direction", "") == "RIGHT" {
      let isGone = count .>= (call.element(0)?.bitCount ?? 64)
      return [.tensor(which(isGone, x.filled(.integer(0)), x.floorDivided(by: power)))]
    }
    return [.tensor((x * power).wrapped(to: call.element(0)), call.element(0))]
  }
}

extension ONNXCall {
  /// All inputs combined from the first to the last.
  fileprivate func folded(_ combine: (Tensor, Tensor) -> Tensor) throws -> Tensor {
    let all = try tensors()
    guard let first = all.first else { throw error("it has no inputs") }
    return all.dropFirst().reduce(first, combine)
  }
}

extension Tensor {
  /// a / b, towards zero for integers.
  func dividedONNX(by other: Tensor) -> Tensor {
    if dtype.isFloating { return self / other }
    let sign = self.sign() * other.sign()
    return sign * self.abs().floorDivided(by: other.abs())
  }

  /// The remainder of the division towards zero, which has the sign of the dividend.
  fileprivate func fmod(_ other: Tensor) -> Tensor { sign() * (self.abs() % other.abs()) }

  /// The base's type stays.
  fileprivate func powered(by exponent: Tensor) -> Tensor {
    if dtype.isFloating { return pow(exponent.cast(to: dtype)) }
    return pow(exponent).cast(to: dtype)
  }

  /// Integers as an element type keeps them that its carrier has room beyond.
  func wrapped(to element: ONNXElement?) -> Tensor {
    guard let element, !element.isNative, let range = element.integerRange,
      range.upperBound < .max
    else { return self }
    let span = Int(range.upperBound - range.lowerBound + 1)
    let wide = cast(to: .int64)
    let low = Int(range.lowerBound)
    return ((wide - low) % span + low).cast(to: element.carrier ?? dtype)
  }
}
