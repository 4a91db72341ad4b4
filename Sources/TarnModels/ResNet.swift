import TarnCore
import TarnNN

/// A residual network (He et al., *Deep Residual Learning for Image Recognition*, 2015), [N, 3, H, W] → [N, classes].
///
/// A 7×7 convolution and pooling, four groups of residual blocks of which all but the first halve the picture, the mean of
/// each channel and a linear layer. Names, shapes and starting values are torchvision's, and so is its place for
/// the stride of a ``Bottleneck``, the 3×3 convolution.
///
/// ```swift
/// let model = ResNet.resNet50(classes: 10)
/// let logits = model(images)               // [8, 3, 224, 224] → [8, 10]
/// ```
public struct ResNet<Block: ResNetBlock>: Layer {
  public var conv1: Conv2d
  public var bn1: BatchNorm2d
  public var maxPool: MaxPool2d
  public var layer1: Chain<Block>
  public var layer2: Chain<Block>
  public var layer3: Chain<Block>
  public var layer4: Chain<Block>
  public var fc: Linear

  enum CodingKeys: String, CodingKey {
    case conv1, bn1
    case maxPool = "maxpool"
    case layer1, layer2, layer3, layer4, fc
  }

  /// - Parameters:
  ///   - counts: how many blocks each of the four groups has.
  ///   - groups: of the 3×3 convolutions of bottlenecks (Xie et al., *Aggregated Residual Transformations*, 2016).
  ///   - groupWidth: channels of each of those groups, where the first group of blocks has 64 planes.
  public init(
    counts: (Int, Int, Int, Int), classes: Int = 1000, groups: Int = 1, groupWidth: Int = 64
  ) {
    func blocks(_ count: Int, _ inputs: Int, _ planes: Int, stride: Int) -> Chain<Block> {
      Chain(
        (0..<count).map { index in
          Block(
            index == 0 ? inputs : planes * Block.expansion, planes,
            stride: index == 0 ? stride : 1, groups: groups, groupWidth: groupWidth)
        })
    }
    let expansion = Block.expansion
    conv1 = Conv2d(3, 64, kernel: 7, stride: 2, padding: 3, bias: false, initializer: .fanOut)
    bn1 = BatchNorm2d(64)
    maxPool = MaxPool2d(3, stride: 2, padding: 1)
    layer1 = blocks(counts.0, 64, 64, stride: 1)
    layer2 = blocks(counts.1, 64 * expansion, 128, stride: 2)
    layer3 = blocks(counts.2, 128 * expansion, 256, stride: 2)
    layer4 = blocks(counts.3, 256 * expansion, 512, stride: 2)
    fc = Linear(512 * expansion, classes)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let y = maxPool(bn1(conv1(x)).relu())
    return fc(layer4(layer3(layer2(layer1(y)))).channelMeans())
  }
}

extension ResNet where Block == BasicBlock {
  /// 11.7 million parameters, 1.8 billion multiply-adds for 224×224.
  public static func resNet18(classes: Int = 1000) -> ResNet {
    ResNet(counts: (2, 2, 2, 2), classes: classes)
  }
  /// 21.8 million parameters, 3.7 billion multiply-adds for 224×224.
  public static func resNet34(classes: Int = 1000) -> ResNet {
    ResNet(counts: (3, 4, 6, 3), classes: classes)
  }
}

extension ResNet where Block == Bottleneck {
  /// 25.6 million parameters, 4.1 billion multiply-adds for 224×224.
  public static func resNet50(classes: Int = 1000) -> ResNet {
    ResNet(counts: (3, 4, 6, 3), classes: classes)
  }
  /// 44.5 million parameters, 7.8 billion multiply-adds for 224×224.
  public static func resNet101(classes: Int = 1000) -> ResNet {
    ResNet(counts: (3, 4, 23, 3), classes: classes)
  }
  /// 60.2 million parameters, 11.5 billion multiply-adds for 224×224.
  public static func resNet152(classes: Int = 1000) -> ResNet {
    ResNet(counts: (3, 8, 36, 3), classes: classes)
  }
  /// ResNeXt-50 32×4d: 25.0 million parameters.
  public static func resNeXt50(classes: Int = 1000) -> ResNet {
    ResNet(counts: (3, 4, 6, 3), classes: classes, groups: 32, groupWidth: 4)
  }
  /// ResNet-50 with 3×3 convolutions twice as wide (Zagoruyko and Komodakis, 2016): 68.9 million parameters.
  public static func wideResNet50(classes: Int = 1000) -> ResNet {
    ResNet(counts: (3, 4, 6, 3), classes: classes, groupWidth: 128)
  }
}

