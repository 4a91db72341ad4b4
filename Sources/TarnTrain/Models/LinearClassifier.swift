import TarnCore
import TarnNN

/// One linear layer over all features, [n, ...] → [n, classes]: softmax regression.
public struct LinearClassifier: StandardModel {
  public static let kind = "linear"
  public var linear: Linear

  /// - Parameter inputShape: of one example, [...].
  public init(inputShape: [Int], classes: Int) {
    linear = Linear(inputShape.reduce(1, *), classes)
  }

  public init(_ card: ModelCard) {
    self.init(inputShape: card.inputShape, classes: card.classes)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor { linear(x.flattened(from: 1)) }
}
