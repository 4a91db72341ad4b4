import TarnCore

extension Tensor {
  /// (x − μ) / √(σ² + ε) over these axes.
  func standardized(axes: [Int], _ epsilon: Double) -> Tensor {
    let centred = self - mean(axes: axes, keepDims: true)
    return centred * (centred.squared().mean(axes: axes, keepDims: true) + epsilon).rsqrt()
  }

  /// (x − μ) / √(σ² + ε) · γ + β over the last `count` axes, those of γ and β: one operation that a backend may do in
  /// one pass.
  package func layerNormalized(
    over count: Int, _ epsilon: Double, weight: Tensor? = nil, bias: Tensor? = nil
  ) -> Tensor {
    let y = standardized(axes: Array((rank - count)..<rank), epsilon)
    let scaled = weight.map { y * $0 } ?? y
    let fallback = bias.map { scaled + $0 } ?? scaled
    let arguments = [self] + [weight, bias].compactMap { $0 }
    guard fallback.shape == shape, arguments.allSatisfy({ $0.dtype == dtype }) else {
      return fallback
    }
    let call = Call.layerNorm(count, epsilon, hasWeight: weight != nil)
    return .record(.call(call), [fallback] + arguments, shape, dtype)
  }
}

extension Call {
  /// Arguments x, γ if there is one, β if there is one. Attributes: axes that are normalised, ε, whether there is γ.
  fileprivate static func layerNorm(_ count: Int, _ epsilon: Double, hasWeight: Bool) -> Call {
    Call(
      "layerNorm",
      [.integer(Int64(count)), .real(epsilon), .integer(hasWeight ? 1 : 0)],
      vjp: { arguments, _, g in
        let x = arguments[0]
        let weight = hasWeight ? arguments[1] : nil
        let rows = Array(0..<(x.rank - count))
        var gradients: [Tensor?] = [gradient(x, g, weight, count, epsilon)]
        if hasWeight {
          gradients.append((g * x.layerNormalized(over: count, epsilon)).sum(axes: rows))
        }
        if arguments.count > gradients.count { gradients.append(g.sum(axes: rows)) }
        return gradients
      },
      jvp: { arguments, y, tangents in
        let x = arguments[0]
        var parts: [Tensor] = []
        if let t = tangents[0] {
          let tangent = gradient(x, t, nil, count, epsilon)
          parts.append(hasWeight ? tangent * arguments[1] : tangent)
        }
        if hasWeight, let t = tangents[1] {
          parts.append(x.layerNormalized(over: count, epsilon) * t)
        }
        if arguments.count > (hasWeight ? 2 : 1), let t = tangents[arguments.count - 1] {
          parts.append(t.broadcast(to: y.shape))
        }
        return parts.dropFirst().reduce(parts.first) { sum, part in sum.map { $0 + part } }
      })
  }

  /// dx = (h − mean h − x̂ mean(h x̂)) / √(σ² + ε) with h = g γ, also one operation to a backend that has it. Its own
  /// derivatives are those of the formula.
  private static func gradient(
    _ x: Tensor, _ g: Tensor, _ weight: Tensor?, _ count: Int, _ epsilon: Double
  ) -> Tensor {
    let axes = Array((x.rank - count)..<x.rank)
    let centred = x - x.mean(axes: axes, keepDims: true)
    let deviation = (centred.squared().mean(axes: axes, keepDims: true) + epsilon).rsqrt()
    let y = centred * deviation
    let h = weight.map { g * $0 } ?? g
    let along = (h * y).mean(axes: axes, keepDims: true)
    let fallback = (h - h.mean(axes: axes, keepDims: true) - y * along) * deviation
    let call = Call("layerNormGradient", [.integer(Int64(count)), .real(epsilon)])
    return .record(
      .call(call), [fallback, x, g] + [weight].compactMap { $0 }, x.shape, x.dtype)
  }
}
