import TarnCore

/// In training, sets whole examples to zero with probability p and divides the others by 1 − p (Huang et al., *Deep Networks with
/// Stochastic Depth*, 2016): what stands before the sum of a residual block. In inference it passes its input on.
///
/// ```swift
/// let y = x + StochasticDepth(0.1)(block(x))
/// ```
public struct StochasticDepth: Layer, CustomStringConvertible {
  /// p, of being dropped.
  public var probability: Double

  /// A probability outside 0…1 is reported.
  public init(_ probability: Double) {
    self.probability = Dropout(probability).probability
  }

  public var description: String { "StochasticDepth(\(probability))" }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    guard x.rank >= 1 else { return rejected(x, "expects [N, …]", as: x.shape) }
    let shape = [x.shape[0]] + [Int](repeating: 1, count: x.rank - 1)
    return recorded(dropped(x, maskShape: shape, probability))
  }
}

/// x · γ, one factor a channel, small at first, so that a deep residual network starts near the identity (Touvron et al., *Going
/// Deeper with Image Transformers*, 2021).
///
/// Its tensor bears the layer's own name, as `layer_scale` in torchvision's ConvNeXt.
///
/// ```swift
/// let scale = LayerScale(96, axes: 2)      // for [N, 96, H, W]
/// ```
public struct LayerScale: Layer, CustomStringConvertible {
  /// γ, [C] with as many axes of length 1 behind as there are behind the channels.
  public var weight: Tensor

  /// - Parameters:
  ///   - axes: how many axes follow the channels.
  ///   - start: of all factors.
  public init(_ channels: Int, axes: Int = 0, start: Double = 1e-6) {
    weight = .full([channels] + [Int](repeating: 1, count: axes), start, dtype: .float32)
  }

  public var description: String { "LayerScale(\(weight.count))" }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    guard x.shape.broadcast(with: weight.shape) == x.shape else {
      return rejected(
        x, "expects [..., \(weight.shape.map(String.init).joined(separator: ", "))]", as: x.shape)
    }
    return recorded(x * weight)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(weight)
  }

  public init(from decoder: any Decoder) throws {
    weight = try decoder.singleValueContainer().decode(Tensor.self)
  }
}
