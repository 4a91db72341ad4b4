extension Binary {
  /// As it is written in a program.
  var symbol: String {
    switch self {
    case .add: "+"
    case .subtract: "-"
    case .multiply: "*"
    case .divide: "/"
    case .power: "pow"
    case .maximum: "maximum"
    case .minimum: "minimum"
    case .atan2: "atan2"
    case .remainder: "%"
    case .floorDivide: "floorDivided"
    case .and: ".&"
    case .or: ".|"
    case .xor: ".^"
    }
  }

  /// The type operands of `dtype` are worked on in.
  func operand(_ dtype: DType) -> DType {
    if dtype == .float32 { return dtype }
    switch self {
    case .divide, .atan2: return dtype.floating
    case .maximum, .minimum, .and, .or, .xor: return dtype
    default: return dtype == .bool ? .int64 : dtype
    }
  }

  var isLogical: Bool { self == .and || self == .or || self == .xor }
}

extension Comparison {
  var symbol: String {
    switch self {
    case .equal: ".=="
    case .notEqual: ".!="
    case .less: ".<"
    case .lessEqual: ".<="
    }
  }
}

extension Diagnostic {
  /// Two shapes of which neither stretches to the other.
  package static func broadcast(_ operation: String, _ left: [Int], _ right: [Int]) -> Diagnostic {
    Diagnostic(
      operation: operation, reason: "shapes do not broadcast",
      facts: ["left  \(left)", "right \(right)"], hint: Hint.broadcast(left, right))
  }
}

extension Tensor {
  /// `a ∘ b` with both brought to one shape and type.
  package static func binary(_ kind: Binary, _ a: Tensor, _ b: Tensor) -> Tensor {
    let dtype = kind.operand(a.dtype == b.dtype ? a.dtype : DType.promoted(a.dtype, b.dtype))
    if kind.isLogical && dtype.isFloating { return notLogical(kind.symbol, a, b) }
    if a.dtype == dtype && b.dtype == dtype && a.shape == b.shape {
      return record(.binary(kind), a, b, a.shape, dtype)
    }
    guard let shape = common(a, b, kind.symbol) else { return a.filled(.integer(0), dtype: dtype) }
    return record(
      .binary(kind), a.cast(to: dtype).stretched(to: shape), b.cast(to: dtype).stretched(to: shape),
      shape, dtype)
  }

  /// `x ∘ value`.
  package static func binary(_ kind: Binary, _ x: Tensor, _ value: Scalar) -> Tensor {
    let dtype = kind.operand(value.promoting(x.dtype))
    return record(.binary(kind), x.cast(to: dtype), x.filled(value, dtype: dtype), x.shape, dtype)
  }

  /// `value ∘ x`.
  package static func binary(_ kind: Binary, _ value: Scalar, _ x: Tensor) -> Tensor {
    let dtype = kind.operand(value.promoting(x.dtype))
    return record(.binary(kind), x.filled(value, dtype: dtype), x.cast(to: dtype), x.shape, dtype)
  }

  private static func notLogical(_ symbol: String, _ a: Tensor, _ b: Tensor) -> Tensor {
    a.rejected(
      symbol, "operands must be bool or integers",
      ["left  \(a.shape) of \(a.dtype)", "right \(b.shape) of \(b.dtype)"],
      hint: "compare first, e.g. x .!= 0", as: a.shape.broadcast(with: b.shape), .bool)
  }

  package static func compare(_ kind: Comparison, _ a: Tensor, _ b: Tensor) -> Tensor {
    if a.dtype == b.dtype && a.shape == b.shape {
      return record(.compare(kind), a, b, a.shape, .bool)
    }
    let dtype = DType.promoted(a.dtype, b.dtype)
    guard let shape = common(a, b, kind.symbol) else { return a.filled(.integer(0), dtype: .bool) }
    return record(
      .compare(kind), a.cast(to: dtype).stretched(to: shape),
      b.cast(to: dtype).stretched(to: shape),
      shape, .bool)
  }

  package static func compare(_ kind: Comparison, _ x: Tensor, _ value: Scalar) -> Tensor {
    let dtype = value.promoting(x.dtype)
    return record(.compare(kind), x.cast(to: dtype), x.filled(value, dtype: dtype), x.shape, .bool)
  }