/// A block of a ``ResNet``: relu(branch(x) + shortcut(x)).
public protocol ResNetBlock: Layer {
  /// Output channels for each plane.
  static var expansion: Int { get }
  /// - Parameters:
  ///   - inputs: input channels.
  ///   - planes: the block has `planes` × ``expansion`` output channels.
  init(_ inputs: Int, _ planes: Int, stride: Int, groups: Int, groupWidth: Int)
}

/// What changes channels and size of the input where the block does.
public typealias ResNetShortcut = Sequential<Conv2d, BatchNorm2d>

private func shortcut(_ inputs: Int, _ outputs: Int, stride: Int) -> ResNetShortcut? {
  guard stride != 1 || inputs != outputs else { return nil }
  return Sequential {
    Conv2d(inputs, outputs, kernel: 1, stride: stride, bias: false, initializer: .fanOut)
    BatchNorm2d(outputs)
  }
}

/// Two 3×3 convolutions.
public struct BasicBlock: ResNetBlock {
  public static let expansion = 1
  public var conv1: Conv2d
  public var bn1: BatchNorm2d
  public var conv2: Conv2d
  public var bn2: BatchNorm2d
  public var downsample: ResNetShortcut?

  public init(_ inputs: Int, _ planes: Int, stride: Int, groups: Int, groupWidth: Int) {
    if groups != 1 || groupWidth != 64 {
      Diagnostic.report(
        Diagnostic(
          operation: "BasicBlock", reason: "groups and their width are the bottleneck's",
          facts: ["groups \(groups)", "width  \(groupWidth)"],
          hint: "ResNet<Bottleneck>(counts:classes:groups:groupWidth:)"))
    }
    conv1 = Conv2d(
      inputs, planes, kernel: 3, stride: stride, padding: 1, bias: false, initializer: .fanOut)
    bn1 = BatchNorm2d(planes)
    conv2 = Conv2d(planes, planes, kernel: 3, padding: 1, bias: false, initializer: .fanOut)
    bn2 = BatchNorm2d(planes)
    downsample = shortcut(inputs, planes, stride: stride)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let y = bn2(conv2(bn1(conv1(x)).relu()))
    return (y + (downsample?(x) ?? x)).relu()
  }
}

/// 1×1 to fewer channels, 3×3 there, 1×1 back to four times as many.
public struct Bottleneck: ResNetBlock {
  public static let expansion = 4
  public var conv1: Conv2d
  public var bn1: BatchNorm2d
  public var conv2: Conv2d
  public var bn2: BatchNorm2d
  public var conv3: Conv2d
  public var bn3: BatchNorm2d
  public var downsample: ResNetShortcut?

  public init(_ inputs: Int, _ planes: Int, stride: Int, groups: Int, groupWidth: Int) {
    let width = planes * groupWidth / 64 * groups
    let outputs = planes * Self.expansion
    conv1 = Conv2d(inputs, width, kernel: 1, bias: false, initializer: .fanOut)
    bn1 = BatchNorm2d(width)
    conv2 = Conv2d(
      width, width, kernel: 3, stride: stride, padding: 1, groups: groups, bias: false,
      initializer: .fanOut)
    bn2 = BatchNorm2d(width)
    conv3 = Conv2d(width, outputs, kernel: 1, bias: false, initializer: .fanOut)
    bn3 = BatchNorm2d(outputs)
    downsample = shortcut(inputs, outputs, stride: stride)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let y = bn3(conv3(bn2(conv2(bn1(conv1(x)).relu())).relu()))
    return (y + (downsample?(x) ?? x)).relu()
  }
}
