import TarnCore
import TarnNN

/// The network of Krizhevsky, *One Weird Trick for Parallelizing Convolutional Neural Networks*, 2014, [N, 3, H, W] → [N, classes]:
/// that of 2012 in one column and without response normalisation.
///
/// Names, shapes and starting values are torchvision's. The input has 63×63 pixels at least.
///
/// ```swift
/// let model = AlexNet(classes: 10)
/// ```
public struct AlexNet: Layer {
  public typealias Features = Sequential<
    Conv2d, ReLU, MaxPool2d, Conv2d, ReLU, MaxPool2d, Conv2d, ReLU, Conv2d, ReLU, Conv2d, ReLU,
    MaxPool2d
  >
  public typealias Classifier = Sequential<Dropout, Linear, ReLU, Dropout, Linear, ReLU, Linear>

  public var features: Features
  public var averagePool: AdaptiveAvgPool2d
  public var classifier: Classifier

  enum CodingKeys: String, CodingKey {
    case features
    case averagePool = "avgpool"
    case classifier
  }

  /// - Parameter dropout: probability that an input of a hidden linear layer is dropped in training.
  public init(classes: Int = 1000, dropout: Double = 0.5) {
    features = Sequential {
      Conv2d(3, 64, kernel: 11, stride: 4, padding: 2)
      ReLU()
      MaxPool2d(3, stride: 2)
      Conv2d(64, 192, kernel: 5, padding: 2)
      ReLU()
      MaxPool2d(3, stride: 2)
      Conv2d(192, 384, kernel: 3, padding: 1)
      ReLU()
      Conv2d(384, 256, kernel: 3, padding: 1)
      ReLU()
      Conv2d(256, 256, kernel: 3, padding: 1)
      ReLU()
      MaxPool2d(3, stride: 2)
    }
    averagePool = AdaptiveAvgPool2d(6)
    classifier = Sequential {
      Dropout(dropout)
      Linear(256 * 6 * 6, 4096)
      ReLU()
      Dropout(dropout)
      Linear(4096, 4096)
      ReLU()
      Linear(4096, classes)
    }
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    classifier(averagePool(features(x)).flattened(from: 1))
  }
}
