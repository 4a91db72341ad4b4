import TarnCore

/// Passes its input on.
public struct Identity: Layer, CustomStringConvertible {
  public init() {}
  public var description: String { "Identity()" }
  public func callAsFunction(_ x: Tensor) -> Tensor { x }
}

/// Axes `from…to` as one: [N, C, H, W] → [N, C H W] by default.
public struct Flatten: Layer, CustomStringConvertible {
  /// The first axis to merge.
  public var from: Int
  /// The last axis to merge; negative ones count from the end.
  public var to: Int
  /// Axes `from` to `to` as one.
  public init(from: Int = 1, to: Int = -1) { (self.from, self.to) = (from, to) }
  public var description: String { "Flatten()" }
  public func callAsFunction(_ x: Tensor) -> Tensor { recorded(x.flattened(from: from, to: to)) }
}

/// The axes after the first under another shape: [N, …] → [N, shape…]. One length may be −1.
public struct Reshape: Layer, CustomStringConvertible {
  /// The lengths after the first.
  public var shape: [Int]
  /// The lengths after the first; one may be −1.
  public init(_ shape: Int...) { self.shape = shape }
  public var description: String { "Reshape(\(shape.map(String.init).joined(separator: ", ")))" }
  public func callAsFunction(_ x: Tensor) -> Tensor {
    guard let count = x.shape.first else { return rejected(x, "expects [N, …]", as: shape) }
    return recorded(x.reshaped([count] + shape))
  }
}

/// Axes in another order: `Permute(0, 2, 3, 1)` makes [N, C, H, W] into [N, H, W, C].
public struct Permute: Layer, CustomStringConvertible {
  /// The axes of the input in the order of the output.
  public var axes: [Int]
  /// The axes of the input in the order of the output.
  public init(_ axes: Int...) { self.axes = axes }
  public var description: String { "Permute(\(axes.map(String.init).joined(separator: ", ")))" }
  public func callAsFunction(_ x: Tensor) -> Tensor { recorded(x.permuted(axes)) }
}

/// [N, C, H, W] enlarged to a size or by a factor.
///
/// ```swift
/// let up = Upsample(by: 2)
/// let fit = Upsample(to: [224, 224], mode: .bilinear)
/// ```
public struct Upsample: Layer, CustomStringConvertible {
  /// How new elements come from old ones.
  public enum Mode: String, Hashable, Sendable, Codable {
    case nearest, bilinear, bilinearAlignedCorners
  }
  /// The lengths [H, W] to come to, if they are given.
  public var size: [Int]?
  /// The factors of [H, W], if they are given.
  public var factor: [Int]?
  /// How new elements come from old ones.
  public var mode: Mode

  /// By `factor`, one number or [H, W].
  public init(by factor: some Spatial, mode: Mode = .nearest) {
    (self.factor, self.mode) = (factor.lengths(rank: 2), mode)
  }
  /// To `size`, one number or [H, W].
  public init(to size: some Spatial, mode: Mode = .nearest) {
    (self.size, self.mode) = (size.lengths(rank: 2), mode)
  }

  public var description: String {
    let target = size.map { "to \(brief($0))" } ?? factor.map { "by \(brief($0))" } ?? ""
    return "Upsample(\(target), \(mode.rawValue))"
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    if let problem = problem(x, channels: nil, spatial: 2, output: 1) { return problem }
    let target = size ?? zip(x.shape[2...], factor ?? [1, 1]).map { $0 * $1 }
    let interpolation: Interpolation =
      switch mode {
      case .nearest: .nearest
      case .bilinear: .bilinear(alignCorners: false)
      case .bilinearAlignedCorners: .bilinear(alignCorners: true)
      }
    return recorded(x.upsampled(to: target, mode: interpolation))
  }
}
