import TarnCore
import TarnInterop

/// Sizes of a window that moves over one or two axes, and how it meets the border.
struct KerasWindow: Sendable {
  enum Padding: Sendable { case valid, same, causal }

  let size: [Int], strides: [Int], dilations: [Int]
  let padding: Padding
  let isChannelsLast: Bool

  init(_ config: KerasConfig, axes: Int, size: String) throws {
    self.size = try config.ints(size, axes)
    strides = try config.ints(
      "strides", axes, size == "kernel_size" ? [Int](repeating: 1, count: axes) : self.size)
    dilations = try config.ints("dilation_rate", axes, [Int](repeating: 1, count: axes))
    isChannelsLast = try config.isChannelsLast()
    switch try config.string("padding", "valid").lowercased() {
    case "valid": padding = .valid
    case "same": padding = .same
    case "causal" where axes == 1: padding = .causal
    case let other: throw KerasRefusal("padding '\(other)'")
    }
  }

  /// Margins for lengths of the axes; "same" gives ⌈n / stride⌉ places, with the odd one at the end.
  func margins(_ lengths: [Int]) -> [(Int, Int)] {
    lengths.indices.map { axis in
      let reach = (size[axis] - 1) * dilations[axis]
      switch padding {
      case .valid: return (0, 0)
      case .causal: return (reach, 0)
      case .same:
        let places = (lengths[axis] + strides[axis] - 1) / strides[axis]
        let total = max((places - 1) * strides[axis] + reach + 1 - lengths[axis], 0)
        return (total / 2, total - total / 2)
      }
    }
  }

  /// Applies `body` with channels at axis 1.
  func channelsFirst(_ x: Tensor, _ body: (Tensor) -> Tensor) -> Tensor {
    guard isChannelsLast else { return body(x) }
    let spatial = Array(1..<(x.rank - 1))
    let y = body(x.permuted([0, x.rank - 1] + spatial))
    return y.permuted([0] + spatial.map { $0 + 1 } + [1])
  }
}

/// Strided, dilated and grouped convolution: kernel [k..., I / groups, O].
struct KerasConvolution: KerasOperation {
  let variables: [KerasVariable]
  let ranks: ClosedRange<Int>
  private let window: KerasWindow
  private let groups: Int
  private let activation: KerasActivations.Function

  init(_ config: KerasConfig, axes: Int) throws {
    window = try KerasWindow(config, axes: axes, size: "kernel_size")
    groups = try config.int("groups", 1)
    ranks = (axes + 2)...(axes + 2)
    let filters = try config.int("filters")
    let hasBias = try config.bool("use_bias", true)
    variables =
      [KerasVariable("kernel", rank: axes + 2, last: filters)]
      + (hasBias ? [KerasVariable("bias", rank: 1, last: filters)] : [])
    activation = try KerasActivations.function(config, "activation", "linear")
  }

  func callAsFunction(_ inputs: [Tensor], _ variables: [Tensor]) -> Tensor {
    let weight = KerasKernels.convolution(variables[0])
    let y = window.channelsFirst(inputs[0]) { x in
      let y = x.convolved(
        weight, strides: window.strides, padding: window.margins(Array(x.shape.dropFirst(2))),
        dilations: window.dilations, groups: groups)
      return variables.count > 1 ? y + variables[1].alongChannels(y.rank) : y
    }
    return activation(y)
  }
}

/// One kernel for each channel and multiplier: [k..., C, M], output channel c · M + m.
struct KerasDepthwise: KerasOperation {
  let variables: [KerasVariable]
  let ranks: ClosedRange<Int>
  private let window: KerasWindow
  private let activation: KerasActivations.Function

  init(_ config: KerasConfig, axes: Int) throws {
    window = try KerasWindow(config, axes: axes, size: "kernel_size")
    ranks = (axes + 2)...(axes + 2)
    let hasBias = try config.bool("use_bias", true)
    let multiplier = try config.int("depth_multiplier", 1)
    variables =
      [KerasVariable("depthwise_kernel", rank: axes + 2, last: multiplier)]
      + (hasBias ? [KerasVariable("bias", rank: 1)] : [])
    activation = try KerasActivations.function(config, "activation", "linear")
  }

