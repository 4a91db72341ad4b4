extension Tensor {
  /// A function of a real variable, element by element; integers are taken as `float32`.
  private func real(_ kind: Unary) -> Tensor {
    let x = floating
    return .record(.unary(kind), x, x.shape, x.dtype)
  }

  /// A function that leaves integers as they are.
  private func rounding(_ kind: Unary) -> Tensor {
    dtype.isFloating ? .record(.unary(kind), self, shape, dtype) : self
  }

  /// eˣ
  public func exp() -> Tensor { real(.exp) }
  /// eˣ − 1, exact near 0.
  public func expm1() -> Tensor { real(.expm1) }
  /// Natural logarithm: −∞ at 0, NaN below.
  public func log() -> Tensor { real(.log) }
  /// log(1 + x), exact near 0.
  public func log1p() -> Tensor { real(.log1p) }
  /// Logarithm to base 2.
  public func log2() -> Tensor { log() / 0.693147180559945309417 }
  /// Logarithm to base 10.
  public func log10() -> Tensor { log() / 2.302585092994045684018 }
  /// √x, NaN below 0; its derivative at 0 is ∞.
  public func sqrt() -> Tensor { real(.sqrt) }
  /// 1 / √x: ∞ at 0, NaN below.
  public func rsqrt() -> Tensor { real(.rsqrt) }
  /// 1 / x
  public func reciprocal() -> Tensor { real(.reciprocal) }
  /// x²
  public func squared() -> Tensor { self * self }

  /// |x|; its derivative at 0 is taken as 0.
  public func abs() -> Tensor {
    dtype == .bool ? self : .record(.unary(.absolute), self, shape, dtype)
  }
  /// −1, 0 or 1, NaN for NaN; its derivative is taken as 0 everywhere.
  public func sign() -> Tensor {
    dtype == .bool ? self : .record(.unary(.sign), self, shape, dtype)
  }

  /// Sine, of radians.
  public func sin() -> Tensor { real(.sin) }
  /// Cosine, of radians.
  public func cos() -> Tensor { real(.cos) }
  /// Tangent, of radians.
  public func tan() -> Tensor { real(.tan) }
  /// Inverse sine, in [−π/2, π/2].
  public func asin() -> Tensor { real(.asin) }
  /// Inverse cosine, in [0, π].
  public func acos() -> Tensor { real(.acos) }
  /// Inverse tangent, in (−π/2, π/2).
  public func atan() -> Tensor { real(.atan) }
  /// Hyperbolic tangent.
  public func tanh() -> Tensor { real(.tanh) }

  /// (eˣ − e⁻ˣ) / 2, exact near 0.
  public func sinh() -> Tensor {
    let x = floating
    let isSmall = x.abs() .< 1
    let e = which(isSmall, x, 0).expm1()
    let (up, down) = which(isSmall, 0, x).halfExponentials()
    return which(isSmall, 0.5 * (e + e / (e + 1)), up - down)
  }

  /// (eˣ + e⁻ˣ) / 2
  public func cosh() -> Tensor {
    let (up, down) = floating.halfExponentials()
    return up + down
  }

  /// eˣ / 2 and e⁻ˣ / 2, without overflow before the halving.
  private func halfExponentials() -> (Tensor, Tensor) {
    let (up, down) = ((self * 0.5).exp(), (self * -0.5).exp())
    return (0.5 * up * up, 0.5 * down * down)
  }

  /// 2/√π ∫₀ˣ e^(−t²) dt
  public func erf() -> Tensor { real(.erf) }
  /// The x with erf(x) = this, for numbers in [−1, 1].
  public func erfInverse() -> Tensor { real(.erfInverse) }

  /// The largest integer not above x.
  public func floor() -> Tensor { rounding(.floor) }
  /// The smallest integer not below x.
  public func ceil() -> Tensor { rounding(.ceil) }
  /// The nearest integer; halves go to the even one.
  public func round() -> Tensor { rounding(.round) }

  /// Where the elements are not a number.
  public func isNaN() -> Tensor { self .!= self }
  /// Where the elements are neither infinite nor NaN.
  public func isFinite() -> Tensor {
    dtype.isFloating ? abs() .< Double.infinity : filled(.integer(1), dtype: .bool)
  }
}

extension Tensor {
  /// x to the power of `exponent`, element by element; shapes broadcast.
  public func pow(_ exponent: Tensor) -> Tensor { .binary(.power, self, exponent) }

  /// x to the power of a number: `x.pow(2)`, `x.pow(0.5)`.
  ///
  /// Small integers multiply and ±½ take roots, so that derivatives are right at 0 and below it.
  public func pow(_ exponent: some ScalarConvertible) -> Tensor {
    let dtype = Binary.power.operand(exponent.scalar.promoting(self.dtype))
    let x = cast(to: dtype)
    switch exponent.scalar.double {
    case 0: return x.filled(.integer(1))
    case 1: return x
    case 2: return x * x
    case 3: return x * x * x
    case 4: return (x * x).squared()
    case 0.5: return x.sqrt()
    case -0.5: return x.rsqrt()
    case -1 where dtype.isFloating: return x.reciprocal()
    default: return .binary(.power, x, exponent.scalar)
    }
  }

