import TarnNN

/// What a network computes otherwise with weights that somebody else trained, where its tensors have the same names and shapes.
///
/// ```swift
/// let entry = try Zoo.entry("resnet50")
/// let model = entry.model(variant: NetworkVariant(epsilon: 1.001e-5, stridesFirst: true))   // Keras's
/// ```
public struct NetworkVariant: Hashable, Sendable, Codable {
  /// ε of normalisations by the beginnings of their paths, `""` being that of all; the network's own where none fits.
  public var epsilons: [String: Double]
  /// Whether convolutions are padded as TensorFlow's and Keras's `same`, see `SameConv2d`.
  public var padsSame: Bool
  /// Whether bottlenecks of a ``ResNet`` make the picture smaller in their first convolution, as in the paper, and not in the 3×3.
  public var stridesFirst: Bool
  /// Whether the means of Inception modules leave out margins.
  public var leavesOutMargins: Bool
  /// Whether rectifiers of MobileNet v1 end at 6.
  public var clipsAtSix: Bool
  /// Whether pooling after the first convolution of a ``ResNet`` hangs over the far end, without a margin at the near one, as Caffe's.
  public var poolsOverEnd: Bool
  /// Whether normalisation is folded into weights, as TensorFlow publishes MobileNet v1.
  public var isFolded: Bool
  /// Whether a ``GoogLeNet`` is as its authors had it.
  public var isOriginal: Bool

  /// - Parameter epsilon: of all normalisations; the network's own without it.
  public init(
    epsilon: Double? = nil, padsSame: Bool = false, stridesFirst: Bool = false,
    leavesOutMargins: Bool = false, clipsAtSix: Bool = false, poolsOverEnd: Bool = false,
    isFolded: Bool = false, isOriginal: Bool = false
  ) {
    epsilons = epsilon.map { ["": $0] } ?? [:]
    (self.padsSame, self.stridesFirst) = (padsSame, stridesFirst)
    (self.leavesOutMargins, self.clipsAtSix) = (leavesOutMargins, clipsAtSix)
    (self.poolsOverEnd, self.isFolded) = (poolsOverEnd, isFolded)
    self.isOriginal = isOriginal
  }

  /// The network as it is.
  public static let own = NetworkVariant()

  /// TensorFlow's mobile networks: its padding, and an ε of 0.001.
  static let tensorFlow = NetworkVariant(epsilon: 1e-3, padsSame: true)

  /// The same network, computing as this says.
  func applied(to model: some Layer) -> any Layer {
    guard self != .own else { return model }
    var model = model
    if !epsilons.isEmpty { model = withEpsilons(model) }
    if padsSame {
      model = model.mapParts(Conv2d.self) { _, layer in
        var layer = layer
        layer.settings.isSame = layer.weight.shape[2...].contains { $0 > 1 }
        return layer
      }
    }
    if stridesFirst {
      model = model.mapParts(Bottleneck.self) { _, block in
        var block = block
        (block.conv1.settings.stride, block.conv2.settings.stride) = (
          block.conv2.settings.stride, [1, 1]
        )
        return block
      }
    }
    if leavesOutMargins {
      model = model.mapParts(AvgPool2d.self) { _, pool in
        var pool = pool
        pool.countsPadding = false
        return pool
      }
    }
    if clipsAtSix {
      model = model.mapParts(MobileNetV1.Rectifier.self) { _, _ in .init(.second(ReLU6())) }
    }
    if poolsOverEnd {
      model = model.mapParts(MaxPool2d.self) { _, _ in MaxPool2d(3, stride: 2, ceil: true) }
    }
    return model
  }

  private func withEpsilons<Model: Layer>(_ model: Model) -> Model {
    let epsilons = epsilons
    func epsilon(_ path: String) -> Double? {
      epsilons.filter { path.hasPrefix($0.key) }.max { $0.key.count < $1.key.count }?.value
    }
    return model.mapParts(BatchNorm2d.self) { path, norm in
      var norm = norm
      norm.settings.epsilon = epsilon(path) ?? norm.settings.epsilon
      return norm
    }.mapParts(LayerNorm.self) { path, norm in
      var norm = norm
      norm.epsilon = epsilon(path) ?? norm.epsilon
      return norm
    }
  }
}
