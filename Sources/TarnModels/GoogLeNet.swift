import TarnCore
import TarnNN

/// The network of Szegedy et al., *Going Deeper with Convolutions*, 2014, with batch normalisation,
/// [N, 3, H, W] → [N, classes].
///
/// Names, shapes and starting values are torchvision's, which also has 3×3 kernels where the paper has 5×5, and convolutions that start
/// from N(0, 0.01²). As its authors had it, and Caffe's weights want it, it has 5×5 kernels, no batch normalisation, and normalises responses.
///
/// ```swift
/// let model = GoogLeNet(classes: 10, hasAuxiliaries: true)
/// let outputs = Phase.training(key: key) { model.outputs(x) }
/// let loss = outputs.all.map { crossEntropy($0, y) }
/// let total = loss[0] + 0.3 * (loss[1] + loss[2])
/// ```
public struct GoogLeNet: Layer {
  public var conv1: ConvNormReLU
  public var conv2: ConvNormReLU
  public var conv3: ConvNormReLU
  public var inception3a: Inception
  public var inception3b: Inception
  public var inception4a: Inception
  public var inception4b: Inception
  public var inception4c: Inception
  public var inception4d: Inception
  public var inception4e: Inception
  public var inception5a: Inception
  public var inception5b: Inception
  /// The classifiers on the way that help training, if it has them.
  public var aux1: AuxiliaryClassifier?
  public var aux2: AuxiliaryClassifier?
  public var dropout: Dropout
  public var fc: Linear
  /// Whether the input, normalised by ImageNet's means and deviations, is first brought to (pixel − 0.5) / 0.5, as the published weights want it.
  public var transformsInput: Bool
  /// After the first pooling and before the second; nil but for the authors' form.
  public var responseNorm: LocalResponseNorm?

  /// - Parameters:
  ///   - hasAuxiliaries: whether there are two more classifiers on the way, for training.
  ///   - transformsInput: see the property.
  ///   - dropout: probability that an input of the last layer is dropped in training.
  ///   - isOriginal: whether it is the authors' form.
  public init(
    classes: Int = 1000, hasAuxiliaries: Bool = false, transformsInput: Bool = false,
    dropout: Double = 0.2, isOriginal: Bool = false
  ) {
    conv1 = ConvNormReLU(3, 64, kernel: 7, stride: 2, isNormalized: !isOriginal)
    conv2 = ConvNormReLU(64, 64, kernel: 1, isNormalized: !isOriginal)
    conv3 = ConvNormReLU(64, 192, kernel: 3, isNormalized: !isOriginal)
    responseNorm = isOriginal ? LocalResponseNorm(5) : nil
    func module(
      _ inputs: Int, _ width1: Int, _ widths2: (Int, Int), _ widths3: (Int, Int), _ width4: Int
    ) -> Inception {
      Inception(inputs, width1, widths2, widths3, width4, isOriginal: isOriginal)
    }
    inception3a = module(192, 64, (96, 128), (16, 32), 32)
    inception3b = module(256, 128, (128, 192), (32, 96), 64)
    inception4a = module(480, 192, (96, 208), (16, 48), 64)
    inception4b = module(512, 160, (112, 224), (24, 64), 64)
    inception4c = module(512, 128, (128, 256), (24, 64), 64)
    inception4d = module(512, 112, (144, 288), (32, 64), 64)
    inception4e = module(528, 256, (160, 320), (32, 128), 128)
    inception5a = module(832, 256, (160, 320), (32, 128), 128)
    inception5b = module(832, 384, (192, 384), (48, 128), 128)
    func auxiliary(_ inputs: Int) -> AuxiliaryClassifier? {
      hasAuxiliaries
        ? AuxiliaryClassifier(inputs, classes: classes, isOriginal: isOriginal) : nil
    }
    aux1 = auxiliary(512)
    aux2 = auxiliary(528)
    self.dropout = Dropout(dropout)
    fc = Linear(1024, classes, initializer: .smallNormal)
    self.transformsInput = transformsInput
  }

  /// Logits of the network and of its auxiliary classifiers.
  public struct Outputs: Sendable {
    /// [N, classes]
    public var logits: Tensor
    /// Of the later auxiliary classifier, [N, classes]; nil without one.
    public var auxiliary2: Tensor?
    /// Of the earlier auxiliary classifier, [N, classes]; nil without one.
    public var auxiliary1: Tensor?
    /// Those there are, the network's own first.
    public var all: [Tensor] { [logits, auxiliary2, auxiliary1].compactMap { $0 } }
  }

  public func callAsFunction(_ x: Tensor) -> Tensor { outputs(x, withAuxiliaries: false).logits }

  /// The logits with those of the auxiliary classifiers, in either phase.
  public func outputs(_ x: Tensor) -> Outputs { outputs(x, withAuxiliaries: true) }

  private func outputs(_ x: Tensor, withAuxiliaries: Bool) -> Outputs {
    let pool3 = MaxPool2d(3, stride: 2, ceil: true)
    let isOriginal = responseNorm != nil
    let pool2 = isOriginal ? pool3 : MaxPool2d(2, stride: 2, ceil: true)
    var y = pool3(conv1(transformsInput ? x.fromImageNetToHalves() : x))
    y = conv3(conv2(responseNorm?(y) ?? y))
    y = pool3(responseNorm?(y) ?? y)
    y = pool3(inception3b(inception3a(y)))
    y = inception4a(y)
    let auxiliary1 = withAuxiliaries ? aux1?(y) : nil
    y = inception4d(inception4c(inception4b(y)))
    let auxiliary2 = withAuxiliaries ? aux2?(y) : nil
    y = pool2(inception4e(y))
    y = inception5b(inception5a(y))
    return Outputs(
      logits: fc(dropout(y.channelMeans())), auxiliary2: auxiliary2, auxiliary1: auxiliary1)
  }
}

