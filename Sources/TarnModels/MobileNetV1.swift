import TarnCore
import TarnNN

/// Convolutions on each channel apart, each followed by one on each pixel (Howard et al., *MobileNets*, 2017),
/// [N, 3, H, W] → [N, classes].
///
/// Every convolution is followed by batch normalisation. Names and shapes are those of the common PyTorch layout: `model.0` the
/// first convolution (`0`) with its normalisation (`1`), `model.1` … `model.13` the pairs (`0`, `1` and `3`, `4`), `fc`. For weights
/// whose normalisation is folded see ``FoldedMobileNetV1``.
///
/// ```swift
/// let model = MobileNetV1(width: 0.25, classes: 10)
/// ```
public struct MobileNetV1: Layer {
  /// max(0, x), or as TensorFlow's weights want it min(max(0, x), 6).
  public typealias Rectifier = EitherLayer<ReLU, ReLU6>
  public typealias Pair = Sequential<
    Conv2d, BatchNorm2d, Rectifier, Conv2d, BatchNorm2d, Rectifier
  >
  public typealias First = Sequential<Conv2d, BatchNorm2d, Rectifier>

  public var model: Chain<EitherLayer<First, Pair>>
  public var dropout: Dropout
  public var fc: Linear

  /// Channels after each pair, and its stride.
  static let pairs = [
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1),
    (512, 1), (512, 1), (1024, 2), (1024, 1),
  ]

  /// `channels` times the factor, a multiple of 8.
  static func width(_ channels: Int, _ width: Double) -> Int {
    MobileNetV2.rounded(Double(channels) * width)
  }

  /// - Parameters:
  ///   - width: factor on all channel counts, which stay multiples of 8.
  ///   - dropout: probability that an input of the linear layer is dropped in training.
  public init(width: Double = 1, classes: Int = 1000, dropout: Double = 0.001) {
    let width = checkedWidth(width, "MobileNetV1")
    var inputs = Self.width(32, width)
    func conv(_ from: Int, _ to: Int, kernel: Int, stride: Int = 1, groups: Int = 1) -> Conv2d {
      Conv2d(
        from, to, kernel: kernel, stride: stride, padding: kernel / 2, groups: groups, bias: false,
        initializer: .fanOut)
    }
    typealias Entry = EitherLayer<First, Pair>
    let rectifier = Rectifier(.first(ReLU()))
    var layers = [
      Entry(
        .first(Sequential(conv(3, inputs, kernel: 3, stride: 2), BatchNorm2d(inputs), rectifier)))
    ]
    for (channels, stride) in Self.pairs {
      let outputs = Self.width(channels, width)
      layers.append(
        Entry(
          .second(
            Sequential(
              conv(inputs, inputs, kernel: 3, stride: stride, groups: inputs),
              BatchNorm2d(inputs), rectifier, conv(inputs, outputs, kernel: 1),
              BatchNorm2d(outputs), rectifier))))
      inputs = outputs
    }
    model = Chain(layers)
    self.dropout = Dropout(dropout)
    fc = Linear(inputs, classes)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    fc(dropout(model(x).channelMeans()))
  }
}

/// ``MobileNetV1`` as TensorFlow publishes it for inference: normalisation folded into weights and biases, padding as
/// TensorFlow's `same`, min(max(0, x), 6), and a class 0 for the background before ImageNet's.
///
/// Names are TensorFlow's: `Conv2d_0`, `Conv2d_1_depthwise`, `Conv2d_1_pointwise`, …, `Logits.Conv2d_1c_1x1`; shapes are
/// [outputs, inputs, kH, kW].
///
/// ```swift
/// let model = try FoldedMobileNetV1(width: 0.25).loading(Weights(contentsOf: file)).model
/// ```
public struct FoldedMobileNetV1: Layer {
  public var first: SameConv2d
  /// A convolution on each channel apart and one on each pixel, 13 times.
  public var pairs: [(depthwise: SameConv2d, pointwise: SameConv2d)]
  /// 1×1, on the mean of each channel.
  public var logits: Conv2d

  /// - Parameters:
  ///   - width: factor on all channel counts, which stay multiples of 8.
  ///   - classes: with the background.
  public init(width: Double = 1, classes: Int = 1001) {
    let width = checkedWidth(width, "FoldedMobileNetV1")
    var inputs = MobileNetV1.width(32, width)
    first = SameConv2d(3, inputs, kernel: 3, stride: 2)
    pairs = []
    for (channels, stride) in MobileNetV1.pairs {
      let outputs = MobileNetV1.width(channels, width)
      pairs.append(
        (
          SameConv2d(inputs, inputs, kernel: 3, stride: stride, groups: inputs),
          SameConv2d(inputs, outputs, kernel: 1)
        ))
      inputs = outputs
    }
    logits = Conv2d(inputs, classes, kernel: 1)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let y = pairs.reduce(Activation.relu6(first(x))) { y, pair in
      Activation.relu6(pair.pointwise(Activation.relu6(pair.depthwise(y))))
    }
    return logits(y.mean(axes: [2, 3], keepDims: true)).flattened(from: 1)
  }

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(_ stringValue: String) { self.stringValue = stringValue }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }

    static let first = Key("Conv2d_0")
    static let logits = Key("Logits.Conv2d_1c_1x1")
    static func pair(_ number: Int, _ kind: String) -> Key { Key("Conv2d_\(number)_\(kind)") }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(first, forKey: .first)
    for (index, pair) in pairs.enumerated() {
      try container.encode(pair.depthwise, forKey: .pair(index + 1, "depthwise"))
      try container.encode(pair.pointwise, forKey: .pair(index + 1, "pointwise"))
    }
    try container.encode(logits, forKey: .logits)
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    first = try container.decode(SameConv2d.self, forKey: .first)
    pairs = try MobileNetV1.pairs.indices.map { index in
      (
        try container.decode(SameConv2d.self, forKey: .pair(index + 1, "depthwise")),
        try container.decode(SameConv2d.self, forKey: .pair(index + 1, "pointwise"))
      )
    }
    logits = try container.decode(Conv2d.self, forKey: .logits)
  }
}

/// A factor on channels above 0, up to 100; reports others.
func checkedWidth(_ width: Double, _ network: String) -> Double {
  if width > 0 && width <= 100 { return width }
  return Diagnostic.report(
    Diagnostic(
      operation: network, reason: "the width is a factor above 0, up to 100",
      facts: ["width \(width)"], hint: "for instance \(network)(width: 0.5)"), giving: 1)
}
