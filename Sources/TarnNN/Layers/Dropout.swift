import TarnCore

/// In training, sets each element to zero with probability p and divides the others by 1 − p
/// (Srivastava et al., 2014). In inference it passes its input on.
public struct Dropout: Layer, CustomStringConvertible {
  /// p, of being dropped.
  public var probability: Double
  /// A probability outside 0…1 is reported.
  public init(_ probability: Double = 0.5) { self.probability = checked(probability, "Dropout") }
  public var description: String { "Dropout(\(probability))" }
  public func callAsFunction(_ x: Tensor) -> Tensor {
    recorded(dropped(x, maskShape: x.shape, probability))
  }
}

/// As ``Dropout``, but whole channels of [N, C, …] at a time (Tompson et al., 2015).
public struct Dropout2d: Layer, CustomStringConvertible {
  /// p, of being dropped.
  public var probability: Double
  /// A probability outside 0…1 is reported.
  public init(_ probability: Double = 0.5) { self.probability = checked(probability, "Dropout2d") }
  public var description: String { "Dropout2d(\(probability))" }
  public func callAsFunction(_ x: Tensor) -> Tensor {
    guard x.rank >= 3 else { return rejected(x, "expects [N, C, spatial…]", as: x.shape) }
    let shape = Array(x.shape[..<2]) + [Int](repeating: 1, count: x.rank - 2)
    return recorded(dropped(x, maskShape: shape, probability))
  }
}

private func checked(_ probability: Double, _ layer: String) -> Double {
  if (0...1).contains(probability) { return probability }
  return Diagnostic.report(
    Diagnostic(
      operation: layer, reason: "a probability lies between 0 and 1",
      facts: ["probability \(probability)"]), giving: 0)
}

func dropped(_ x: Tensor, maskShape: [Int], _ probability: Double) -> Tensor {
  guard case .training(let random) = Phase.current, probability > 0 else { return x }
  if probability == 1 { return .zeros(like: x) }
  let keep = 1 - probability
  let mask = Tensor.bernoulli(maskShape, probability: keep, key: random.next())
  return x * (mask.cast(to: x.dtype) / keep)
}
