import Foundation
import TarnCore
import TarnNN

/// Depth, width and resolution scaled together (Tan and Le, *EfficientNet*, 2019), [N, 3, H, W] → [N, classes].
///
/// Names, shapes and starting values are torchvision's.
///
/// ```swift
/// let model = EfficientNet(.b0, classes: 10)
/// ```
public struct EfficientNet: Layer {
  /// How much larger than the first of them.
  public enum Scale: Int, Hashable, Sendable, Codable, CaseIterable {
    case b0, b1, b2, b3, b4, b5, b6, b7

    /// Factors on channels and on blocks, pixels of an input's side, dropout before the last layer.
    var settings: (width: Double, depth: Double, side: Int, dropout: Double) {
      switch self {
      case .b0: (1.0, 1.0, 224, 0.2)
      case .b1: (1.0, 1.1, 240, 0.2)
      case .b2: (1.1, 1.2, 288, 0.3)
      case .b3: (1.2, 1.4, 300, 0.3)
      case .b4: (1.4, 1.8, 380, 0.4)
      case .b5: (1.6, 2.2, 456, 0.4)
      case .b6: (1.8, 2.6, 528, 0.5)
      case .b7: (2.0, 3.1, 600, 0.5)
      }
    }
    /// Pixels of an input's side that it was published for.
    public var side: Int { settings.side }
  }

  /// An entry of ``features``: the first and the last are convolutions.
  public typealias Feature = EitherLayer<ConvNormActivation, Chain<MBConv>>

  public var features: Chain<Feature>
  public var classifier: Sequential<Dropout, Linear>

  /// The paper's table 1.
  static let stages:
    [(expansion: Int, kernel: Int, stride: Int, inputs: Int, outputs: Int, count: Int)] = [
      (1, 3, 1, 32, 16, 1), (6, 3, 2, 16, 24, 2), (6, 5, 2, 24, 40, 2), (6, 3, 2, 40, 80, 3),
      (6, 5, 1, 80, 112, 3), (6, 5, 2, 112, 192, 4), (6, 3, 1, 192, 320, 1),
    ]

  /// - Parameters:
  ///   - dropout: probability that an input of the linear layer is dropped in training; that of the paper's by default.
  ///   - drop: probability that an example skips the last block, in training; it grows from 0 block by block.
  public init(
    _ scale: Scale = .b0, classes: Int = 1000, dropout: Double? = nil, drop: Double = 0.2
  ) {
    let settings = scale.settings
    let norm = scale.rawValue < Scale.b5.rawValue ? BatchNormSettings.standard : .mobile
    func width(_ channels: Int) -> Int { MobileNetV2.rounded(Double(channels) * settings.width) }
    func conv(_ inputs: Int, _ outputs: Int, kernel: Int, stride: Int) -> Feature {
      Feature(
        .first(
          ConvNormActivation(
            inputs, outputs, kernel: kernel, stride: stride, activation: .silu, norm: norm)))
    }
    let counts = Self.stages.map { Int((Double($0.count) * settings.depth).rounded(.up)) }
    let total = counts.reduce(0, +)
    var layers = [conv(3, width(32), kernel: 3, stride: 2)]
    var number = 0
    for (stage, count) in zip(Self.stages, counts) {
      let blocks = (0..<count).map { index in
        let inputs = width(index == 0 ? stage.inputs : stage.outputs)
        let expanded = inputs * stage.expansion
        let squeeze = SqueezeExcitation.started(
          expanded, squeezed: max(1, inputs / 4), activation: .silu, gate: .sigmoid)
        defer { number += 1 }
        return MBConv(
          inputs, width(stage.outputs), expanded: expanded, kernel: stage.kernel,
          stride: index == 0 ? stage.stride : 1, activation: .silu, squeeze: squeeze, norm: norm,
          drop: drop * Double(number) / Double(total))
      }
      layers.append(Feature(.second(Chain(blocks))))
    }
    let last = 4 * width(320)
    layers.append(conv(width(320), last, kernel: 1, stride: 1))
    features = Chain(layers)
    let bound = 1 / Double(max(1, classes)).squareRoot()
    classifier = Sequential {
      Dropout(dropout ?? settings.dropout)
      Linear(last, classes, initializer: .uniform(from: -bound, to: bound)).withZeroBias()
    }
  }

  public func callAsFunction(_ x: Tensor) -> Tensor { classifier(features(x).channelMeans()) }
}
