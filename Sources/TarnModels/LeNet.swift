import TarnCore
import TarnNN

/// Two convolutions with pooling, then three linear layers, [n, C, H, W] → [n, classes]
/// (LeCun et al., *Gradient-Based Learning Applied to Document Recognition*, 1998, with rectifiers and maximum pooling).
///
/// For images of 28×28: convolution to 6 channels with a 5×5 kernel and padding 2, pooling 2, convolution to 16 channels with
/// 5×5, pooling 2, 120, 84, classes. Images under 16 pixels get 3×3 kernels with padding 1 in both, and 8×8 digits thus
/// 16 × 2 × 2 features before the linear layers.
///
/// ```swift
/// let model = LeNet(inputShape: [1, 28, 28], classes: 10)      // 61,706 parameters
/// ```
public struct LeNet: Layer {
  public var conv1: Conv2d
  public var conv2: Conv2d
  public var fc1: Linear
  public var fc2: Linear
  public var fc3: Linear

  /// - Parameter inputShape: of one image, [C, H, W], at least 4×4 pixels.
  public init(inputShape: [Int] = [1, 28, 28], classes: Int = 10) {
    if let problem = Self.problem(inputShape) {
      Diagnostic.report(
        Diagnostic(
          operation: "LeNet", reason: problem, hint: "for instance LeNet(inputShape: [1, 28, 28])"))
    }
    let shape = Self.problem(inputShape) == nil ? inputShape : [1, 28, 28]
    let isSmall = min(shape[1], shape[2]) < 16
    let kernel = isSmall ? 3 : 5
    conv1 = Conv2d(shape[0], 6, kernel: kernel, padding: kernel / 2)
    conv2 = Conv2d(6, 16, kernel: kernel, padding: isSmall ? 1 : 0)
    let sides = shape.dropFirst().map { side in
      isSmall ? side / 2 / 2 : (side / 2 - kernel + 1) / 2
    }
    fc1 = Linear(16 * sides.reduce(1, *), 120)
    fc2 = Linear(120, 84)
    fc3 = Linear(84, classes)
  }

  /// Why there can be no such model for images of this shape; nil if there can.
  public static func problem(_ shape: [Int]) -> String? {
    guard shape.count == 3, shape[1] >= 4, shape[2] >= 4, shape[0] >= 1 else {
      return "it takes images [C, H, W] of 4×4 pixels at least, not \(shape)"
    }
    return nil
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    var y = conv1(x).relu().maxPooled([2, 2])
    y = conv2(y).relu().maxPooled([2, 2]).flattened(from: 1)
    return fc3(fc2(fc1(y).relu()).relu())
  }
}
