import TarnCore

/// The adjoint of ``Conv1d``: [N, C, L] → [N, O, L′],
/// L′ = (L − 1) stride − 2 padding + dilation (k − 1) + output padding + 1.
public struct ConvTranspose1d: Layer, CustomStringConvertible {
  /// [inputs, outputs / groups, k]
  public var weight: Tensor
  /// [outputs]
  public var bias: Tensor?
  /// Stride, padding, dilation and groups.
  public var settings: ConvolutionSettings

  /// From `inputs` to `outputs` channels, both multiples of `groups`. Without bias, `bias` is nil.
  ///
  /// - Parameters:
  ///   - initializer: of the weight; PyTorch's U(±1/√fan in) by default.
  ///   - key: of the random numbers; without one the next of the scope, see ``Initialization``.
  public init(
    _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, padding: Int = 0,
    outputPadding: Int = 0, dilation: Int = 1, groups: Int = 1, bias: Bool = true,
    initializer: Initializer = .standard, key: RandomKey? = nil
  ) {
    settings = ConvolutionSettings(
      kernel: [kernel], stride: stride, padding: padding, dilation: dilation, groups: groups,
      outputPadding: outputPadding)
    settings.check("ConvTranspose1d(\(inputs) → \(outputs))", inputs, outputs)
    let shape = [inputs, outputs / max(1, groups), kernel]
    let make = ParameterMaker(key)
    weight = make(0, initializer, shape)
    self.bias = bias ? make(1, .standardBias(weight: shape), [outputs]) : nil
  }

  public var description: String { transposedDescription("ConvTranspose1d", weight, settings) }
  public func callAsFunction(_ x: Tensor) -> Tensor {
    convolveTransposed(x, weight, bias, settings)
  }
}

/// The adjoint of ``Conv2d``, which enlarges: [N, C, H, W] → [N, O, H′, W′],
/// H′ = (H − 1) stride − 2 padding + dilation (kH − 1) + output padding + 1.
///
/// ```swift
/// let up = ConvTranspose2d(64, 32, kernel: 4, stride: 2, padding: 1)   // doubles height and width
/// ```
public struct ConvTranspose2d: Layer, CustomStringConvertible {
  /// [inputs, outputs / groups, kH, kW]
  public var weight: Tensor
  /// [outputs]
  public var bias: Tensor?
  /// Stride, padding, dilation and groups.
  public var settings: ConvolutionSettings

  /// From `inputs` to `outputs` channels, both multiples of `groups`. Without bias, `bias` is nil.
  ///
  /// - Parameters:
  ///   - initializer: of the weight; PyTorch's U(±1/√fan in) by default.
  ///   - key: of the random numbers; without one the next of the scope, see ``Initialization``.
  public init(
    _ inputs: Int, _ outputs: Int, kernel: some Spatial, stride: some Spatial = 1,
    padding: some Spatial = 0, outputPadding: some Spatial = 0, dilation: some Spatial = 1,
    groups: Int = 1, bias: Bool = true, initializer: Initializer = .standard, key: RandomKey? = nil
  ) {
    let kernel = kernel.lengths(rank: 2)
    settings = ConvolutionSettings(
      kernel: kernel, stride: stride, padding: padding, dilation: dilation, groups: groups,
      outputPadding: outputPadding)
    settings.check("ConvTranspose2d(\(inputs) → \(outputs))", inputs, outputs)
    let shape = [inputs, outputs / max(1, groups)] + kernel
    let make = ParameterMaker(key)
    weight = make(0, initializer, shape)
    self.bias = bias ? make(1, .standardBias(weight: shape), [outputs]) : nil
  }

  public var description: String { transposedDescription("ConvTranspose2d", weight, settings) }
  public func callAsFunction(_ x: Tensor) -> Tensor {
    convolveTransposed(x, weight, bias, settings)
  }
}

private func transposedDescription(
  _ name: String, _ weight: Tensor, _ settings: ConvolutionSettings
) -> String {
  let shape = weight.shape
  let outputs = shape[1] * settings.groups
  return "\(name)(\(shape[0]) → \(outputs), \(settings.describe(Array(shape[2...]))))"
}

extension Layer {
  fileprivate func convolveTransposed(
    _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ settings: ConvolutionSettings
  ) -> Tensor {
    let outputs = weight.shape[1] * settings.groups
    let spatial = weight.rank - 2
    if let problem = problem(x, channels: weight.shape[0], spatial: spatial, output: outputs) {
      return problem
    }
    let y = x.convolvedTransposed(
      weight, strides: settings.stride, padding: settings.padding,
      outputPadding: settings.outputPadding, dilations: settings.dilation, groups: settings.groups)
    return recorded(
      bias.map { y + $0.reshaped([-1] + [Int](repeating: 1, count: spatial)) } ?? y,
      multiplyAdds: x.count * weight.shape[1...].reduce(1, *))
  }
}
