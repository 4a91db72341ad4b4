import TarnCore

/// The settings of a convolution, per spatial axis.
public struct ConvolutionSettings: Hashable, Sendable, Codable {
  /// Steps between the places of the kernel.
  public var stride: [Int]
  /// Zeros in front of each axis.
  public var paddingLow: [Int]
  /// Zeros behind each axis.
  public var paddingHigh: [Int]
  /// Steps between the elements of the kernel.
  public var dilation: [Int]
  /// Channels are cut into so many groups, each convolved apart.
  public var groups: Int
  /// Added to one end of the output of a transposed convolution.
  public var outputPadding: [Int]
  /// Whether the padding is what TensorFlow's and Keras's `same` takes, see ``SameConv2d``; that above is then not used.
  public var isSame = false

  init(
    kernel: [Int], stride: some Spatial, padding: some Spatial, dilation: some Spatial, groups: Int,
    outputPadding: some Spatial = 0
  ) {
    let rank = kernel.count
    self.stride = stride.lengths(rank: rank)
    self.dilation = dilation.lengths(rank: rank)
    (paddingLow, paddingHigh) = padding.margins(kernel: kernel, dilations: self.dilation)
    self.groups = groups
    self.outputPadding = outputPadding.lengths(rank: rank)
  }

  /// With older files, which do not know ``isSame``.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    stride = try container.decode([Int].self, forKey: .stride)
    paddingLow = try container.decode([Int].self, forKey: .paddingLow)
    paddingHigh = try container.decode([Int].self, forKey: .paddingHigh)
    dilation = try container.decode([Int].self, forKey: .dilation)
    groups = try container.decode(Int.self, forKey: .groups)
    outputPadding = try container.decode([Int].self, forKey: .outputPadding)
    isSame = try container.decodeIfPresent(Bool.self, forKey: .isSame) ?? false
  }

  /// With as much padding that an output has ⌈length / stride⌉ places; what is odd goes after.
  func padded(for lengths: ArraySlice<Int>, kernel: ArraySlice<Int>) -> ConvolutionSettings {
    var settings = self
    for (axis, (length, kernel)) in zip(lengths, kernel).enumerated() {
      let extent = dilation[axis] * (kernel - 1) + 1
      let steps = (length + stride[axis] - 1) / stride[axis] - 1
      let total = max(0, steps * stride[axis] + extent - length)
      settings.paddingLow[axis] = total / 2
      settings.paddingHigh[axis] = total - total / 2
    }
    return settings
  }

  var padding: [(Int, Int)] { Array(zip(paddingLow, paddingHigh)) }

  /// What differs from the defaults, for descriptions.
  func describe(_ kernel: [Int]) -> String {
    var parts = ["kernel \(brief(kernel))"]
    if stride.contains(where: { $0 != 1 }) { parts.append("stride \(brief(stride))") }
    if isSame {
      parts.append("padding same")
    } else if (paddingLow + paddingHigh).contains(where: { $0 != 0 }) {
      parts.append(
        "padding \(brief(paddingLow == paddingHigh ? paddingLow : paddingLow + paddingHigh))")
    }
    if dilation.contains(where: { $0 != 1 }) { parts.append("dilation \(brief(dilation))") }
    if groups != 1 { parts.append("groups \(groups)") }
    return parts.joined(separator: ", ")
  }

  /// Reports settings that fit no input.
  func check(_ layer: String, _ inputs: Int, _ outputs: Int) {
    guard groups < 1 || inputs % groups != 0 || outputs % groups != 0 else { return }
    Diagnostic.report(
      Diagnostic(
        operation: layer, reason: "both channel counts must be multiples of the groups",
        facts: ["channels \(inputs) → \(outputs)", "groups \(groups)"]))
  }
}