  func callAsFunction(_ inputs: [Tensor], _ variables: [Tensor]) -> Tensor {
    let y = window.channelsFirst(inputs[0]) { x in
      let y = Self.convolved(x, variables[0], window)
      return variables.count > 1 ? y + variables[1].alongChannels(y.rank) : y
    }
    return activation(y)
  }

  static func convolved(_ x: Tensor, _ kernel: Tensor, _ window: KerasWindow) -> Tensor {
    x.convolved(
      KerasKernels.depthwise(kernel), strides: window.strides,
      padding: window.margins(Array(x.shape.dropFirst(2))), dilations: window.dilations,
      groups: x.shape[1])
  }
}

/// A depthwise convolution, then one with a kernel of size 1.
struct KerasSeparable: KerasOperation {
  let variables: [KerasVariable]
  let ranks: ClosedRange<Int>
  private let window: KerasWindow
  private let activation: KerasActivations.Function

  init(_ config: KerasConfig, axes: Int) throws {
    window = try KerasWindow(config, axes: axes, size: "kernel_size")
    ranks = (axes + 2)...(axes + 2)
    let filters = try config.int("filters")
    let hasBias = try config.bool("use_bias", true)
    let multiplier = try config.int("depth_multiplier", 1)
    variables =
      [
        KerasVariable("depthwise_kernel", rank: axes + 2, last: multiplier),
        KerasVariable("pointwise_kernel", rank: axes + 2, last: filters),
      ] + (hasBias ? [KerasVariable("bias", rank: 1, last: filters)] : [])
    activation = try KerasActivations.function(config, "activation", "linear")
  }

  func callAsFunction(_ inputs: [Tensor], _ variables: [Tensor]) -> Tensor {
    let y = window.channelsFirst(inputs[0]) { x in
      let y = KerasDepthwise.convolved(x, variables[0], window)
        .convolved(KerasKernels.convolution(variables[1]))
      return variables.count > 2 ? y + variables[2].alongChannels(y.rank) : y
    }
    return activation(y)
  }
}

/// The transpose of a convolution's map: kernel [k..., O, I].
struct KerasTransposed: KerasOperation {
  let variables: [KerasVariable]
  let ranks: ClosedRange<Int>
  private let window: KerasWindow
  private let activation: KerasActivations.Function

  init(_ config: KerasConfig, axes: Int) throws {
    window = try KerasWindow(config, axes: axes, size: "kernel_size")
    if config.has("output_padding") { throw KerasRefusal("output_padding is given") }
    if window.dilations.contains(where: { $0 > 1 }) { throw KerasRefusal("it is dilated") }
    ranks = (axes + 2)...(axes + 2)
    let hasBias = try config.bool("use_bias", true)
    variables =
      [KerasVariable("kernel", rank: axes + 2)]
      + (hasBias ? [KerasVariable("bias", rank: 1, last: try config.int("filters"))] : [])
    activation = try KerasActivations.function(config, "activation", "linear")
  }

  func callAsFunction(_ inputs: [Tensor], _ variables: [Tensor]) -> Tensor {
    // "same" gives n · stride places, "valid" as many as the kernel reaches if that is more.
    let overlap = zip(window.size, window.strides).map { max($0 - $1, 0) }
    let isSame = window.padding == .same
    let y = window.channelsFirst(inputs[0]) { x in
      let y = x.convolvedTransposed(
        KerasKernels.convolution(variables[0]), strides: window.strides,
        padding: overlap.map { isSame ? ($0 / 2, $0 - $0 / 2) : (0, 0) },
        outputPadding: zip(window.size, window.strides).map { max($1 - $0, 0) })
      return variables.count > 1 ? y + variables[1].alongChannels(y.rank) : y
    }
    return activation(y)
  }
}

extension Tensor {
  /// [C] as [C, 1, ...], to be added where channels are axis 1 of `rank` axes.
  func alongChannels(_ rank: Int) -> Tensor {
    reshaped([count] + [Int](repeating: 1, count: Swift.max(rank - 2, 0)))
  }
}
