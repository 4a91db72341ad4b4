import Foundation

extension Rule {
  /// z = f(x, y) element by element, from its partial derivatives and f on host numbers.
  private static func binary(
    _ partials: @escaping @Sendable (_ x: Tensor, _ y: Tensor, _ z: Tensor) -> (Tensor?, Tensor?),
    real: @escaping @Sendable (Double, Double) -> Double,
    integer: @escaping @Sendable (Int64, Int64) -> Int64
  ) -> Rule {
    Rule(
      vjp: { _, x, z, g in
        let (dx, dy) = partials(x[0], x[1], z)
        return [dx.map { g * $0 }, dy.map { g * $0 }]
      },
      jvp: { _, x, z, t in
        let (dx, dy) = partials(x[0], x[1], z)
        let a = t[0].flatMap { t in dx.map { t * $0 } }
        let b = t[1].flatMap { t in dy.map { t * $0 } }
        if let a, let b { return a + b }
        return a ?? b
      },
      batch: Batching.elementwise,
      reference: { _, x, shape, dtype in
        if dtype.isFloating {
          return HostArray(shape: shape, dtype: dtype, reals: zip(x[0].reals, x[1].reals).map(real))
        }
        return HostArray(
          shape: shape, dtype: dtype, integers: zip(x[0].integers, x[1].integers).map(integer))
      })
  }

  fileprivate static let add: Rule = {
    var rule = binary({ x, y, _ in (x, y) }, real: { $0 + $1 }, integer: { $0 &+ $1 })
    rule.vjp = { _, _, _, g in [g, g] }
    rule.jvp = { _, _, _, t in
      if let a = t[0], let b = t[1] { return a + b }
      return t[0] ?? t[1]
    }
    return rule
  }()

  fileprivate static let subtract: Rule = {
    var rule = binary({ x, y, _ in (x, y) }, real: { $0 - $1 }, integer: { $0 &- $1 })
    rule.vjp = { _, _, _, g in [g, -g] }
    rule.jvp = { _, _, _, t in
      if let a = t[0], let b = t[1] { return a - b }
      return t[0] ?? t[1].map { -$0 }
    }
    return rule
  }()

  fileprivate static let multiply = Rule.binary(
    { x, y, _ in (y, x) }, real: { $0 * $1 }, integer: { $0 &* $1 })

  fileprivate static let divide = Rule.binary(
    { _, y, z in
      let r = y.reciprocal()
      return (r, -(z * r))
    }, real: { $0 / $1 }, integer: { $1 == 0 ? 0 : $0 / $1 })

  /// d/dx xʸ = y xʸ⁻¹, zero where y = 0; d/dy xʸ = xʸ log x, zero where x = 0 and y ≥ 0.
  fileprivate static let power = Rule.binary(
    { x, y, z in
      let zero = Tensor.full(like: x, 0)
      let dx = which(y .== 0, zero, y * x.pow(y - 1))
      let settled = (x .== 0) .& (y .>= 0)
      let dy = which(settled, zero, z * which(settled, Tensor.full(like: x, 1), x).log())
      return (dx, dy)
    },
    real: { Foundation.pow($0, $1) },
    integer: { base, exponent in
      if exponent < 0 { return base == 1 ? 1 : base == -1 ? (exponent % 2 == 0 ? 1 : -1) : 0 }
      var (result, base, exponent): (Int64, Int64, Int64) = (1, base, exponent)
      while exponent > 0 {
        if exponent & 1 == 1 { result = result &* base }
        base = base &* base
        exponent >>= 1
      }
      return result
    })

  /// The operand chosen gets the derivative; equal operands share it.
  fileprivate static let maximum = Rule.binary(
    { x, y, _ in
      let tie = 0.5 * (x .== y).cast(to: x.dtype)
      return ((x .> y).cast(to: x.dtype) + tie, (y .> x).cast(to: x.dtype) + tie)
    }, real: { $0.isNaN || $1.isNaN ? .nan : max($0, $1) }, integer: { max($0, $1) })

  fileprivate static let minimum = Rule.binary(
    { x, y, _ in
      let tie = 0.5 * (x .== y).cast(to: x.dtype)
      return ((x .< y).cast(to: x.dtype) + tie, (y .< x).cast(to: x.dtype) + tie)
    }, real: { $0.isNaN || $1.isNaN ? .nan : min($0, $1) }, integer: { min($0, $1) })