  package static func compare(_ kind: Comparison, _ value: Scalar, _ x: Tensor) -> Tensor {
    let dtype = value.promoting(x.dtype)
    return record(.compare(kind), x.filled(value, dtype: dtype), x.cast(to: dtype), x.shape, .bool)
  }

  /// The shape two tensors broadcast to; nil after a report.
  private static func common(_ a: Tensor, _ b: Tensor, _ operation: String) -> [Int]? {
    if let shape = a.shape.broadcast(with: b.shape) { return shape }
    Diagnostic.report(.broadcast(operation, a.shape, b.shape))
    return nil
  }

  /// Repeated to `shape`, which is known to fit.
  package func stretched(to shape: [Int]) -> Tensor {
    if self.shape == shape { return self }
    if case .full(let value) = node.op {
      return .full(shape, value, dtype: dtype, device: device)
    }
    let lead = [Int](repeating: 1, count: shape.count - rank)
    let aligned = lead.isEmpty ? self : Tensor.record(.reshape, self, lead + self.shape, dtype)
    return aligned.shape == shape ? aligned : .record(.broadcast, aligned, shape, dtype)
  }
}

// Arithmetic. Operands broadcast (aligned at the last axis) and promote (``DType/promoted(_:_:)``).
extension Tensor {
  /// Sum, element by element; shapes broadcast.
  public static func + (a: Tensor, b: Tensor) -> Tensor { binary(.add, a, b) }
  /// Difference, element by element; shapes broadcast.
  public static func - (a: Tensor, b: Tensor) -> Tensor { binary(.subtract, a, b) }
  /// Product, element by element; shapes broadcast.
  public static func * (a: Tensor, b: Tensor) -> Tensor { binary(.multiply, a, b) }
  /// True quotient, element by element: integers give `float32`.
  public static func / (a: Tensor, b: Tensor) -> Tensor { binary(.divide, a, b) }
  /// Remainder with the sign of the divisor: a − b ⌊a / b⌋.
  public static func % (a: Tensor, b: Tensor) -> Tensor { binary(.remainder, a, b) }

  /// Every element plus a number. An integer keeps the type, a fraction turns integers into `float32`.
  public static func + (x: Tensor, n: some ScalarConvertible) -> Tensor {
    binary(.add, x, n.scalar)
  }
  /// Every element less a number.
  public static func - (x: Tensor, n: some ScalarConvertible) -> Tensor {
    binary(.subtract, x, n.scalar)
  }
  /// Every element times a number.
  public static func * (x: Tensor, n: some ScalarConvertible) -> Tensor {
    binary(.multiply, x, n.scalar)
  }
  /// Every element divided by a number: integers give `float32`.
  public static func / (x: Tensor, n: some ScalarConvertible) -> Tensor {
    binary(.divide, x, n.scalar)
  }
  /// Remainder of every element, with the sign of the divisor.
  public static func % (x: Tensor, n: some ScalarConvertible) -> Tensor {
    binary(.remainder, x, n.scalar)
  }

  /// A number plus every element.
  public static func + (n: some ScalarConvertible, x: Tensor) -> Tensor {
    binary(.add, n.scalar, x)
  }
  /// A number less every element.
  public static func - (n: some ScalarConvertible, x: Tensor) -> Tensor {
    binary(.subtract, n.scalar, x)
  }
  /// A number times every element.
  ///
  /// Swift works `1 / 2 * x` out from the left, in integers: that is 0. Write `0.5 * x`.
  public static func * (n: some ScalarConvertible, x: Tensor) -> Tensor {
    binary(.multiply, n.scalar, x)
  }
  /// A number divided by every element.
  public static func / (n: some ScalarConvertible, x: Tensor) -> Tensor {
    binary(.divide, n.scalar, x)
  }
  /// Remainder of a number by every element.
  public static func % (n: some ScalarConvertible, x: Tensor) -> Tensor {
    binary(.remainder, n.scalar, x)
  }

  /// Every element negated; bool counts as 0 and 1.
  public static prefix func - (x: Tensor) -> Tensor {
    let x = x.dtype == .bool ? x.cast(to: .int64) : x
    return record(.unary(.negate), x, x.shape, x.dtype)
  }

