import TarnCore

// Activations as layers, for use in Sequential.

/// max(0, x).
public struct ReLU: Layer, CustomStringConvertible {
  public init() {}
  public var description: String { "ReLU()" }
  public func callAsFunction(_ x: Tensor) -> Tensor { recorded(Activation.relu(x)) }
}

/// min(max(0, x), 6).
public struct ReLU6: Layer, CustomStringConvertible {
  public init() {}
  public var description: String { "ReLU6()" }
  public func callAsFunction(_ x: Tensor) -> Tensor { recorded(Activation.relu6(x)) }
}

/// x · sigmoid(x).
public struct SiLU: Layer, CustomStringConvertible {
  public init() {}
  public var description: String { "SiLU()" }
  public func callAsFunction(_ x: Tensor) -> Tensor { recorded(Activation.silu(x)) }
}

/// x · tanh(softplus(x)) (Misra, 2019).
public struct Mish: Layer, CustomStringConvertible {
  public init() {}
  public var description: String { "Mish()" }
  public func callAsFunction(_ x: Tensor) -> Tensor { recorded(Activation.mish(x)) }
}

/// tanh x.
public struct Tanh: Layer, CustomStringConvertible {
  public init() {}
  public var description: String { "Tanh()" }
  public func callAsFunction(_ x: Tensor) -> Tensor { recorded(Activation.tanh(x)) }
}

/// 1 / (1 + e⁻ˣ).
public struct Sigmoid: Layer, CustomStringConvertible {
  public init() {}
  public var description: String { "Sigmoid()" }
  public func callAsFunction(_ x: Tensor) -> Tensor { recorded(Activation.sigmoid(x)) }
}

/// log sigmoid(x).
public struct LogSigmoid: Layer, CustomStringConvertible {
  public init() {}
  public var description: String { "LogSigmoid()" }
  public func callAsFunction(_ x: Tensor) -> Tensor { recorded(Activation.logSigmoid(x)) }
}

/// log(1 + eˣ).
public struct Softplus: Layer, CustomStringConvertible {
  public init() {}
  public var description: String { "Softplus()" }
  public func callAsFunction(_ x: Tensor) -> Tensor { recorded(Activation.softplus(x)) }
}

/// x / (1 + |x|).
public struct Softsign: Layer, CustomStringConvertible {
  public init() {}
  public var description: String { "Softsign()" }
  public func callAsFunction(_ x: Tensor) -> Tensor { recorded(Activation.softsign(x)) }
}

/// min(max(−1, x), 1).
public struct HardTanh: Layer, CustomStringConvertible {
  public init() {}
  public var description: String { "HardTanh()" }
  public func callAsFunction(_ x: Tensor) -> Tensor { recorded(Activation.hardTanh(x)) }
}

/// x · min(max(0, x + 3), 6) / 6 (Howard et al., 2019).
public struct HardSwish: Layer, CustomStringConvertible {
  public init() {}
  public var description: String { "HardSwish()" }
  public func callAsFunction(_ x: Tensor) -> Tensor { recorded(Activation.hardSwish(x)) }
}

/// min(max(0, x + 3), 6) / 6.
public struct HardSigmoid: Layer, CustomStringConvertible {
  public init() {}
  public var description: String { "HardSigmoid()" }
  public func callAsFunction(_ x: Tensor) -> Tensor { recorded(Activation.hardSigmoid(x)) }
}

/// x where positive, slope · x elsewhere.
public struct LeakyReLU: Layer, CustomStringConvertible {
  /// The slope below zero.
  public var slope: Double
  /// The slope below zero.
  public init(_ slope: Double = 0.01) { self.slope = slope }
  public var description: String { "LeakyReLU(\(slope))" }
  public func callAsFunction(_ x: Tensor) -> Tensor { recorded(x.leakyReLU(slope: slope)) }
}

/// x where positive, slope · x elsewhere, with a slope that is learnt, one for all or one a channel of [N, C, …] (He et al., 2015).
public struct PReLU: Layer, CustomStringConvertible {
  /// [1] or [C]
  public var weight: Tensor
  /// One slope for all channels, or one for each of `channels`, all `slope` at first.
  public init(_ channels: Int = 1, slope: Double = 0.25) {
    weight = .full([channels], slope, dtype: .float32)
  }
  public var description: String { "PReLU(\(weight.count))" }
  public func callAsFunction(_ x: Tensor) -> Tensor {
    guard weight.count == 1 || (x.rank >= 2 && x.shape[1] == weight.count) else {
      return rejected(
        x, "expects \(weight.count) channels at axis 1",
        hint: Hint.channels(x.shape, wanted: weight.count), as: x.shape)
    }
    let slope = weight.reshaped([-1] + [Int](repeating: 1, count: max(0, x.rank - 2)))
    return recorded(x.maximum(0) + slope * x.minimum(0))
  }
}

/// x where positive, α (eˣ − 1) elsewhere (Clevert et al., 2015).
public struct ELU: Layer, CustomStringConvertible {
  /// α: the value goes to −α at −∞.
  public var alpha: Double
  /// With the value −alpha at −∞.
  public init(_ alpha: Double = 1) { self.alpha = alpha }
  public var description: String { "ELU(\(alpha))" }
  public func callAsFunction(_ x: Tensor) -> Tensor { recorded(x.elu(alpha: alpha)) }
}

/// λ · elu(x, α) with the λ and α that keep mean 0 and variance 1 (Klambauer et al., 2017).
public struct SELU: Layer, CustomStringConvertible {
  public init() {}
  public var description: String { "SELU()" }
  public func callAsFunction(_ x: Tensor) -> Tensor {
    recorded(x.elu(alpha: 1.6732632423543772848) * 1.0507009873554804934)
  }
}

/// x Φ(x), Φ the normal distribution, or its approximation with tanh (Hendrycks and Gimpel, 2016).
public struct GELU: Layer, CustomStringConvertible {
  /// Whether to use the tanh formula.
  public var approximate: Bool
  /// By the error function, or by tanh if `approximate`.
  public init(approximate: Bool = false) { self.approximate = approximate }
  public var description: String { "GELU()" }
  public func callAsFunction(_ x: Tensor) -> Tensor {
    recorded(x.gelu(approximate: approximate))
  }
}

/// eˣ / Σ eˣ along `axis`.
public struct Softmax: Layer, CustomStringConvertible {
  /// The axis that is normalised; negative ones count from the end.
  public var axis: Int
  /// Over `axis`.
  public init(axis: Int = -1) { self.axis = axis }
  public var description: String { "Softmax(axis: \(axis))" }
  public func callAsFunction(_ x: Tensor) -> Tensor { recorded(x.softmax(axis: axis)) }
}

/// x − log Σ eˣ along `axis`.
public struct LogSoftmax: Layer, CustomStringConvertible {
  /// The axis that is normalised; negative ones count from the end.
  public var axis: Int
  /// Over `axis`.
  public init(axis: Int = -1) { self.axis = axis }
  public var description: String { "LogSoftmax(axis: \(axis))" }
  public func callAsFunction(_ x: Tensor) -> Tensor { recorded(x.logSoftmax(axis: axis)) }
}