extension Tensor {
  /// Pictures normalised by ImageNet's means and deviations as (pixel − 0.5) / 0.5.
  func fromImageNetToHalves() -> Tensor {
    let scale = Tensor([0.229, 0.224, 0.225].map { Float($0 / 0.5) }, shape: [3, 1, 1])
    let shift = Tensor([0.485, 0.456, 0.406].map { Float(($0 - 0.5) / 0.5) }, shape: [3, 1, 1])
    return self * scale + shift
  }
}

extension Initializer {
  /// N(0, 0.01²). torchvision draws again beyond ±2, which is 200 deviations away.
  fileprivate static let smallNormal = Initializer.normal(deviation: 0.01)
}

/// A convolution without bias, batch normalisation with ε = 0.001, max(0, x).
public struct ConvNormReLU: Layer {
  public var conv: Conv2d
  /// nil for a convolution with a bias instead.
  public var bn: BatchNorm2d?

  /// With as much padding as keeps the size at stride 1.
  ///
  /// - Parameter isNormalized: whether there is a normalisation, and not a bias.
  public init(
    _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, isNormalized: Bool = true
  ) {
    self.init(
      inputs, outputs, kernel: kernel, stride: stride, padding: kernel / 2,
      initializer: .smallNormal)
    if !isNormalized { (bn, conv.bias) = (nil, .zeros([outputs])) }
  }

  /// With this padding and start.
  public init(
    _ inputs: Int, _ outputs: Int, kernel: some Spatial, stride: Int, padding: some Spatial,
    initializer: Initializer
  ) {
    conv = Conv2d(
      inputs, outputs, kernel: kernel, stride: stride, padding: padding, bias: false,
      initializer: initializer)
    bn = BatchNorm2d(outputs, epsilon: 0.001)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let y = conv(x)
    return (bn?(y) ?? y).relu()
  }
}

/// Four branches side by side: 1×1, 3×3, again 3×3 (the paper's 5×5), and pooling; their channels are put together.
public struct Inception: Layer {
  public var branch1: ConvNormReLU
  public var branch2: Sequential<ConvNormReLU, ConvNormReLU>
  public var branch3: Sequential<ConvNormReLU, ConvNormReLU>
  public var branch4: Sequential<MaxPool2d, ConvNormReLU>

  /// - Parameters:
  ///   - width1: output channels of the first branch.
  ///   - widths2: channels of the two convolutions of the second.
  ///   - widths3: channels of the two convolutions of the third.
  ///   - width4: output channels of the fourth.
  ///   - isOriginal: whether the third branch has the paper's 5×5, and none a normalisation.
  public init(
    _ inputs: Int, _ width1: Int, _ widths2: (Int, Int), _ widths3: (Int, Int), _ width4: Int,
    isOriginal: Bool = false
  ) {
    func conv(_ inputs: Int, _ outputs: Int, kernel: Int) -> ConvNormReLU {
      ConvNormReLU(inputs, outputs, kernel: kernel, isNormalized: !isOriginal)
    }
    func narrowed(_ widths: (Int, Int), kernel: Int) -> Sequential<ConvNormReLU, ConvNormReLU> {
      Sequential {
        conv(inputs, widths.0, kernel: 1)
        conv(widths.0, widths.1, kernel: kernel)
      }
    }
    branch1 = conv(inputs, width1, kernel: 1)
    branch2 = narrowed(widths2, kernel: 3)
    branch3 = narrowed(widths3, kernel: isOriginal ? 5 : 3)
    branch4 = Sequential {
      MaxPool2d(3, stride: 1, padding: 1, ceil: true)
      conv(inputs, width4, kernel: 1)
    }
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    .concatenated([branch1(x), branch2(x), branch3(x), branch4(x)], axis: 1)
  }
}

/// A classifier on features on the way, [N, C, H, W] → [N, classes].
public struct AuxiliaryClassifier: Layer {
  public var conv: ConvNormReLU
  public var fc1: Linear
  public var fc2: Linear
  public var dropout: Dropout
  /// The authors' pooling, which takes 14×14 features to 4×4; nil for means that give 4×4 of any.
  public var pool: AvgPool2d?

  /// On features of so many channels.
  public init(_ inputs: Int, classes: Int, dropout: Double = 0.7, isOriginal: Bool = false) {
    conv = ConvNormReLU(inputs, 128, kernel: 1, isNormalized: !isOriginal)
    pool = isOriginal ? AvgPool2d(5, stride: 3, ceil: true) : nil
    fc1 = Linear(2048, 1024, initializer: .smallNormal)
    fc2 = Linear(1024, classes, initializer: .smallNormal)
    self.dropout = Dropout(dropout)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let means = pool?(x) ?? x.adaptiveAveragePooled(to: [4, 4])
    let y = conv(means).flattened(from: 1)
    return fc2(dropout(fc1(y).relu()))
  }
}
