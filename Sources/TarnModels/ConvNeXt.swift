import TarnCore
import TarnNN

/// A convolutional network in the manner of vision transformers (Liu et al., *A ConvNet for the 2020s*, 2022),
/// [N, 3, H, W] → [N, classes].
///
/// Names, shapes and starting values are torchvision's.
///
/// ```swift
/// let model = ConvNeXt(.tiny, classes: 10)
/// ```
public struct ConvNeXt: Layer {
  /// Blocks and channels of the four stages, and the published share of examples that skip the last block.
  public struct Size: Hashable, Sendable, Codable {
    public var counts: [Int]
    public var widths: [Int]
    public var drop: Double

    public init(counts: [Int], widths: [Int], drop: Double = 0) {
      (self.counts, self.widths, self.drop) = (counts, widths, drop)
    }

    public static let tiny = Size(counts: [3, 3, 9, 3], widths: [96, 192, 384, 768], drop: 0.1)
    public static let small = Size(counts: [3, 3, 27, 3], widths: [96, 192, 384, 768], drop: 0.4)
    public static let base = Size(counts: [3, 3, 27, 3], widths: [128, 256, 512, 1024], drop: 0.5)
    public static let large = Size(
      counts: [3, 3, 27, 3], widths: [192, 384, 768, 1536], drop: 0.5)
  }

  public typealias Stem = Sequential<Conv2d, LayerNorm2d>
  public typealias Downsampling = Sequential<LayerNorm2d, Conv2d>
  /// An entry of ``features``: what makes the picture smaller, or a stage.
  public typealias Feature = EitherLayer<EitherLayer<Stem, Downsampling>, Chain<ConvNeXtBlock>>

  public var features: Chain<Feature>
  public var classifier: Sequential<LayerNorm, Flatten, Linear>

  /// - Parameters:
  ///   - drop: probability that an example skips the last block, in training; it grows from 0 block by block. The size's by default.
  ///   - scale: of each block at first.
  public init(
    _ size: Size = .tiny, classes: Int = 1000, drop: Double? = nil, scale: Double = 1e-6
  ) {
    let last = Double(max(1, size.counts.reduce(0, +) - 1))
    var layers: [Feature] = []
    var (number, inputs) = (0, 3)
    for (count, width) in zip(size.counts, size.widths) {
      if layers.isEmpty {
        let conv = Conv2d(inputs, width, kernel: 4, stride: 4, initializer: .narrow).withZeroBias()
        layers.append(
          Feature(.first(.init(.first(Sequential(conv, LayerNorm2d(width, epsilon: 1e-6)))))))
      } else {
        let conv = Conv2d(inputs, width, kernel: 2, stride: 2, initializer: .narrow).withZeroBias()
        layers.append(
          Feature(.first(.init(.second(Sequential(LayerNorm2d(inputs, epsilon: 1e-6), conv))))))
      }
      let blocks = (0..<count).map { index in
        ConvNeXtBlock(
          width, scale: scale, drop: (drop ?? size.drop) * Double(number + index) / last)
      }
      layers.append(Feature(.second(Chain(blocks))))
      number += count
      inputs = width
    }
    features = Chain(layers)
    classifier = Sequential {
      LayerNorm(inputs, epsilon: 1e-6)
      Flatten()
      Linear(inputs, classes, initializer: .narrow).withZeroBias()
    }
  }

  public func callAsFunction(_ x: Tensor) -> Tensor { classifier(features(x).channelMeans()) }
}

/// A 7×7 kernel on each channel apart, then a perceptron on each pixel, added to the input.
public struct ConvNeXtBlock: Layer {
  public typealias Body = Sequential<Conv2d, Permute, LayerNorm, Linear, GELU, Linear, Permute>

  public var layerScale: LayerScale
  public var block: Body
  public var stochasticDepth: StochasticDepth

  enum CodingKeys: String, CodingKey {
    case layerScale = "layer_scale"
    case block
    case stochasticDepth = "stochastic_depth"
  }

  public init(_ width: Int, scale: Double = 1e-6, drop: Double = 0) {
    layerScale = LayerScale(width, axes: 2, start: scale)
    block = Sequential {
      Conv2d(width, width, kernel: 7, padding: 3, groups: width, initializer: .narrow)
        .withZeroBias()
      Permute(0, 2, 3, 1)
      LayerNorm(width, epsilon: 1e-6)
      Linear(width, 4 * width, initializer: .narrow).withZeroBias()
      GELU()
      Linear(4 * width, width, initializer: .narrow).withZeroBias()
      Permute(0, 3, 1, 2)
    }
    stochasticDepth = StochasticDepth(drop)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    stochasticDepth(layerScale(block(x))) + x
  }
}

extension Initializer {
  /// N(0, 0.02²), drawn again beyond ±2, which is 100 deviations away.
  static let narrow = Initializer.truncatedNormal(deviation: 0.02)
}
