import TarnCore

/// A ``Conv2d`` padded as TensorFlow's and Keras's `same`: an output has ⌈H / stride⌉ rows, whatever the kernel.
///
/// How much padding that takes depends on the input; what is odd goes after. At stride 1 it is `Conv2d(…, padding: .same)`.
/// Tensors have the names of a ``Conv2d``'s.
///
/// ```swift
/// let first = SameConv2d(3, 32, kernel: 3, stride: 2)      // [1, 3, 224, 224] → [1, 32, 112, 112]
/// ```
public struct SameConv2d: Layer, CustomStringConvertible {
  /// The convolution; its padding is not used.
  public var conv: Conv2d

  enum CodingKeys: String, CodingKey { case conv = "" }

  /// Parameters as of ``Conv2d``.
  public init(
    _ inputs: Int, _ outputs: Int, kernel: some Spatial, stride: some Spatial = 1,
    dilation: some Spatial = 1, groups: Int = 1, bias: Bool = true,
    initializer: Initializer = .standard, key: RandomKey? = nil
  ) {
    conv = Conv2d(
      inputs, outputs, kernel: kernel, stride: stride, dilation: dilation, groups: groups,
      bias: bias, initializer: initializer, key: key)
  }

  public var description: String { "Same\(conv)" }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    guard x.rank == 4 else { return conv(x) }
    var conv = conv
    conv.settings = conv.settings.padded(for: x.shape[2...], kernel: conv.weight.shape[2...])
    return conv(x)
  }
}
