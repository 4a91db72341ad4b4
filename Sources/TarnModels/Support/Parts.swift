import TarnCore
import TarnNN

extension Initializer {
  /// N(0, 2 / fan out), as torchvision starts the convolutions of most networks.
  static let fanOut = Initializer.kaimingNormal(fan: .output)
}

extension Conv2d {
  /// The same with a bias of zeros, if it has one.
  func withZeroBias() -> Conv2d {
    var layer = self
    layer.bias = bias.map { .zeros($0.shape) }
    return layer
  }
}

extension Linear {
  /// The same with a bias of zeros, if it has one.
  func withZeroBias() -> Linear {
    var layer = self
    layer.bias = bias.map { .zeros($0.shape) }
    return layer
  }
}

extension Tensor {
  /// The mean of each channel: [N, C, H, W] → [N, C].
  func channelMeans() -> Tensor { mean(axes: [2, 3]) }
}
