import TarnCore
import TarnNN

/// Each layer sees the outputs of all before it (Huang et al., *Densely Connected Convolutional Networks*, 2016),
/// [N, 3, H, W] → [N, classes].
///
/// Names, shapes and starting values are torchvision's.
///
/// ```swift
/// let model = DenseNet(.densenet121, classes: 10)
/// ```
public struct DenseNet: Layer {
  /// Layers of each block, channels that each adds, and channels at first.
  public struct Size: Hashable, Sendable, Codable {
    public var counts: [Int]
    public var growth: Int
    public var start: Int

    /// - Parameter counts: of the four blocks.
    public init(counts: (Int, Int, Int, Int), growth: Int = 32, start: Int = 64) {
      self.counts = [counts.0, counts.1, counts.2, counts.3]
      (self.growth, self.start) = (growth, start)
    }

    public static let densenet121 = Size(counts: (6, 12, 24, 16))
    public static let densenet161 = Size(counts: (6, 12, 36, 24), growth: 48, start: 96)
    public static let densenet169 = Size(counts: (6, 12, 32, 32))
    public static let densenet201 = Size(counts: (6, 12, 48, 32))
  }

  public var features: DenseFeatures
  public var classifier: Linear

  /// - Parameter dropout: probability that an output of a layer is dropped in training; 0 as in torchvision.
  public init(_ size: Size = .densenet121, classes: Int = 1000, dropout: Double = 0) {
    features = DenseFeatures(size, dropout: dropout)
    classifier = Linear(features.norm5.runningMean.count, classes).withZeroBias()
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    classifier(features(x).relu().channelMeans())
  }
}

/// The part of a ``DenseNet`` that works on pictures.
public struct DenseFeatures: Layer {
  public var conv0: Conv2d
  public var norm0: BatchNorm2d
  public var pool0: MaxPool2d
  public var denseblock1: DenseBlock
  public var transition1: DenseTransition
  public var denseblock2: DenseBlock
  public var transition2: DenseTransition
  public var denseblock3: DenseBlock
  public var transition3: DenseTransition
  public var denseblock4: DenseBlock
  public var norm5: BatchNorm2d

  init(_ size: DenseNet.Size, dropout: Double) {
    var channels = size.start
    func block(_ number: Int) -> DenseBlock {
      defer { channels += size.counts[number] * size.growth }
      return DenseBlock(channels, count: size.counts[number], growth: size.growth, dropout: dropout)
    }
    func transition() -> DenseTransition {
      defer { channels /= 2 }
      return DenseTransition(channels, channels / 2)
    }
    conv0 = Conv2d(
      3, size.start, kernel: 7, stride: 2, padding: 3, bias: false, initializer: .kaimingNormal())
    norm0 = BatchNorm2d(size.start)
    pool0 = MaxPool2d(3, stride: 2, padding: 1)
    denseblock1 = block(0)
    transition1 = transition()
    denseblock2 = block(1)
    transition2 = transition()
    denseblock3 = block(2)
    transition3 = transition()
    denseblock4 = block(3)
    norm5 = BatchNorm2d(channels)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    var y = pool0(norm0(conv0(x)).relu())
    y = transition1(denseblock1(y))
    y = transition2(denseblock2(y))
    y = transition3(denseblock3(y))
    return norm5(denseblock4(y))
  }
}

/// Layers each of which adds channels to the input of the next: `denselayer1`, `denselayer2`, ….
public struct DenseBlock: Layer {
  public var layers: NumberedLayers<DenseLayer>

  enum CodingKeys: String, CodingKey { case layers = "" }

  public init(_ inputs: Int, count: Int, growth: Int, dropout: Double = 0) {
    layers = NumberedLayers(
      "denselayer", from: 1,
      (0..<count).map { DenseLayer(inputs + $0 * growth, growth: growth, dropout: dropout) })
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    layers.layers.reduce(x) { .concatenated([$0, $1($0)], axis: 1) }
  }
}

/// 1×1 to four times the growth, 3×3 to the growth, each after normalisation and a rectifier.
public struct DenseLayer: Layer {
  public var norm1: BatchNorm2d
  public var conv1: Conv2d
  public var norm2: BatchNorm2d
  public var conv2: Conv2d
  public var dropout: Dropout

  public init(_ inputs: Int, growth: Int, dropout: Double = 0) {
    norm1 = BatchNorm2d(inputs)
    conv1 = Conv2d(inputs, 4 * growth, kernel: 1, bias: false, initializer: .kaimingNormal())
    norm2 = BatchNorm2d(4 * growth)
    conv2 = Conv2d(
      4 * growth, growth, kernel: 3, padding: 1, bias: false, initializer: .kaimingNormal())
    self.dropout = Dropout(dropout)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let y = conv2(norm2(conv1(norm1(x).relu())).relu())
    return dropout.probability == 0 ? y : dropout(y)
  }
}

/// Fewer channels, and half the size.
public struct DenseTransition: Layer {
  public var norm: BatchNorm2d
  public var conv: Conv2d
  public var pool: AvgPool2d

  public init(_ inputs: Int, _ outputs: Int) {
    norm = BatchNorm2d(inputs)
    conv = Conv2d(inputs, outputs, kernel: 1, bias: false, initializer: .kaimingNormal())
    pool = AvgPool2d(2)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor { pool(conv(norm(x).relu())) }
}