  /// atan2(y, x): first operand the ordinate.
  fileprivate static let atan2 = Rule.binary(
    { y, x, _ in
      let r = (x * x + y * y).reciprocal()
      return (x * r, -(y * r))
    }, real: { Foundation.atan2($0, $1) },
    integer: { Int64(Foundation.atan2(Double($0), Double($1))) })

  fileprivate static let remainder = Rule.binary(
    { x, y, _ in (Tensor.full(like: x, 1), -(x / y).floor()) },
    real: { x, y in
      let r = fmod(x, y)
      return r != 0 && (r < 0) != (y < 0) ? r + y : r
    },
    integer: { x, y in
      if y == 0 { return 0 }
      let r = y == -1 ? 0 : x % y
      return r != 0 && (r < 0) != (y < 0) ? r + y : r
    })

  fileprivate static let floorDivide: Rule = {
    var rule = binary(
      { _, _, _ in (nil, nil) }, real: { ($0 / $1).rounded(.down) },
      integer: { x, y in
        if y == 0 { return 0 }
        if y == -1 { return 0 &- x }
        return x / y - (x % y != 0 && (x < 0) != (y < 0) ? 1 : 0)
      })
    rule.vjp = { _, _, _, _ in [nil, nil] }
    return rule
  }()

  private static func logic(_ integer: @escaping @Sendable (Int64, Int64) -> Int64) -> Rule {
    constant(
      batch: Batching.elementwise,
      reference: { _, x, shape, dtype in
        HostArray(
          shape: shape, dtype: dtype, integers: zip(x[0].integers, x[1].integers).map(integer))
      })
  }

  fileprivate static let and = Rule.logic { $0 & $1 }
  fileprivate static let or = Rule.logic { $0 | $1 }
  fileprivate static let xor = Rule.logic { $0 ^ $1 }

  static let compare = Rule.constant(
    batch: Batching.elementwise,
    reference: { op, x, shape, dtype in
      guard case .compare(let kind) = op else { return x[0] }
      func holds<T: Comparable>(_ a: T, _ b: T) -> Int64 {
        switch kind {
        case .equal: a == b ? 1 : 0
        case .notEqual: a != b ? 1 : 0
        case .less: a < b ? 1 : 0
        case .lessEqual: a <= b ? 1 : 0
        }
      }
      let integers =
        x[0].dtype.isFloating
        ? zip(x[0].reals, x[1].reals).map { holds($0, $1) }
        : zip(x[0].integers, x[1].integers).map { holds($0, $1) }
      return HostArray(shape: shape, dtype: dtype, integers: integers)
    })

  static let select = Rule(
    vjp: { _, x, _, g in
      let zero = Tensor.full(like: g, 0)
      return [nil, which(x[0], g, zero), which(x[0], zero, g)]
    },
    jvp: { _, x, y, t in
      if t[1] == nil && t[2] == nil { return nil }
      let zero = Tensor.full(like: y, 0)
      return which(x[0], t[1] ?? zero, t[2] ?? zero)
    },
    batch: Batching.elementwise,
    reference: { _, x, shape, dtype in
      let condition = x[0].integers
      if dtype.isFloating {
        let (a, b) = (x[1].reals, x[2].reals)
        return HostArray(
          shape: shape, dtype: dtype,
          reals: condition.indices.map { condition[$0] != 0 ? a[$0] : b[$0] })
      }
      let (a, b) = (x[1].integers, x[2].integers)
      return HostArray(
        shape: shape, dtype: dtype,
        integers: condition.indices.map { condition[$0] != 0 ? a[$0] : b[$0] })
    })

  static let cast = Rule(
    vjp: { _, x, _, g in [x[0].dtype.isFloating ? g.cast(to: x[0].dtype) : nil] },
    jvp: { _, _, y, t in y.dtype.isFloating ? t[0]?.cast(to: y.dtype) : nil },
    batch: Batching.elementwise,
    reference: { _, x, shape, dtype in
      switch x[0].values {
      case .reals(let reals): HostArray(shape: shape, dtype: dtype, scalars: reals.map(Scalar.real))
      case .integers(let integers):
        HostArray(shape: shape, dtype: dtype, scalars: integers.map(Scalar.integer))
      }
    })
}

extension Binary {
  package var rule: Rule {
    switch self {
    case .add: .add
    case .subtract: .subtract
    case .multiply: .multiply
    case .divide: .divide
    case .power: .power
    case .maximum: .maximum
    case .minimum: .minimum
    case .atan2: .atan2
    case .remainder: .remainder
    case .floorDivide: .floorDivide
    case .and: .and
    case .or: .or
    case .xor: .xor
    }
  }
}
