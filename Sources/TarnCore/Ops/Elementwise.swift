import Foundation

extension Rule {
  /// y = f(x) element by element, from f'(x) and f on host numbers.
  private static func unary(
    _ derivative: @escaping @Sendable (_ x: Tensor, _ y: Tensor) -> Tensor,
    _ real: @escaping @Sendable (Double) -> Double,
    integer: (@Sendable (Int64) -> Int64)? = nil
  ) -> Rule {
    Rule(
      vjp: { _, x, y, g in [g * derivative(x[0], y)] },
      jvp: { _, x, y, t in t[0].map { $0 * derivative(x[0], y) } },
      batch: Batching.elementwise,
      reference: { _, x, shape, dtype in
        switch x[0].values {
        case .reals(let reals): HostArray(shape: shape, dtype: dtype, reals: reals.map(real))
        case .integers(let integers):
          HostArray(
            shape: shape, dtype: dtype,
            integers: integers.map { integer?($0) ?? Scalar.real(real(Double($0))).int64 })
        }
      })
  }

  /// A step function: its derivative is zero wherever it has one.
  private static func step(
    _ real: @escaping @Sendable (Double) -> Double, integer: @escaping @Sendable (Int64) -> Int64
  ) -> Rule {
    var rule = unary({ x, _ in x }, real, integer: integer)
    rule.vjp = { _, _, _, _ in [nil] }
    rule.jvp = { _, _, _, _ in nil }
    return rule
  }

  fileprivate static let negate = Rule.unary(
    { x, _ in Tensor.full(like: x, -1) }, { -$0 }, integer: { 0 &- $0 })
  fileprivate static let absolute = Rule.unary(
    { x, _ in x.sign() }, { Swift.abs($0) }, integer: { $0 < 0 ? 0 &- $0 : $0 })
  fileprivate static let sign = Rule.step(
    { $0 > 0 ? 1 : $0 < 0 ? -1 : $0 }, integer: { $0.signum() })
  fileprivate static let exp = Rule.unary({ _, y in y }, { Foundation.exp($0) })
  fileprivate static let expm1 = Rule.unary({ x, _ in x.exp() }, { Foundation.expm1($0) })
  fileprivate static let log = Rule.unary({ x, _ in x.reciprocal() }, { Foundation.log($0) })
  fileprivate static let log1p = Rule.unary(
    { x, _ in (x + 1).reciprocal() }, { Foundation.log1p($0) })
  fileprivate static let sqrt = Rule.unary({ _, y in 0.5 * y.reciprocal() }, { $0.squareRoot() })
  fileprivate static let rsqrt = Rule.unary({ _, y in -0.5 * (y * y * y) }, { 1 / $0.squareRoot() })
  fileprivate static let reciprocal = Rule.unary({ _, y in -(y * y) }, { 1 / $0 })
  fileprivate static let sin = Rule.unary({ x, _ in x.cos() }, { Foundation.sin($0) })
  fileprivate static let cos = Rule.unary({ x, _ in -x.sin() }, { Foundation.cos($0) })
  fileprivate static let tan = Rule.unary({ _, y in 1 + y * y }, { Foundation.tan($0) })
  fileprivate static let asin = Rule.unary({ x, _ in (1 - x * x).rsqrt() }, { Foundation.asin($0) })
  fileprivate static let acos = Rule.unary(
    { x, _ in -(1 - x * x).rsqrt() }, { Foundation.acos($0) })
  fileprivate static let atan = Rule.unary(
    { x, _ in (1 + x * x).reciprocal() }, { Foundation.atan($0) })
  fileprivate static let tanh = Rule.unary({ _, y in 1 - y * y }, { Foundation.tanh($0) })
  /// d erf = 2/√π · exp(−x²)
  fileprivate static let erf = Rule.unary(
    { x, _ in 1.1283791670955126 * (-(x * x)).exp() }, { Foundation.erf($0) })
  /// d erf⁻¹ = √π/2 · exp(y²)
  fileprivate static let erfInverse = Rule.unary(
    { _, y in 0.886226925452758 * (y * y).exp() }, { Special.erfInverse($0) })
  fileprivate static let sigmoid = Rule.unary(
    { _, y in y * (1 - y) },
    { $0 >= 0 ? 1 / (1 + Foundation.exp(-$0)) : Foundation.exp($0) / (1 + Foundation.exp($0)) })
  /// The derivative at 0 is 0, and NaN stays NaN. Taken from y, so that x need not be kept.
  fileprivate static let relu = Rule.unary(
    { _, y in (y .> 0).cast(to: y.dtype) }, { $0 < 0 ? 0 : $0 }, integer: { max($0, 0) })
  fileprivate static let gelu = Rule.unary(
    { x, _ in .record(.unary(.geluSlope), x, x.shape, x.dtype) },
    { 0.5 * $0 * (1 + Foundation.erf($0 * 0.5.squareRoot())) })
  /// Φ(x) + x φ(x); its derivative is φ(x) (2 − x²).
  fileprivate static let geluSlope = Rule.unary(
    { x, _ in
      let square = x * x
      return 0.3989422804014327 * (-0.5 * square).exp() * (2 - square)
    },
    { x in
      let bounded = Swift.max(-40, Swift.min(40, x))
      return 0.5 * (1 + Foundation.erf(x * 0.5.squareRoot()))
        + 0.3989422804014327 * bounded * Foundation.exp(-0.5 * x * x)
    })
  fileprivate static let floor = Rule.step({ $0.rounded(.down) }, integer: { $0 })
  fileprivate static let ceil = Rule.step({ $0.rounded(.up) }, integer: { $0 })
  fileprivate static let round = Rule.step({ $0.rounded(.toNearestOrEven) }, integer: { $0 })