/// Cross-correlation of [N, C, L] with weights [O, C / groups, k]: [N, O, L′],
/// L′ = ⌊(L + padding − dilation (k − 1) − 1) / stride⌋ + 1.
public struct Conv1d: Layer, CustomStringConvertible {
  /// [outputs, inputs / groups, k]
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
    _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, padding: some Spatial = 0,
    dilation: Int = 1, groups: Int = 1, bias: Bool = true, initializer: Initializer = .standard,
    key: RandomKey? = nil
  ) {
    settings = ConvolutionSettings(
      kernel: [kernel], stride: stride, padding: padding, dilation: dilation, groups: groups)
    settings.check("Conv1d(\(inputs) → \(outputs))", inputs, outputs)
    let shape = [outputs, inputs / max(1, groups), kernel]
    let make = ParameterMaker(key)
    weight = make(0, initializer, shape)
    self.bias = bias ? make(1, .standardBias(weight: shape), [outputs]) : nil
  }

  public var description: String { convolutionDescription("Conv1d", weight, settings) }
  public func callAsFunction(_ x: Tensor) -> Tensor { convolve(x, weight, bias, settings) }
}

/// Cross-correlation of [N, C, H, W] with weights [O, C / groups, kH, kW]: [N, O, H′, W′],
/// H′ = ⌊(H + padding − dilation (kH − 1) − 1) / stride⌋ + 1.
///
/// ```swift
/// let first = Conv2d(3, 64, kernel: 7, stride: 2, padding: 3, bias: false)
/// let wide = Conv2d(64, 64, kernel: [1, 5], padding: .same)
/// ```
public struct Conv2d: Layer, CustomStringConvertible {
  /// [outputs, inputs / groups, kH, kW]
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
    padding: some Spatial = 0, dilation: some Spatial = 1, groups: Int = 1, bias: Bool = true,
    initializer: Initializer = .standard, key: RandomKey? = nil
  ) {
    let kernel = kernel.lengths(rank: 2)
    settings = ConvolutionSettings(
      kernel: kernel, stride: stride, padding: padding, dilation: dilation, groups: groups)
    settings.check("Conv2d(\(inputs) → \(outputs))", inputs, outputs)
    let shape = [outputs, inputs / max(1, groups)] + kernel
    let make = ParameterMaker(key)
    weight = make(0, initializer, shape)
    self.bias = bias ? make(1, .standardBias(weight: shape), [outputs]) : nil
  }

  public var description: String { convolutionDescription("Conv2d", weight, settings) }
  public func callAsFunction(_ x: Tensor) -> Tensor { convolve(x, weight, bias, settings) }
}

private func convolutionDescription(
  _ name: String, _ weight: Tensor, _ settings: ConvolutionSettings
) -> String {
  let shape = weight.shape
  let inputs = shape[1] * settings.groups
  return "\(name)(\(inputs) → \(shape[0]), \(settings.describe(Array(shape[2...]))))"
}

extension Layer {
  fileprivate func convolve(
    _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ settings: ConvolutionSettings
  ) -> Tensor {
    let kernel = weight.shape[2...]
    let channels = weight.shape[1] * settings.groups
    if let problem = problem(
      x, channels: channels, spatial: kernel.count, output: weight.shape[0])
    {
      return problem
    }
    let settings =
      settings.isSame ? settings.padded(for: x.shape[2...], kernel: kernel) : settings
    for (axis, length) in kernel.enumerated() {
      let extent = settings.dilation[axis] * (length - 1) + 1
      let padded = x.shape[axis + 2] + settings.paddingLow[axis] + settings.paddingHigh[axis]
      if padded < extent {
        return rejected(
          x, "the kernel covers \(extent) elements of axis \(axis + 2), which has \(padded)",
          hint: "a larger input, or more padding", facts: ["weight \(weight.shape)"],
          as: [x.shape[0], weight.shape[0]] + kernel.map { _ in 1 })
      }
    }
    let y = x.convolved(
      weight, strides: settings.stride, padding: settings.padding, dilations: settings.dilation,
      groups: settings.groups)
    return recorded(
      bias.map { y + $0.reshaped([-1] + kernel.map { _ in 1 }) } ?? y,
      multiplyAdds: y.count * weight.shape[1...].reduce(1, *))
  }
}
