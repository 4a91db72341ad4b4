import TarnCore
import TarnNN

/// The third network of the Inception family (Szegedy et al., *Rethinking the Inception Architecture*, 2015),
/// [N, 3, H, W] → [N, classes], for pictures of 299×299, 75×75 at least.
///
/// Names, shapes and starting values are torchvision's.
///
/// ```swift
/// let model = InceptionV3(classes: 10, hasAuxiliary: true)
/// let outputs = Phase.training(key: key) { model.outputs(x) }
/// ```
public struct InceptionV3: Layer {
  public var conv1: ConvNormReLU
  public var conv2a: ConvNormReLU
  public var conv2b: ConvNormReLU
  public var conv3: ConvNormReLU
  public var conv4: ConvNormReLU
  public var mixed5b: InceptionA
  public var mixed5c: InceptionA
  public var mixed5d: InceptionA
  public var mixed6a: InceptionB
  public var mixed6b: InceptionC
  public var mixed6c: InceptionC
  public var mixed6d: InceptionC
  public var mixed6e: InceptionC
  /// The classifier on the way that helps training, if it has one.
  public var auxiliary: InceptionAuxiliary?
  public var mixed7a: InceptionD
  public var mixed7b: InceptionE
  public var mixed7c: InceptionE
  public var dropout: Dropout
  public var fc: Linear
  /// Whether the input, normalised by ImageNet's means and deviations, is first brought to (pixel − 0.5) / 0.5, as the published weights want it.
  public var transformsInput: Bool

  enum CodingKeys: String, CodingKey {
    case conv1 = "Conv2d_1a_3x3"
    case conv2a = "Conv2d_2a_3x3"
    case conv2b = "Conv2d_2b_3x3"
    case conv3 = "Conv2d_3b_1x1"
    case conv4 = "Conv2d_4a_3x3"
    case mixed5b = "Mixed_5b"
    case mixed5c = "Mixed_5c"
    case mixed5d = "Mixed_5d"
    case mixed6a = "Mixed_6a"
    case mixed6b = "Mixed_6b"
    case mixed6c = "Mixed_6c"
    case mixed6d = "Mixed_6d"
    case mixed6e = "Mixed_6e"
    case auxiliary = "AuxLogits"
    case mixed7a = "Mixed_7a"
    case mixed7b = "Mixed_7b"
    case mixed7c = "Mixed_7c"
    case dropout, fc, transformsInput
  }

  /// - Parameters:
  ///   - hasAuxiliary: whether there is another classifier on the way, for training with pictures of 299×299.
  ///   - transformsInput: see the property.
  ///   - dropout: probability that an input of the last layer is dropped in training.
  public init(
    classes: Int = 1000, hasAuxiliary: Bool = false, transformsInput: Bool = false,
    dropout: Double = 0.5
  ) {
    conv1 = .wide(3, 32, kernel: 3, stride: 2)
    conv2a = .wide(32, 32, kernel: 3)
    conv2b = .wide(32, 64, kernel: 3, padding: 1)
    conv3 = .wide(64, 80, kernel: 1)
    conv4 = .wide(80, 192, kernel: 3)
    mixed5b = InceptionA(192, pooled: 32)
    mixed5c = InceptionA(256, pooled: 64)
    mixed5d = InceptionA(288, pooled: 64)
    mixed6a = InceptionB(288)
    mixed6b = InceptionC(768, inside: 128)
    mixed6c = InceptionC(768, inside: 160)
    mixed6d = InceptionC(768, inside: 160)
    mixed6e = InceptionC(768, inside: 192)
    auxiliary = hasAuxiliary ? InceptionAuxiliary(768, classes: classes) : nil
    mixed7a = InceptionD(768)
    mixed7b = InceptionE(1280)
    mixed7c = InceptionE(2048)
    self.dropout = Dropout(dropout)
    fc = Linear(2048, classes, initializer: .inception)
    self.transformsInput = transformsInput
  }

  /// Logits of the network and of its auxiliary classifier.
  public struct Outputs: Sendable {
    /// [N, classes]
    public var logits: Tensor
    /// Of the auxiliary classifier, [N, classes]; nil without one.
    public var auxiliary: Tensor?
    /// Those there are, the network's own first.
    public var all: [Tensor] { [logits, auxiliary].compactMap { $0 } }
  }

  public func callAsFunction(_ x: Tensor) -> Tensor { outputs(x, withAuxiliary: false).logits }

  /// The logits with those of the auxiliary classifier, in either phase.
  public func outputs(_ x: Tensor) -> Outputs { outputs(x, withAuxiliary: true) }

  private func outputs(_ x: Tensor, withAuxiliary: Bool) -> Outputs {
    let pool = MaxPool2d(3, stride: 2)
    var y = conv2b(conv2a(conv1(transformsInput ? x.fromImageNetToHalves() : x)))
    y = pool(conv4(conv3(pool(y))))
    y = mixed6a(mixed5d(mixed5c(mixed5b(y))))
    y = mixed6e(mixed6d(mixed6c(mixed6b(y))))
    let auxiliary = withAuxiliary ? auxiliary?(y) : nil
    y = mixed7c(mixed7b(mixed7a(y)))
    return Outputs(logits: fc(dropout(y.channelMeans())), auxiliary: auxiliary)
  }
}

extension Initializer {
  /// N(0, 0.1²), as all layers of torchvision's Inception v3 but one.
  static let inception = Initializer.truncatedNormal(deviation: 0.1)
}

extension ConvNormReLU {
  /// With the start of Inception v3.
  static func wide(
    _ inputs: Int, _ outputs: Int, kernel: some Spatial, stride: Int = 1, padding: some Spatial = 0
  ) -> ConvNormReLU {
    ConvNormReLU(
      inputs, outputs, kernel: kernel, stride: stride, padding: padding, initializer: .inception)
  }
}
