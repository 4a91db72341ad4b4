extension Tensor {
  /// 1 / (1 + e⁻ˣ)
  public func sigmoid() -> Tensor {
    let x = floating
    return .record(.unary(.sigmoid), x, x.shape, x.dtype)
  }

  /// max(x, 0); its derivative at 0 is taken as 0.
  public func relu() -> Tensor {
    dtype.isFloating ? .record(.unary(.relu), self, shape, dtype) : maximum(0)
  }

  /// log(1 + eˣ), without overflow, and with right derivatives to every order.
  public func softplus() -> Tensor {
    let x = floating
    let isUp = x .> 0
    return which(isUp, x, 0) + which(isUp, -x, x).exp().log1p()
  }

  /// log σ(x) = −log(1 + e⁻ˣ)
  public func logSigmoid() -> Tensor { -(-floating).softplus() }

  /// x Φ(x), with Φ(x) = (1 + erf(x / √2)) / 2; or its approximation
  /// x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2. Hendrycks and Gimpel 2016, arXiv:1606.08415.
  public func gelu(approximate: Bool = false) -> Tensor {
    let x = floating
    if approximate {
      let inner = 0.797884560802865355880 * (x + 0.044715 * (x * x * x))
      return 0.5 * x * (1 + inner.tanh())
    }
    return .record(.unary(.gelu), x, x.shape, x.dtype)
  }

  /// x σ(x), also called swish. Ramachandran et al. 2017, arXiv:1710.05941.
  public func silu() -> Tensor {
    let x = floating
    return x * x.sigmoid()
  }

  /// x above 0, α (eˣ − 1) below. Clevert et al. 2015, arXiv:1511.07289.
  public func elu(alpha: Double = 1) -> Tensor {
    let x = floating
    let isUp = x .> 0
    return which(isUp, x, alpha * which(isUp, 0, x).expm1())
  }

  /// x above 0, slope · x below (Maas et al., 2013).
  public func leakyReLU(slope: Double = 0.01) -> Tensor {
    let x = floating
    return which(x .> 0, x, slope * x)
  }

  /// 0 up to −3, 1 from 3, the line x / 6 + ½ between.
  public func hardSigmoid() -> Tensor {
    let x = floating
    return which(x.abs() .< 3, x / 6 + 0.5, (x .> 0).cast(to: x.dtype))
  }

  /// x · hardSigmoid(x). Howard et al. 2019, arXiv:1905.02244.
  public func hardSwish() -> Tensor {
    let x = floating
    return x * x.hardSigmoid()
  }

  /// eˣ / Σ eˣ along `axis`, without overflow; the shape stays.
  public func softmax(axis: Int = -1) -> Tensor {
    guard let axis = resolve(axis, in: "softmax") else { return floating }
    let x = floating
    guard x.shape[axis] > 0 else { return x }
    let powers = (x - x.peak(axis)).exp()
    let result = powers / powers.sum(axis, keepDims: true)
    return .record(.call(.softmax(axis)), result, x, x.shape, x.dtype)
  }

  /// x − log Σ eˣ along `axis`: the logarithm of ``softmax(axis:)``, without its underflow.
  public func logSoftmax(axis: Int = -1) -> Tensor {
    guard let axis = resolve(axis, in: "logSoftmax") else { return floating }
    let x = floating
    guard x.shape[axis] > 0 else { return x }
    let shifted = x - x.peak(axis)
    let result = shifted - shifted.exp().sum(axis, keepDims: true).log()
    return .record(.call(.logSoftmax(axis)), result, x, x.shape, x.dtype)
  }

  /// min(max(x, low), high), with the derivative 1 strictly between the bounds and 0 elsewhere.
  ///
  /// Between 0 and 6 it is ReLU6. Unlike ``clamped(min:max:)`` it needs only its result for the derivative.
  ///
  /// ```swift
  /// let y = x.hardTanh(from: 0, to: 6)
  /// ```
  public func hardTanh(from low: Double = -1, to high: Double = 1) -> Tensor {
    let fallback = floating.clamped(min: low, max: high)
    return Tensor.record(
      .call(.hardTanh(low, high)), [fallback, floating], fallback.shape, fallback.dtype)
  }

  /// The largest element along `axis`, as a constant.
  private func peak(_ axis: Int) -> Tensor { stopGradient(max(axis, keepDims: true)) }
}

extension Call {
  /// dx = g where low < y < high.
  fileprivate static func hardTanh(_ low: Double, _ high: Double) -> Call {
    let derivative: @Sendable (Tensor, Tensor) -> Tensor = { y, g in
      which((y .> low) .& (y .< high), g, Tensor.full(like: g, 0))
    }
    return Call(
      "hardTanh", [.real(low), .real(high)],
      vjp: { _, y, g in [derivative(y, g)] },
      jvp: { _, y, tangents in tangents[0].map { derivative(y, $0) } })
  }

  /// y = softmax(x): dx = y (g − Σ g y), symmetric, so tangents go the same way.
  fileprivate static func softmax(_ axis: Int) -> Call {
    let derivative: @Sendable (Tensor, Tensor) -> Tensor = { y, g in
      y * (g - (g * y).sum(axis, keepDims: true))
    }
    return Call(
      "softmax", [.integer(Int64(axis))],
      vjp: { _, y, g in [derivative(y, g)] },
      jvp: { _, y, tangents in tangents[0].map { derivative(y, $0) } })
  }

  /// y = logSoftmax(x): dx = g − eʸ Σ g, and dy = t − Σ eʸ t.
  fileprivate static func logSoftmax(_ axis: Int) -> Call {
    Call(
      "logSoftmax", [.integer(Int64(axis))],
      vjp: { _, y, g in [g - y.exp() * g.sum(axis, keepDims: true)] },
      jvp: { _, y, tangents in
        tangents[0].map { $0 - (y.exp() * $0).sum(axis, keepDims: true) }
      })
  }
}
