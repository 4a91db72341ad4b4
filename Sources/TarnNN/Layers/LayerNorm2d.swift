import TarnCore

/// ``LayerNorm`` over the channels of each pixel of [N, C, H, W], as torchvision's `LayerNorm2d`.
///
/// ```swift
/// let norm = LayerNorm2d(96, epsilon: 1e-6)
/// ```
public struct LayerNorm2d: Layer, CustomStringConvertible {
  /// γ [C] and β [C], and ε.
  public var norm: LayerNorm

  enum CodingKeys: String, CodingKey { case norm = "" }

  /// γ starts at 1 and β at 0.
  public init(_ channels: Int, epsilon: Double = 1e-5, affine: Bool = true) {
    norm = LayerNorm(channels, epsilon: epsilon, affine: affine)
  }

  public var description: String { "LayerNorm2d(\(norm.shape[0]))" }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    if let problem = problem(x, channels: norm.shape[0], spatial: 2, output: norm.shape[0]) {
      return problem
    }
    return norm(x.permuted(0, 2, 3, 1)).permuted(0, 3, 1, 2)
  }
}
