import TarnCore
import TarnNN

/// 1×1 to more channels, a kernel on each channel apart, squeeze and excitation, 1×1 to few without activation; the input is
/// added where the shapes agree. The block of MobileNet v3 and of EfficientNet, with torchvision's names.
public struct MBConv: Layer {
  /// A convolution, or squeeze and excitation.
  public typealias Part = EitherLayer<ConvNormActivation, SqueezeExcitation>

  public var block: Chain<Part>
  /// Drops the block in training, where the input is added.
  public var stochasticDepth: StochasticDepth
  /// Whether the input is added.
  public var isResidual: Bool

  enum CodingKeys: String, CodingKey {
    case block
    case stochasticDepth = "stochastic_depth"
    case isResidual
  }

  /// - Parameters:
  ///   - expanded: channels inside; the first convolution is left out where they are the input's.
  ///   - squeeze: weighs the channels inside; nil for none.
  ///   - drop: probability that an example skips the block, in training.
  public init(
    _ inputs: Int, _ outputs: Int, expanded: Int, kernel: Int, stride: Int,
    activation: Activation, squeeze: SqueezeExcitation?, norm: BatchNormSettings,
    drop: Double = 0
  ) {
    func conv(
      _ inputs: Int, _ outputs: Int, kernel: Int = 1, stride: Int = 1, groups: Int = 1,
      _ activation: Activation
    ) -> Part {
      Part(
        .first(
          ConvNormActivation(
            inputs, outputs, kernel: kernel, stride: stride, groups: groups,
            activation: activation, norm: norm)))
    }
    var parts = expanded == inputs ? [] : [conv(inputs, expanded, activation)]
    parts.append(
      conv(expanded, expanded, kernel: kernel, stride: stride, groups: expanded, activation))
    if let squeeze { parts.append(Part(.second(squeeze))) }
    parts.append(conv(expanded, outputs, .identity))
    block = Chain(parts)
    stochasticDepth = StochasticDepth(drop)
    isResidual = stride == 1 && inputs == outputs
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    isResidual ? stochasticDepth(block(x)) + x : block(x)
  }
}

extension SqueezeExcitation {
  /// With the start torchvision gives it: N(0, 2 / fan out), biases 0.
  static func started(
    _ channels: Int, squeezed: Int, activation: Activation, gate: Activation
  ) -> SqueezeExcitation {
    var layer = SqueezeExcitation(
      channels, squeezed: squeezed, activation: activation, gate: gate, initializer: .fanOut)
    layer.fc1 = layer.fc1.withZeroBias()
    layer.fc2 = layer.fc2.withZeroBias()
    return layer
  }
}