  /// Logical for bool, bit by bit for integers.
  fileprivate static let not = Rule.constant(
    batch: Batching.elementwise,
    reference: { _, x, shape, dtype in
      HostArray(
        shape: shape, dtype: dtype, integers: x[0].integers.map { dtype == .bool ? 1 - $0 : ~$0 })
    })
}

extension Unary {
  package var rule: Rule {
    switch self {
    case .negate: .negate
    case .absolute: .absolute
    case .sign: .sign
    case .exp: .exp
    case .expm1: .expm1
    case .log: .log
    case .log1p: .log1p
    case .sqrt: .sqrt
    case .rsqrt: .rsqrt
    case .reciprocal: .reciprocal
    case .sin: .sin
    case .cos: .cos
    case .tan: .tan
    case .asin: .asin
    case .acos: .acos
    case .atan: .atan
    case .tanh: .tanh
    case .erf: .erf
    case .erfInverse: .erfInverse
    case .sigmoid: .sigmoid
    case .relu: .relu
    case .floor: .floor
    case .ceil: .ceil
    case .round: .round
    case .not: .not
    case .gelu: .gelu
    case .geluSlope: .geluSlope
    }
  }
}

package enum Special {
  /// erf⁻¹ by Giles' starting polynomial ("Approximating the erfinv function", 2010) and two Newton steps.
  package static func erfInverse(_ y: Double) -> Double {
    guard abs(y) < 1 else { return abs(y) == 1 ? (y > 0 ? .infinity : -.infinity) : .nan }
    guard y != 0 else { return y }
    var w = -Foundation.log((1 - y) * (1 + y))
    var x: Double
    if w < 5 {
      w -= 2.5
      x = polynomial(
        w,
        [
          2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087,
          -0.00125372503,
          -0.00417768164, 0.246640727, 1.50140941,
        ])
    } else {
      w = w.squareRoot() - 3
      x = polynomial(
        w,
        [
          -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773,
          -0.0076224613,
          0.00943887047, 1.00167406, 2.83297682,
        ])
    }
    x *= y
    for _ in 0..<2 {
      // The tail is solved in erfc, where it keeps its digits.
      let error =
        y < 0.5 && y > -0.5
        ? Foundation.erf(x) - y
        : y > 0 ? (1 - y) - Foundation.erfc(x) : Foundation.erfc(-x) - (1 + y)
      x -= error / (1.1283791670955126 * Foundation.exp(-x * x))
    }
    return x
  }

  private static func polynomial(_ x: Double, _ coefficients: [Double]) -> Double {
    coefficients.reduce(0) { $0 * x + $1 }
  }
}
