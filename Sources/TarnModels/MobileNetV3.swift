import TarnCore
import TarnNN

/// Inverted residuals with squeeze and excitation and cheap activations (Howard et al., *Searching for MobileNetV3*, 2019),
/// [N, 3, H, W] → [N, classes].
///
/// Names, shapes and starting values are torchvision's.
///
/// ```swift
/// let model = MobileNetV3(.small, classes: 10)
/// ```
public struct MobileNetV3: Layer {
  public enum Size: String, Hashable, Sendable, Codable, CaseIterable { case small, large }

  /// An entry of ``features``: the first and the last are convolutions.
  public typealias Feature = EitherLayer<ConvNormActivation, MBConv>

  public var features: Chain<Feature>
  public var classifier: Sequential<Linear, HardSwish, Dropout, Linear>

  /// A row of the paper's tables 1 and 2.
  private struct Row {
    let kernel: Int, expanded: Int, outputs: Int, isSqueezed: Bool, isHard: Bool, stride: Int
    init(_ k: Int, _ expanded: Int, _ outputs: Int, _ squeezed: Bool, _ hard: Bool, _ s: Int) {
      (kernel, self.expanded, self.outputs) = (k, expanded, outputs)
      (isSqueezed, isHard, stride) = (squeezed, hard, s)
    }
  }

  private static let small = [
    Row(3, 16, 16, true, false, 2), Row(3, 72, 24, false, false, 2),
    Row(3, 88, 24, false, false, 1), Row(5, 96, 40, true, true, 2), Row(5, 240, 40, true, true, 1),
    Row(5, 240, 40, true, true, 1), Row(5, 120, 48, true, true, 1), Row(5, 144, 48, true, true, 1),
    Row(5, 288, 96, true, true, 2), Row(5, 576, 96, true, true, 1), Row(5, 576, 96, true, true, 1),
  ]
  private static let large = [
    Row(3, 16, 16, false, false, 1), Row(3, 64, 24, false, false, 2),
    Row(3, 72, 24, false, false, 1), Row(5, 72, 40, true, false, 2),
    Row(5, 120, 40, true, false, 1),
    Row(5, 120, 40, true, false, 1), Row(3, 240, 80, false, true, 2),
    Row(3, 200, 80, false, true, 1), Row(3, 184, 80, false, true, 1),
    Row(3, 184, 80, false, true, 1), Row(3, 480, 112, true, true, 1),
    Row(3, 672, 112, true, true, 1), Row(5, 672, 160, true, true, 2),
    Row(5, 960, 160, true, true, 1), Row(5, 960, 160, true, true, 1),
  ]

  /// - Parameter dropout: probability that an input of the last layer is dropped in training.
  public init(_ size: Size = .small, classes: Int = 1000, dropout: Double = 0.2) {
    let rounded = MobileNetV2.rounded
    func conv(_ inputs: Int, _ outputs: Int, kernel: Int, stride: Int) -> Feature {
      Feature(
        .first(
          ConvNormActivation(
            inputs, outputs, kernel: kernel, stride: stride, activation: .hardSwish, norm: .mobile))
      )
    }
    var inputs = 16
    var layers = [conv(3, inputs, kernel: 3, stride: 2)]
    for row in size == .small ? Self.small : Self.large {
      let squeeze =
        row.isSqueezed
        ? SqueezeExcitation.started(
          row.expanded, squeezed: rounded(Double(row.expanded / 4)), activation: .relu,
          gate: .hardSigmoid) : nil
      let block = MBConv(
        inputs, row.outputs, expanded: row.expanded, kernel: row.kernel, stride: row.stride,
        activation: row.isHard ? .hardSwish : .relu, squeeze: squeeze, norm: .mobile)
      layers.append(Feature(.second(block)))
      inputs = row.outputs
    }
    layers.append(conv(inputs, 6 * inputs, kernel: 1, stride: 1))
    features = Chain(layers)
    let last = size == .small ? 1024 : 1280
    classifier = Sequential {
      Linear(6 * inputs, last, initializer: .normal(deviation: 0.01)).withZeroBias()
      HardSwish()
      Dropout(dropout)
      Linear(last, classes, initializer: .normal(deviation: 0.01)).withZeroBias()
    }
  }

  public func callAsFunction(_ x: Tensor) -> Tensor { classifier(features(x).channelMeans()) }
}
