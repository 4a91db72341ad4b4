import TarnCore
import TarnNN

/// A convolution without bias, batch normalisation, an activation: torchvision's `Conv2dNormActivation`, with its names
/// `0.weight`, `1.weight`, ….
public struct ConvNormActivation: Layer {
  public var conv: Conv2d
  public var norm: BatchNorm2d
  public var activation: Activation

  enum CodingKeys: String, CodingKey {
    case conv = "0"
    case norm = "1"
    case activation
  }

  /// With as much padding as keeps the size at stride 1.
  public init(
    _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, groups: Int = 1,
    activation: Activation, norm: BatchNormSettings = .standard
  ) {
    conv = Conv2d(
      inputs, outputs, kernel: kernel, stride: stride, padding: kernel / 2, groups: groups,
      bias: false, initializer: .fanOut)
    self.norm = BatchNorm2d(outputs, epsilon: norm.epsilon, momentum: norm.momentum)
    self.activation = activation
  }

  public func callAsFunction(_ x: Tensor) -> Tensor { activation(norm(conv(x))) }
}

extension BatchNormSettings {
  /// PyTorch's: ε = 1e-5, a tenth of each batch.
  public static let standard = BatchNormSettings(epsilon: 1e-5, momentum: 0.1)
  /// TensorFlow's mobile networks': ε = 1e-3, a hundredth of each batch.
  public static let mobile = BatchNormSettings(epsilon: 1e-3, momentum: 0.01)
}
