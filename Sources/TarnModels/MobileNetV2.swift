import TarnCore
import TarnNN

/// A convolution without bias, batch normalisation, min(max(0, x), 6).
public typealias ConvNormReLU6 = Sequential<Conv2d, BatchNorm2d, ReLU6>

private func convNormReLU6(
  _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, groups: Int = 1
) -> ConvNormReLU6 {
  Sequential {
    Conv2d(
      inputs, outputs, kernel: kernel, stride: stride, padding: kernel / 2, groups: groups,
      bias: false, initializer: .fanOut)
    BatchNorm2d(outputs)
    ReLU6()
  }
}

/// Inverted residuals with linear bottlenecks (Sandler et al., *MobileNetV2*, 2018), [N, 3, H, W] → [N, classes].
///
/// Names, shapes and starting values are torchvision's.
///
/// ```swift
/// let model = MobileNetV2(width: 0.5, classes: 10)
/// ```
public struct MobileNetV2: Layer {
  /// An entry of ``features``: the first and the last are convolutions.
  public typealias Feature = EitherLayer<ConvNormReLU6, InvertedResidual>

  public var features: Chain<Feature>
  public var classifier: Sequential<Dropout, Linear>

  /// Expansion, channels, how many blocks, stride of the first.
  private static let groups = [
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
    (6, 320, 1, 1),
  ]

  /// - Parameters:
  ///   - width: factor on all channel counts, which stay multiples of 8; the last layer's 1280 channels do not get fewer.
  ///   - dropout: probability that an input of the linear layer is dropped in training.
  public init(width: Double = 1, classes: Int = 1000, dropout: Double = 0.2) {
    let width = checkedWidth(width, "MobileNetV2")
    var inputs = Self.rounded(32 * width)
    let last = Self.rounded(1280 * max(1, width))
    var layers = [Feature(.first(convNormReLU6(3, inputs, kernel: 3, stride: 2)))]
    for (expansion, channels, count, stride) in Self.groups {
      let outputs = Self.rounded(Double(channels) * width)
      for index in 0..<count {
        let block = InvertedResidual(
          inputs, outputs, stride: index == 0 ? stride : 1, expansion: expansion)
        layers.append(Feature(.second(block)))
        inputs = outputs
      }
    }
    layers.append(Feature(.first(convNormReLU6(inputs, last, kernel: 1))))
    features = Chain(layers)
    classifier = Sequential {
      Dropout(dropout)
      Linear(last, classes, initializer: .normal(deviation: 0.01)).withZeroBias()
    }
  }

  public func callAsFunction(_ x: Tensor) -> Tensor { classifier(features(x).channelMeans()) }

  /// The multiple of 8 next to `channels`, the one above where it would lose more than a tenth.
  static func rounded(_ channels: Double) -> Int {
    let near = max(8, Int(channels + 4) / 8 * 8)
    return Double(near) < 0.9 * channels ? near + 8 : near
  }
}

/// 1×1 to more channels, 3×3 on each apart, 1×1 to few without activation; the input is added where the shapes agree.
public struct InvertedResidual: Layer {
  /// The block with a convolution that widens, and without one.
  public typealias Body = EitherLayer<
    Sequential<ConvNormReLU6, ConvNormReLU6, Conv2d, BatchNorm2d>,
    Sequential<ConvNormReLU6, Conv2d, BatchNorm2d>
  >

  public var conv: Body
  /// Whether the input is added.
  public var isResidual: Bool

  /// - Parameter expansion: factor on the channels inside; 1 leaves the first convolution out.
  public init(_ inputs: Int, _ outputs: Int, stride: Int, expansion: Int) {
    let hidden = inputs * expansion
    let depthwise: () -> ConvNormReLU6 = {
      convNormReLU6(hidden, hidden, kernel: 3, stride: stride, groups: hidden)
    }
    let project: () -> Conv2d = {
      Conv2d(hidden, outputs, kernel: 1, bias: false, initializer: .fanOut)
    }
    isResidual = stride == 1 && inputs == outputs
    conv =
      expansion == 1
      ? Body(.second(Sequential(depthwise(), project(), BatchNorm2d(outputs))))
      : Body(
        .first(
          Sequential(
            convNormReLU6(inputs, hidden, kernel: 1), depthwise(), project(), BatchNorm2d(outputs)
          )))
  }

  public func callAsFunction(_ x: Tensor) -> Tensor { isResidual ? x + conv(x) : conv(x) }
}
