import TarnCore

/// y = x Wᵀ + b over the last axis: [..., inputs] → [..., outputs].
///
/// ```swift
/// let layer = Linear(784, 128)
/// let y = layer(x)                 // [32, 784] → [32, 128]
/// ```
public struct Linear: Layer, CustomStringConvertible {
  /// [outputs, inputs]
  public var weight: Tensor
  /// [outputs]
  public var bias: Tensor?

  /// - Parameters:
  ///   - initializer: of the weight; PyTorch's U(±1/√inputs) by default.
  ///   - key: decides the random numbers, wherever the layer is made; without one it is the next of the scope, see
  ///     ``Initialization``.
  public init(
    _ inputs: Int, _ outputs: Int, bias: Bool = true, initializer: Initializer = .standard,
    key: RandomKey? = nil
  ) {
    let make = ParameterMaker(key)
    weight = make(0, initializer, [outputs, inputs])
    self.bias = bias ? make(1, .standardBias(weight: [outputs, inputs]), [outputs]) : nil
  }

  public var description: String { "Linear(\(weight.shape[1]) → \(weight.shape[0]))" }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let (outputs, inputs) = (weight.shape[0], weight.shape[1])
    let shape = x.shape.dropLast() + [outputs]
    guard x.shape.last == inputs else {
      return rejected(
        x, "expects the last axis to be \(inputs)",
        hint: flattening(x.shape) ?? Hint.flatten(x.shape, toReach: inputs),
        facts: ["weight \(weight.shape)"], as: Array(shape))
    }
    if let problem = floatingProblem(x, as: Array(shape)) { return problem }
    let y = x.matmul(weight, transposed: true)
    return recorded(bias.map { y + $0 } ?? y, multiplyAdds: y.count * inputs)
  }

  /// Where all axes but the batch's make up the inputs, that is what was meant.
  private func flattening(_ shape: [Int]) -> String? {
    let lengths = shape.dropFirst()
    guard lengths.count >= 2, lengths.reduce(1, *) == weight.shape[1] else { return nil }
    let product = lengths.map(String.init).joined(separator: " × ")
    return "\(product) = \(weight.shape[1]), so call .flattened(from: 1) first"
  }
}