  /// `a = a + b`.
  public static func += (a: inout Tensor, b: Tensor) { a = a + b }
  /// `a = a - b`.
  public static func -= (a: inout Tensor, b: Tensor) { a = a - b }
  /// `a = a * b`.
  public static func *= (a: inout Tensor, b: Tensor) { a = a * b }
  /// `a = a / b`.
  public static func /= (a: inout Tensor, b: Tensor) { a = a / b }
  /// `a = a + n`.
  public static func += (a: inout Tensor, n: some ScalarConvertible) { a = a + n }
  /// `a = a - n`.
  public static func -= (a: inout Tensor, n: some ScalarConvertible) { a = a - n }
  /// `a = a * n`.
  public static func *= (a: inout Tensor, n: some ScalarConvertible) { a = a * n }
  /// `a = a / n`.
  public static func /= (a: inout Tensor, n: some ScalarConvertible) { a = a / n }

  /// ⌊a / b⌋, element by element; integers stay integers.
  public func floorDivided(by other: Tensor) -> Tensor { .binary(.floorDivide, self, other) }
  /// ⌊x / n⌋ of every element.
  public func floorDivided(by n: some ScalarConvertible) -> Tensor {
    .binary(.floorDivide, self, n.scalar)
  }
}

// Comparisons give bool. A NaN is unequal to everything and neither less nor greater.
extension Tensor {
  /// Where the elements are equal.
  public static func .== (a: Tensor, b: Tensor) -> Tensor { compare(.equal, a, b) }
  /// Where the elements differ.
  public static func .!= (a: Tensor, b: Tensor) -> Tensor { compare(.notEqual, a, b) }
  /// Where a < b.
  public static func .< (a: Tensor, b: Tensor) -> Tensor { compare(.less, a, b) }
  /// Where a ≤ b.
  public static func .<= (a: Tensor, b: Tensor) -> Tensor { compare(.lessEqual, a, b) }
  /// Where a > b.
  public static func .> (a: Tensor, b: Tensor) -> Tensor { compare(.less, b, a) }
  /// Where a ≥ b.
  public static func .>= (a: Tensor, b: Tensor) -> Tensor { compare(.lessEqual, b, a) }

  /// Where the elements equal a number.
  public static func .== (x: Tensor, n: some ScalarConvertible) -> Tensor {
    compare(.equal, x, n.scalar)
  }
  /// Where the elements differ from a number.
  public static func .!= (x: Tensor, n: some ScalarConvertible) -> Tensor {
    compare(.notEqual, x, n.scalar)
  }
  /// Where the elements are less than a number.
  public static func .< (x: Tensor, n: some ScalarConvertible) -> Tensor {
    compare(.less, x, n.scalar)
  }
  /// Where the elements are at most a number.
  public static func .<= (x: Tensor, n: some ScalarConvertible) -> Tensor {
    compare(.lessEqual, x, n.scalar)
  }
  /// Where the elements are greater than a number.
  public static func .> (x: Tensor, n: some ScalarConvertible) -> Tensor {
    compare(.less, n.scalar, x)
  }
  /// Where the elements are at least a number.
  public static func .>= (x: Tensor, n: some ScalarConvertible) -> Tensor {
    compare(.lessEqual, n.scalar, x)
  }

  /// And, of bools or bit by bit of integers.
  public static func .& (a: Tensor, b: Tensor) -> Tensor { binary(.and, a, b) }
  /// Or, of bools or bit by bit of integers.
  public static func .| (a: Tensor, b: Tensor) -> Tensor { binary(.or, a, b) }
  /// Exclusive or, of bools or bit by bit of integers.
  public static func .^ (a: Tensor, b: Tensor) -> Tensor { binary(.xor, a, b) }

  /// Not, of bools or bit by bit of integers.
  public static prefix func .! (x: Tensor) -> Tensor {
    if x.dtype.isFloating {
      return x.rejected(
        ".!", "the operand must be bool or integers", ["tensor \(x.shape) of \(x.dtype)"],
        hint: "compare first, e.g. x .== 0", as: x.shape, .bool)
    }
    return record(.unary(.not), x, x.shape, x.dtype)
  }
}
