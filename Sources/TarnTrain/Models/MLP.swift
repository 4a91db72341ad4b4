import TarnCore
import TarnNN

/// A multi-layer perceptron over all features, [n, ...] → [n, classes]: linear layers with an activation and dropout between.
///
/// ```swift
/// let model = MLP(inputShape: [1, 8, 8], hidden: [64, 32], classes: 10, dropout: 0.2)
/// ```
public struct MLP: StandardModel {
  public static let kind = "mlp"
  public var layers: [Linear]
  public var activation: Activation
  public var dropout: Dropout

  /// - Parameters:
  ///   - inputShape: of one example, [...].
  ///   - hidden: width of each hidden layer; none makes it linear.
  ///   - dropout: probability that an output of a hidden layer is dropped in training.
  public init(
    inputShape: [Int], hidden: [Int] = [128], classes: Int, activation: Activation = .relu,
    dropout: Double = 0
  ) {
    let widths = [inputShape.reduce(1, *)] + hidden + [classes]
    layers = zip(widths, widths.dropFirst()).map { Linear($0, $1) }
    self.activation = activation
    self.dropout = Dropout(dropout)
  }

  public init(_ card: ModelCard) {
    self.init(
      inputShape: card.inputShape, hidden: card.hidden, classes: card.classes,
      activation: card.activation, dropout: card.dropout)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    var y = x.flattened(from: 1)
    for (place, layer) in layers.enumerated() {
      y = layer(y)
      if place + 1 < layers.count { y = dropout(activation(y)) }
    }
    return y
  }
}
