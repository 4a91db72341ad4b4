import TarnCore

/// A row of the weight for each index: [...] integers → [..., width].
///
/// ```swift
/// let letters = Embedding(65, 64)
/// let x = letters(indices)             // [32, 50] → [32, 50, 64]
/// ```
public struct Embedding: Layer, CustomStringConvertible {
  /// [count, width]
  public var weight: Tensor

  /// - Parameters:
  ///   - initializer: N(0, 1) by default, as PyTorch's.
  ///   - key: of the random numbers; without one the next of the scope, see ``Initialization``.
  public init(
    _ count: Int, _ width: Int, initializer: Initializer = .normal(), key: RandomKey? = nil
  ) {
    weight = ParameterMaker(key)(0, initializer, [count, width])
  }

  public var description: String { "Embedding(\(weight.shape[0]), \(weight.shape[1]))" }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    guard x.dtype.isInteger else {
      return rejected(
        x, "expects integer indices, got \(x.dtype.name)", hint: "call .cast(to: .int64) first",
        as: x.shape + [weight.shape[1]])
    }
    return recorded(weight.take(x, axis: 0))
  }
}
