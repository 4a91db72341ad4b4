/// `x` as a constant: no derivative flows through it.
public func stopGradient<X: TensorTree>(_ x: X) -> X {
  x.mapTensors(.trainable) { Tensor.record(.call(.stopGradient), [$0, $0], $0.shape, $0.dtype) }
}

extension Call {
  static let stopGradient = Call("stopGradient", vjp: { _, _, _ in [] }, jvp: { _, _, _ in nil })
}

/// A function with a derivative of your own.
///
/// - Parameters:
///   - x: the arguments.
///   - forward: computes the value in ordinary operations.
///   - vjp: gradients for the arguments from (arguments, value, gradient of the value); nil where there is none.
///     A gradient of another shape than its argument's is reported.
///   - jvp: optional tangent of the value from (arguments, value, tangents of the arguments), for forward mode.
///
/// ```swift
/// // Straight-through rounding
/// let y = customDerivative([x], { $0[0].round() }, vjp: { _, _, g in [g] })
/// ```
public func customDerivative(
  _ x: [Tensor], _ forward: ([Tensor]) -> Tensor,
  vjp: @escaping @Sendable ([Tensor], Tensor, Tensor) -> [Tensor?],
  jvp: (@Sendable ([Tensor], Tensor, [Tensor?]) -> Tensor?)? = nil
) -> Tensor {
  let value = forward(x)
  let checked: @Sendable ([Tensor], Tensor, Tensor) -> [Tensor?] = { x, y, g in
    let gradients = vjp(x, y, g)
    let fits = zip(x, gradients).allSatisfy { $1 == nil || $1?.shape == $0.shape }
    guard gradients.count > x.count || !fits else { return gradients }
    return Diagnostic.report(
      Diagnostic(
        operation: "customDerivative", reason: "a gradient must have the shape of its argument",
        facts: [
          "arguments \(x.map(\.shape))",
          "gradients \(gradients.map { $0?.shape.description ?? "nil" })",
        ]),
      giving: [])
  }
  let call = Call("customDerivative", vjp: checked, jvp: jvp)
  return Tensor.record(.call(call), [value] + x, value.shape, value.dtype)
}
