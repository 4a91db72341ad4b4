extension Tensor {
  /// Mean and variance (biased) of each channel of [N, C, …], as [2, C].
  package func channelMoments() -> Tensor {
    let axes = [0] + Array(2..<rank)
    let mean = self.mean(axes: axes, keepDims: true)
    let variance = (self - mean).squared().mean(axes: axes, keepDims: true)
    let fallback = Tensor.concatenated(
      [mean.reshaped([1, -1]), variance.reshaped([1, -1])], axis: 0)
    return Tensor.record(
      .call(Call("batchMoments")), [fallback, self], fallback.shape, fallback.dtype)
  }

  /// y = (x − μ) / √(σ² + ε) · γ + β, with the mean μ and variance σ² of each channel of [N, C, …].
  ///
  /// - Parameters:
  ///   - moments: this tensor's own ``channelMoments()``.
  ///   - scale: γ [C], or ones.
  ///   - shift: β [C], or zeros.
  package func batchNormalized(
    _ moments: Tensor, scale: Tensor?, shift: Tensor?, epsilon: Double
  ) -> Tensor {
    let scale = scale ?? Tensor.full(like: moments[0], 1)
    let shift = shift ?? Tensor.full(like: moments[0], 0)
    let factor = (moments[1] + epsilon).rsqrt() * scale
    let fallback = self * factor.perChannel(rank) + (shift - moments[0] * factor).perChannel(rank)
    return Tensor.record(
      .call(.batchNormalization(epsilon)), [fallback, self, scale, shift], fallback.shape, dtype)
  }

  /// Σ g and Σ g (x − μ) / √(σ² + ε) of each channel, as [2, C].
  fileprivate func channelGradientSums(_ x: Tensor, _ moments: Tensor, _ epsilon: Double) -> Tensor
  {
    let axes = [0] + Array(2..<rank)
    let deviation = (moments[1] + epsilon).rsqrt().perChannel(rank)
    let normal = (x - moments[0].perChannel(rank)) * deviation
    let sums = [sum(axes: axes), (self * normal).sum(axes: axes)]
    let fallback = Tensor.stacked(sums, axis: 0)
    return Tensor.record(
      .call(Call("batchGradientSums", [.real(epsilon)])), [fallback, self, x, moments],
      fallback.shape, fallback.dtype)
  }

  /// [C] → [C, 1, …], to stand beside [N, C, …].
  fileprivate func perChannel(_ rank: Int) -> Tensor {
    reshaped([-1] + [Int](repeating: 1, count: rank - 2))
  }
}

extension Call {
  /// Of (x, γ, β). With x̂ the normalised x and n the elements of a channel,
  /// dx = γ / √(σ² + ε) · (g − Σ g / n − x̂ Σ g x̂ / n): a symmetric map, so tangents go the same way.
  fileprivate static func batchNormalization(_ epsilon: Double) -> Call {
    /// The map of `t`, and the two sums in it.
    let derivative: @Sendable (Tensor, Tensor, Tensor) -> (Tensor, Tensor) = { x, scale, t in
      let moments = x.channelMoments()
      let sums = t.channelGradientSums(x, moments, epsilon)
      let deviation = (moments[1] + epsilon).rsqrt()
      let n = Double(Swift.max(1, x.count / Swift.max(1, x.shape[1])))
      // Collected by powers of x: one pass over t and x.
      let factor = scale * deviation
      let slope = -(factor * deviation * sums[1]) / n
      let offset = -(factor * sums[0]) / n - moments[0] * slope
      let mapped =
        t * factor.perChannel(x.rank) + x * slope.perChannel(x.rank) + offset.perChannel(x.rank)
      return (mapped, sums)
    }
    return Call(
      "batchNormalization", [.real(epsilon)],
      vjp: { arguments, _, g in
        let (dx, sums) = derivative(arguments[0], arguments[1], g)
        return [dx, sums[1], sums[0]]
      },
      jvp: { arguments, _, tangents in
        let x = arguments[0]
        var parts: [Tensor] = []
        if let t = tangents[0] { parts.append(derivative(x, arguments[1], t).0) }
        if let t = tangents[1] {
          let moments = x.channelMoments()
          let deviation = (moments[1] + epsilon).rsqrt()
          let normal = (x - moments[0].perChannel(x.rank)) * deviation.perChannel(x.rank)
          parts.append(normal * t.perChannel(x.rank))
        }
        if let t = tangents[2] {
          parts.append(Tensor.full(like: x, 0) + t.perChannel(x.rank))
        }
        return parts.dropFirst().reduce(parts.first) { sum, part in sum.map { $0 + part } }
      })
  }
}
