import Tarn

/// The basic block of a ResNet as PyTorch's torchvision names its parts.
struct BasicBlock: Layer {
  var conv1: Conv2d
  var bn1: BatchNorm2d
  var conv2: Conv2d
  var bn2: BatchNorm2d
  var downsample: Sequential<Conv2d, BatchNorm2d>?

  init(_ inputs: Int, _ outputs: Int, stride: Int = 1) {
    conv1 = Conv2d(inputs, outputs, kernel: 3, stride: stride, padding: 1, bias: false)
    bn1 = BatchNorm2d(outputs)
    conv2 = Conv2d(outputs, outputs, kernel: 3, padding: 1, bias: false)
    bn2 = BatchNorm2d(outputs)
    if stride != 1 || inputs != outputs {
      downsample = Sequential {
        Conv2d(inputs, outputs, kernel: 1, stride: stride, bias: false)
        BatchNorm2d(outputs)
      }
    }
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let y = bn2(conv2(bn1(conv1(x)).relu()))
    return (y + (downsample?(x) ?? x)).relu()
  }
}

/// A ResNet with blocks of these widths.
struct ResNet: Layer {
  var conv1: Conv2d
  var bn1: BatchNorm2d
  var layer1: Chain<BasicBlock>
  var layer2: Chain<BasicBlock>
  var fc: Linear

  init(width: Int = 4, classes: Int = 3) {
    conv1 = Conv2d(3, width, kernel: 3, padding: 1, bias: false)
    bn1 = BatchNorm2d(width)
    layer1 = Chain([BasicBlock(width, width), BasicBlock(width, width)])
    layer2 = Chain([BasicBlock(width, 2 * width, stride: 2), BasicBlock(2 * width, 2 * width)])
    fc = Linear(2 * width, classes)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    fc(layer2(layer1(bn1(conv1(x)).relu())).mean(2, 3))
  }
}

extension ResNet {
  /// As `ResNet.state_dict()` lists them in torchvision.
  static var names: [String] {
    func norm(_ name: String) -> [String] {
      ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"].map {
        "\(name).\($0)"
      }
    }
    func block(_ name: String, downsample: Bool = false) -> [String] {
      ["\(name).conv1.weight"] + norm("\(name).bn1") + ["\(name).conv2.weight"]
        + norm("\(name).bn2")
        + (downsample ? ["\(name).downsample.0.weight"] + norm("\(name).downsample.1") : [])
    }
    return ["conv1.weight"] + norm("bn1") + block("layer1.0") + block("layer1.1")
      + block("layer2.0", downsample: true) + block("layer2.1") + ["fc.weight", "fc.bias"]
  }
}
