import TarnCore

/// The window of a pooling layer, per spatial axis.
public struct PoolingSettings: Hashable, Sendable, Codable {
  /// Lengths of the window.
  public var kernel: [Int]
  /// Steps between windows.
  public var stride: [Int]
  /// Margin on either side of each axis.
  public var padding: [Int]
  /// Steps between the elements of a window.
  public var dilation: [Int]
  /// Whether a window may hang over the far end.
  public var ceil: Bool

  init(
    rank: Int, _ kernel: some Spatial, stride: (any Spatial)?, padding: some Spatial,
    dilation: some Spatial = 1, ceil: Bool
  ) {
    self.kernel = kernel.lengths(rank: rank)
    self.stride = stride?.lengths(rank: rank) ?? self.kernel
    self.padding = padding.lengths(rank: rank)
    self.dilation = dilation.lengths(rank: rank)
    self.ceil = ceil
  }

  var margins: [(Int, Int)] { padding.map { ($0, $0) } }

  var text: String {
    var parts = ["\(brief(kernel))", "stride \(brief(stride))"]
    if padding.contains(where: { $0 != 0 }) { parts.append("padding \(brief(padding))") }
    if dilation.contains(where: { $0 != 1 }) { parts.append("dilation \(brief(dilation))") }
    if ceil { parts.append("ceil") }
    return parts.joined(separator: ", ")
  }
}

/// The largest of each window of [N, C, L].
public struct MaxPool1d: Layer, CustomStringConvertible {
  /// The window and how it moves.
  public var settings: PoolingSettings
  /// - Parameter stride: the kernel's length by default.
  public init(
    _ kernel: Int, stride: Int? = nil, padding: Int = 0, dilation: Int = 1, ceil: Bool = false
  ) {
    settings = PoolingSettings(
      rank: 1, kernel, stride: stride, padding: padding, dilation: dilation, ceil: ceil)
  }
  public var description: String { "MaxPool1d(\(settings.text))" }
  public func callAsFunction(_ x: Tensor) -> Tensor { maxPool(x, settings) }
}

/// The largest of each window of [N, C, H, W].
///
/// ```swift
/// let pool = MaxPool2d(3, stride: 2, padding: 1)
/// ```
public struct MaxPool2d: Layer, CustomStringConvertible {
  /// The window and how it moves.
  public var settings: PoolingSettings
  /// - Parameter stride: the kernel's lengths by default.
  public init(
    _ kernel: some Spatial, stride: (any Spatial)? = nil, padding: some Spatial = 0,
    dilation: some Spatial = 1, ceil: Bool = false
  ) {
    settings = PoolingSettings(
      rank: 2, kernel, stride: stride, padding: padding, dilation: dilation, ceil: ceil)
  }
  public var description: String { "MaxPool2d(\(settings.text))" }
  public func callAsFunction(_ x: Tensor) -> Tensor { maxPool(x, settings) }
}

/// The mean of each window of [N, C, L].
public struct AvgPool1d: Layer, CustomStringConvertible {
  /// The window and how it moves.
  public var settings: PoolingSettings
  /// Whether padding counts as zeros or not at all.
  public var countsPadding: Bool
  /// - Parameter countsPadding: whether padding counts as zeros or not at all.
  public init(
    _ kernel: Int, stride: Int? = nil, padding: Int = 0, ceil: Bool = false,
    countsPadding: Bool = true
  ) {
    settings = PoolingSettings(rank: 1, kernel, stride: stride, padding: padding, ceil: ceil)
    self.countsPadding = countsPadding
  }
  public var description: String { "AvgPool1d(\(settings.text))" }
  public func callAsFunction(_ x: Tensor) -> Tensor { averagePool(x, settings, countsPadding) }
}

/// The mean of each window of [N, C, H, W].
public struct AvgPool2d: Layer, CustomStringConvertible {
  /// The window and how it moves.
  public var settings: PoolingSettings
  /// Whether padding counts as zeros or not at all.
  public var countsPadding: Bool
  /// - Parameter countsPadding: whether padding counts as zeros or not at all.
  public init(
    _ kernel: some Spatial, stride: (any Spatial)? = nil, padding: some Spatial = 0,
    ceil: Bool = false, countsPadding: Bool = true
  ) {
    settings = PoolingSettings(rank: 2, kernel, stride: stride, padding: padding, ceil: ceil)
    self.countsPadding = countsPadding
  }
  public var description: String { "AvgPool2d(\(settings.text))" }
  public func callAsFunction(_ x: Tensor) -> Tensor { averagePool(x, settings, countsPadding) }
}

/// Means over windows chosen so that the output is [N, C, size…], whatever the input.
public struct AdaptiveAvgPool2d: Layer, CustomStringConvertible {
  /// Lengths of the output's spatial axes.
  public var size: [Int]
  /// To the spatial lengths `size`.
  public init(_ size: some Spatial) { self.size = size.lengths(rank: 2) }
  public var description: String { "AdaptiveAvgPool2d(\(brief(size)))" }
  public func callAsFunction(_ x: Tensor) -> Tensor {
    if let problem = problem(x, channels: nil, spatial: 2, output: 1) { return problem }
    return recorded(x.adaptiveAveragePooled(to: size))
  }
}

/// Maxima over windows chosen so that the output is [N, C, size…], whatever the input.
public struct AdaptiveMaxPool2d: Layer, CustomStringConvertible {
  /// Lengths of the output's spatial axes.
  public var size: [Int]
  /// To the spatial lengths `size`.
  public init(_ size: some Spatial) { self.size = size.lengths(rank: 2) }
  public var description: String { "AdaptiveMaxPool2d(\(brief(size)))" }
  public func callAsFunction(_ x: Tensor) -> Tensor {
    if let problem = problem(x, channels: nil, spatial: 2, output: 1) { return problem }
    return recorded(x.adaptiveMaxPooled(to: size))
  }
}

/// The mean of each channel: [N, C, H, W] → [N, C], or [N, C, 1, 1] with `keepDims`.
public struct GlobalAvgPool: Layer, CustomStringConvertible {
  /// Whether the pooled axes stay, with length 1.
  public var keepDims: Bool
  /// With `keepDims` the pooled axes stay, with length 1.
  public init(keepDims: Bool = false) { self.keepDims = keepDims }
  public var description: String { "GlobalAvgPool()" }
  public func callAsFunction(_ x: Tensor) -> Tensor {
    guard x.rank >= 3 else { return rejected(x, "expects [N, C, spatial…]", as: x.shape) }
    return recorded(x.mean(axes: Array(2..<x.rank), keepDims: keepDims))
  }
}

extension Layer {
  fileprivate func maxPool(_ x: Tensor, _ settings: PoolingSettings) -> Tensor {
    if let problem = problem(x, channels: nil, spatial: settings.kernel.count, output: 1) {
      return problem
    }
    return recorded(
      x.maxPooled(
        settings.kernel, strides: settings.stride, padding: settings.margins,
        dilations: settings.dilation, ceil: settings.ceil))
  }

  fileprivate func averagePool(
    _ x: Tensor, _ settings: PoolingSettings, _ countsPadding: Bool
  ) -> Tensor {
    if let problem = problem(x, channels: nil, spatial: settings.kernel.count, output: 1) {
      return problem
    }
    return recorded(
      x.averagePooled(
        settings.kernel, strides: settings.stride, padding: settings.margins,
        ceil: settings.ceil, countIncludesPadding: countsPadding))
  }
}
