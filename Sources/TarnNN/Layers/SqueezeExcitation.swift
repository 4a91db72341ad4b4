import TarnCore

/// Weighs channels by what the whole picture is (Hu et al., *Squeeze-and-Excitation Networks*, 2017):
/// x · gate(W₂ act(W₁ mean x + b₁) + b₂), [N, C, H, W] → [N, C, H, W].
///
/// ```swift
/// let squeeze = SqueezeExcitation(96, squeezed: 24)
/// ```
public struct SqueezeExcitation: Layer, CustomStringConvertible {
  /// To fewer channels, a 1×1 convolution as in torchvision.
  public var fc1: Conv2d
  /// And back.
  public var fc2: Conv2d
  /// Between the two.
  public var activation: Activation
  /// Makes the factors.
  public var gate: Activation

  /// - Parameters:
  ///   - squeezed: channels between the two convolutions.
  ///   - initializer: of both weights.
  public init(
    _ channels: Int, squeezed: Int, activation: Activation = .relu, gate: Activation = .sigmoid,
    initializer: Initializer = .standard
  ) {
    fc1 = Conv2d(channels, squeezed, kernel: 1, initializer: initializer)
    fc2 = Conv2d(squeezed, channels, kernel: 1, initializer: initializer)
    (self.activation, self.gate) = (activation, gate)
  }

  public var description: String {
    "SqueezeExcitation(\(fc1.weight.shape[1]), \(fc1.weight.shape[0]) squeezed)"
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    if let problem = problem(x, channels: fc1.weight.shape[1], spatial: 2, output: 1) {
      return problem
    }
    return recorded(x * gate(fc2(activation(fc1(x.mean(axes: [2, 3], keepDims: true))))))
  }
}
