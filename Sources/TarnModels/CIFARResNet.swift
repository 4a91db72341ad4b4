import TarnCore
import TarnNN

/// The residual networks for 32×32 pictures (He et al., *Deep Residual Learning for Image Recognition*, 2015, section 4.2),
/// [N, 3, H, W] → [N, classes].
///
/// A 3×3 convolution and three groups of as many basic blocks, of 16, 32 and 64 channels, depth 6 n + 2. Shortcuts have no
/// parameters: where the picture is halved, every second pixel, and zeros for the new channels (option A). Names and
/// shapes are those of akamaster's `pytorch_resnet_cifar10`.
///
/// ```swift
/// let model = CIFARResNet(depth: 20)            // 269,722 parameters
/// let logits = model(images)                    // [128, 3, 32, 32] → [128, 10]
/// ```
public struct CIFARResNet: Layer {
  public var conv1: Conv2d
  public var bn1: BatchNorm2d
  public var layer1: Chain<CIFARBlock>
  public var layer2: Chain<CIFARBlock>
  public var layer3: Chain<CIFARBlock>
  public var linear: Linear

  /// - Parameter depth: layers with weights, 6 n + 2: 20, 32, 44, 56, 110 in the paper.
  public init(depth: Int = 20, classes: Int = 10) {
    if depth < 8 || depth % 6 != 2 {
      Diagnostic.report(
        Diagnostic(
          operation: "CIFARResNet", reason: "the depth is 6 n + 2", facts: ["depth \(depth)"],
          hint: "for instance CIFARResNet(depth: 20)"))
    }
    let count = max(1, (depth - 2) / 6)
    func blocks(_ inputs: Int, _ outputs: Int) -> Chain<CIFARBlock> {
      Chain(
        (0..<count).map { index in
          CIFARBlock(
            index == 0 ? inputs : outputs, outputs, stride: index == 0 && inputs < outputs ? 2 : 1)
        })
    }
    conv1 = Conv2d(3, 16, kernel: 3, padding: 1, bias: false, initializer: .kaimingNormal())
    bn1 = BatchNorm2d(16)
    layer1 = blocks(16, 16)
    layer2 = blocks(16, 32)
    layer3 = blocks(32, 64)
    linear = Linear(64, classes, initializer: .kaimingNormal())
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let y = layer3(layer2(layer1(bn1(conv1(x)).relu())))
    return linear(y.channelMeans())
  }
}

/// Two 3×3 convolutions and a shortcut without parameters.
public struct CIFARBlock: Layer {
  public var conv1: Conv2d
  public var bn1: BatchNorm2d
  public var conv2: Conv2d
  public var bn2: BatchNorm2d

  public init(_ inputs: Int, _ outputs: Int, stride: Int) {
    conv1 = Conv2d(
      inputs, outputs, kernel: 3, stride: stride, padding: 1, bias: false,
      initializer: .kaimingNormal())
    bn1 = BatchNorm2d(outputs)
    conv2 = Conv2d(
      outputs, outputs, kernel: 3, padding: 1, bias: false, initializer: .kaimingNormal())
    bn2 = BatchNorm2d(outputs)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let y = bn2(conv2(bn1(conv1(x)).relu()))
    return (y + shortcut(x)).relu()
  }

  private func shortcut(_ x: Tensor) -> Tensor {
    let (stride, outputs) = (conv1.settings.stride, conv1.weight.shape[0])
    let missing = outputs - x.shape[1]
    guard stride != [1, 1] || missing > 0 else { return x }
    let kept = x[0..., 0..., .stride(by: stride[0]), .stride(by: stride[1])]
    return kept.padded([(0, 0), (missing / 2, missing - missing / 2), (0, 0), (0, 0)])
  }
}
