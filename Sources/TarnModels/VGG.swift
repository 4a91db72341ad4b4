import TarnCore
import TarnNN

/// Deep stacks of 3×3 convolutions (Simonyan and Zisserman, *Very Deep Convolutional Networks*, 2014),
/// [N, 3, H, W] → [N, classes].
///
/// Five groups of convolutions, a maximum pooling after each, and three linear layers on 7×7 means. Names, shapes and starting values
/// are torchvision's.
///
/// ```swift
/// let model = VGG(.vgg16, batchNorm: true, classes: 10)
/// ```
public struct VGG: Layer {
  /// How many convolutions each group has.
  public enum Depth: Int, Hashable, Sendable, Codable, CaseIterable {
    case vgg11 = 11
    case vgg13 = 13
    case vgg16 = 16
    case vgg19 = 19

    /// Convolutions in each of the five groups.
    public var counts: [Int] {
      switch self {
      case .vgg11: [1, 1, 2, 2, 2]
      case .vgg13: [2, 2, 2, 2, 2]
      case .vgg16: [2, 2, 3, 3, 3]
      case .vgg19: [2, 2, 4, 4, 4]
      }
    }
  }

  /// An entry of ``features``: a convolution, a normalisation, a rectifier or a pooling.
  public typealias Feature = EitherLayer<
    Conv2d, EitherLayer<BatchNorm2d, EitherLayer<ReLU, MaxPool2d>>
  >
  public typealias Classifier = Sequential<Linear, ReLU, Dropout, Linear, ReLU, Dropout, Linear>

  public var features: Chain<Feature>
  public var averagePool: AdaptiveAvgPool2d
  public var classifier: Classifier

  enum CodingKeys: String, CodingKey {
    case features
    case averagePool = "avgpool"
    case classifier
  }

  /// - Parameters:
  ///   - depth: the number of layers with weights.
  ///   - batchNorm: whether each convolution is normalised.
  ///   - dropout: probability that an output of a hidden linear layer is dropped in training.
  public init(
    _ depth: Depth, batchNorm: Bool = false, classes: Int = 1000, dropout: Double = 0.5
  ) {
    var layers: [Feature] = []
    var inputs = 3
    for (count, width) in zip(depth.counts, [64, 128, 256, 512, 512]) {
      for _ in 0..<count {
        let conv = Conv2d(inputs, width, kernel: 3, padding: 1, initializer: .fanOut)
        layers.append(Feature(.first(conv.withZeroBias())))
        if batchNorm { layers.append(Feature(.second(.init(.first(BatchNorm2d(width)))))) }
        layers.append(Feature(.second(.init(.second(.init(.first(ReLU())))))))
        inputs = width
      }
      layers.append(Feature(.second(.init(.second(.init(.second(MaxPool2d(2))))))))
    }
    func linear(_ inputs: Int, _ outputs: Int) -> Linear {
      Linear(inputs, outputs, initializer: .normal(deviation: 0.01)).withZeroBias()
    }
    features = Chain(layers)
    averagePool = AdaptiveAvgPool2d(7)
    classifier = Sequential {
      linear(512 * 7 * 7, 4096)
      ReLU()
      Dropout(dropout)
      linear(4096, 4096)
      ReLU()
      Dropout(dropout)
      linear(4096, classes)
    }
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    classifier(averagePool(features(x)).flattened(from: 1))
  }
}
