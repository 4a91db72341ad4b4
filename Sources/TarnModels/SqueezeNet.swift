import TarnCore
import TarnNN

/// AlexNet's accuracy with fifty times fewer parameters (Iandola et al., *SqueezeNet*, 2016), [N, 3, H, W] → [N, classes].
///
/// Names, shapes and starting values are torchvision's.
///
/// ```swift
/// let model = SqueezeNet(.v1_1, classes: 10)
/// ```
public struct SqueezeNet: Layer {
  /// 1.0 is the paper's; 1.1 takes 2.4 times fewer operations.
  public enum Version: String, Hashable, Sendable, Codable, CaseIterable {
    case v1_0 = "1_0"
    case v1_1 = "1_1"
  }

  /// An entry of ``features``: a convolution, a rectifier, a pooling or a fire module.
  public typealias Feature = EitherLayer<
    Fire, EitherLayer<MaxPool2d, EitherLayer<Conv2d, ReLU>>
  >

  public var features: Chain<Feature>
  public var classifier: Sequential<Dropout, Conv2d, ReLU, AdaptiveAvgPool2d>

  /// - Parameter dropout: probability that an input of the last convolution is dropped in training.
  public init(_ version: Version = .v1_1, classes: Int = 1000, dropout: Double = 0.5) {
    // Widths of the fire modules that follow each other; a pooling stands before each run of them.
    let (width, kernel, runs): (Int, Int, [[Int]]) =
      switch version {
      case .v1_0: (96, 7, [[16, 16, 32], [32, 48, 48, 64], [64]])
      case .v1_1: (64, 3, [[16, 16], [32, 32], [48, 48, 64, 64]])
      }
    let first = Conv2d(3, width, kernel: kernel, stride: 2, initializer: .kaimingUniform())
    var layers = [
      Feature(.second(.init(.second(.init(.first(first.withZeroBias())))))),
      Feature(.second(.init(.second(.init(.second(ReLU())))))),
    ]
    var inputs = width
    for run in runs {
      layers.append(Feature(.second(.init(.first(MaxPool2d(3, stride: 2, ceil: true))))))
      for squeezed in run {
        layers.append(Feature(.first(Fire(inputs, squeezed: squeezed, expanded: 4 * squeezed))))
        inputs = 8 * squeezed
      }
    }
    features = Chain(layers)
    classifier = Sequential {
      Dropout(dropout)
      Conv2d(inputs, classes, kernel: 1, initializer: .normal(deviation: 0.01)).withZeroBias()
      ReLU()
      AdaptiveAvgPool2d(1)
    }
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    classifier(features(x)).flattened(from: 1)
  }
}

/// 1×1 to few channels, then 1×1 and 3×3 side by side to many.
public struct Fire: Layer {
  public var squeeze: Conv2d
  public var expand1x1: Conv2d
  public var expand3x3: Conv2d

  /// To `squeezed` channels inside and 2 × `expanded` in the end.
  public init(_ inputs: Int, squeezed: Int, expanded: Int) {
    squeeze = Conv2d(inputs, squeezed, kernel: 1, initializer: .kaimingUniform()).withZeroBias()
    expand1x1 = Conv2d(squeezed, expanded, kernel: 1, initializer: .kaimingUniform())
      .withZeroBias()
    expand3x3 = Conv2d(
      squeezed, expanded, kernel: 3, padding: 1, initializer: .kaimingUniform()
    ).withZeroBias()
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let y = squeeze(x).relu()
    return .concatenated([expand1x1(y).relu(), expand3x3(y).relu()], axis: 1)
  }
}