  /// The larger of two, element by element; NaN if either is. Shapes broadcast.
  public func maximum(_ other: Tensor) -> Tensor { .binary(.maximum, self, other) }
  /// The larger of every element and a number.
  public func maximum(_ n: some ScalarConvertible) -> Tensor { .binary(.maximum, self, n.scalar) }
  /// The smaller of two, element by element; NaN if either is. Shapes broadcast.
  public func minimum(_ other: Tensor) -> Tensor { .binary(.minimum, self, other) }
  /// The smaller of every element and a number.
  public func minimum(_ n: some ScalarConvertible) -> Tensor { .binary(.minimum, self, n.scalar) }

  /// Elements below `min` become `min`, those above `max` become `max`: `x.clamped(min: 0, max: 6)`.
  ///
  /// Keeps the type: bounds of an integer tensor are rounded inwards.
  public func clamped(min: Double? = nil, max: Double? = nil) -> Tensor {
    if let min, let max, min > max {
      return rejected("clamped", "min \(min) is above max \(max)")
    }
    var x = dtype == .bool ? cast(to: .int64) : self
    if let min {
      x = x.maximum(x.filled(.real(dtype.isFloating ? min : min.rounded(.up))))
    }
    if let max {
      x = x.minimum(x.filled(.real(dtype.isFloating ? max : max.rounded(.down))))
    }
    return x
  }

  /// log(eᵃ + eᵇ), without overflow, and with right derivatives to every order.
  public func logAddExp(_ other: Tensor) -> Tensor {
    let (a, b) = (floating, other.floating)
    let bothInfinite = (a .== b) .& .!a.isFinite()
    let difference = which(bothInfinite, 0, a - b)
    let isUp = difference .> 0
    return which(isUp, a, b) + which(isUp, -difference, difference).exp().log1p()
  }
}

/// The larger of two, element by element; NaN if either is. Shapes broadcast.
public func maximum(_ a: Tensor, _ b: Tensor) -> Tensor { a.maximum(b) }
/// The larger of every element and a number.
public func maximum(_ x: Tensor, _ n: some ScalarConvertible) -> Tensor { x.maximum(n) }
/// The larger of every element and a number.
public func maximum(_ n: some ScalarConvertible, _ x: Tensor) -> Tensor { x.maximum(n) }
/// The smaller of two, element by element; NaN if either is. Shapes broadcast.
public func minimum(_ a: Tensor, _ b: Tensor) -> Tensor { a.minimum(b) }
/// The smaller of every element and a number.
public func minimum(_ x: Tensor, _ n: some ScalarConvertible) -> Tensor { x.minimum(n) }
/// The smaller of every element and a number.
public func minimum(_ n: some ScalarConvertible, _ x: Tensor) -> Tensor { x.minimum(n) }

/// The angle of the point (x, y), in radians in (−π, π]. Shapes broadcast.
public func atan2(_ y: Tensor, _ x: Tensor) -> Tensor { .binary(.atan2, y, x) }

/// `condition ? a : b`, element by element; the three broadcast, `a` and `b` promote.
///
/// No derivative flows into the side that was not chosen, but an infinite derivative there still
/// spoils the sum (∞ · 0): give such a function a harmless argument where it is not chosen.
public func which(_ condition: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor {
  let dtype = DType.promoted(a.dtype, b.dtype)
  let choices = a.shape.broadcast(with: b.shape)
  guard condition.dtype == .bool else {
    return condition.rejected(
      "which", "the condition must be bool", ["condition \(condition.shape) of \(condition.dtype)"],
      hint: "compare first, e.g. x .!= 0", as: choices, dtype)
  }
  guard let choices else {
    Diagnostic.report(.broadcast("which", a.shape, b.shape))
    return a
  }
  guard let shape = condition.shape.broadcast(with: choices) else {
    return condition.rejected(
      "which", "the condition's shape does not broadcast with the others'",
      ["condition \(condition.shape)", "choices   \(choices)"],
      hint: Hint.broadcast(condition.shape, choices), as: choices, dtype)
  }
  return .record(
    .select,
    [
      condition.stretched(to: shape), a.cast(to: dtype).stretched(to: shape),
      b.cast(to: dtype).stretched(to: shape),
    ], shape, dtype)
}

/// As ``which(_:_:_:)-(_,Tensor,Tensor)``, with a number where the condition is false.
public func which(_ condition: Tensor, _ a: Tensor, _ n: some ScalarConvertible) -> Tensor {
  let a = a.cast(to: n.scalar.promoting(a.dtype))
  return which(condition, a, a.filled(n.scalar))
}

/// As ``which(_:_:_:)-(_,Tensor,Tensor)``, with a number where the condition is true.
public func which(_ condition: Tensor, _ n: some ScalarConvertible, _ b: Tensor) -> Tensor {
  let b = b.cast(to: n.scalar.promoting(b.dtype))
  return which(condition, b.filled(n.scalar), b)
}

extension Tensor {
  /// `self ? a : b`, element by element: `mask.select(a, b)`. See ``which(_:_:_:)-(_,Tensor,Tensor)``.
  public func select(_ a: Tensor, _ b: Tensor) -> Tensor { which(self, a, b) }
}
