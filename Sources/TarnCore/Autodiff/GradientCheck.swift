import Foundation

/// What a gradient check found.
public struct GradientCheck: Sendable, CustomStringConvertible {
  /// Largest |analytic − numeric| / max(1, |numeric|) over the directions tried, by what was compared.
  public var errors: [(what: String, error: Double)]
  /// The largest error that passes.
  public var tolerance: Double
  /// Whether every error is within the tolerance; one that is not a number is not.
  public var passed: Bool { errors.allSatisfy { $0.error <= tolerance } }
  public var description: String {
    errors.map { "\($0.what): \($0.error)\($0.error <= tolerance ? "" : "  exceeds \(tolerance)")" }
      .joined(separator: "\n")
  }
}

/// Compares the derivatives of `f` at `x` with central differences and with one another, along random directions.
///
/// Order 1: reverse against differences of f, forward against reverse. Order 2 also: Hessian-vector
/// products, forward over reverse and reverse over reverse, against differences of the gradient. Run it in float64.
///
/// - Parameters:
///   - f: a function of tensors; its result is summed with fixed weights to a scalar.
///   - order: 1 or 2.
///   - step: spacing h of the differences; their error is O(h²).
///
/// ```swift
/// let check = checkGradients({ $0[0].sin() * $0[1] }, at: [x, y], order: 2)
/// ```
public func checkGradients(
  _ f: @escaping @Sendable ([Tensor]) -> Tensor, at x: [Tensor], order: Int = 1,
  step: Double = 1e-5,
  tolerance: Double = 1e-5, seed: UInt64 = 0
) -> GradientCheck {
  func direction(_ like: [Tensor], _ salt: UInt64) -> [Tensor] {
    like.enumerated().map { i, t in
      // Fixed, irregular numbers: no two elements alike, none near zero.
      let values = (0..<t.count).map {
        0.4 + 0.6 * Foundation.sin(Double($0 * 7 + i * 3) + Double(seed &+ salt))
      }
      return Device.with(t.device) { Tensor(values, shape: t.shape).cast(to: t.dtype) }
    }
  }
  @Sendable func dot(_ a: [Tensor], _ b: [Tensor]) -> Tensor {
    zip(a, b).map { ($0 * $1).sum() }.reduce(Tensor.full(like: a[0].sum(), 0)) { $0 + $1 }
  }
  func moved(_ h: Double, along v: [Tensor]) -> [Tensor] { zip(x, v).map { $0 + h * $1 } }
  func gap(_ a: Double, _ b: Double) -> Double {
    a.isFinite && b.isFinite ? abs(a - b) / max(1, abs(b)) : .infinity
  }

  let weights = direction([f(x)], 11)[0]
  let scalar: @Sendable ([Tensor]) -> Tensor = { (f($0) * weights).sum() }
  let v = direction(x, 5)
  let gradient = grad(scalar, at: x)
  let numeric = ((scalar(moved(step, along: v)) - scalar(moved(-step, along: v))) / (2 * step))
    .item()
  let reverse = dot(gradient, v).item()
  let forward = jvp(scalar, at: x, along: v).tangent.item()
  var errors = [
    (what: "reverse against differences", error: gap(reverse, numeric)),
    (what: "forward against reverse", error: gap(forward, reverse)),
  ]
  if order >= 2 {
    let u = direction(x, 23)
    let along: @Sendable ([Tensor]) -> Tensor = { dot(grad(scalar, at: $0), u) }
    let numeric = ((along(moved(step, along: v)) - along(moved(-step, along: v))) / (2 * step))
      .item()
    let forwardOverReverse = dot(hvp(scalar, at: x, along: v), u).item()
    let reverseOverReverse = dot(grad(along, at: x), v).item()
    let reverseOverForward = dot(grad({ jvp(scalar, at: $0, along: u).tangent }, at: x), v).item()
    errors += [
      (what: "forward over reverse against differences", error: gap(forwardOverReverse, numeric)),
      (what: "reverse over reverse against differences", error: gap(reverseOverReverse, numeric)),
      (what: "reverse over forward against differences", error: gap(reverseOverForward, numeric)),
    ]
  }
  return GradientCheck(errors: errors, tolerance: tolerance)
}
