import Foundation
import TarnCore

/// How a parameter starts.
///
/// The fans of a weight [outputs, inputs, kernel…] are inputs · Π kernel and outputs · Π kernel.
///
/// ```swift
/// let w = Initializer.kaimingNormal(gain: 2.squareRoot()).tensor([64, 3, 7, 7], key: RandomKey(seed: 1))
/// ```
public enum Initializer: Hashable, Sendable, Codable {
  /// Which side of a layer is counted.
  public enum Fan: String, Hashable, Sendable, Codable { case input, output }

  case constant(Double)
  /// U(from, to).
  case uniform(from: Double, to: Double)
  /// N(mean, deviation²).
  case normal(mean: Double = 0, deviation: Double = 1)
  /// N(mean, deviation²), drawn again until within `from...to`, which are values, not deviations.
  case truncatedNormal(mean: Double = 0, deviation: Double = 1, from: Double = -2, to: Double = 2)
  /// U(−a, a), a = gain √(6 / (fan in + fan out)) (Glorot and Bengio, 2010).
  case xavierUniform(gain: Double = 1)
  /// N(0, σ²), σ = gain √(2 / (fan in + fan out)).
  case xavierNormal(gain: Double = 1)
  /// U(−a, a), a = gain √(3 / fan) (He et al., 2015).
  case kaimingUniform(gain: Double = 2.0.squareRoot(), fan: Fan = .input)
  /// N(0, σ²), σ = gain / √fan.
  case kaimingNormal(gain: Double = 2.0.squareRoot(), fan: Fan = .input)
  /// Rows, or columns where those are fewer, orthonormal, times `gain` (Saxe et al., 2013).
  case orthogonal(gain: Double = 1)

  /// 0 everywhere.
  public static let zeros = Initializer.constant(0)
  /// 1 everywhere.
  public static let ones = Initializer.constant(1)

  /// PyTorch's for the weights of linear and convolution layers: U(−1/√fan in, 1/√fan in).
  public static let standard = Initializer.kaimingUniform(gain: (1 / 3.0).squareRoot())

  /// PyTorch's for their biases: U(−1/√fan in, 1/√fan in), with the weight's fan in.
  public static func standardBias(weight shape: [Int]) -> Initializer {
    let fan = fans(shape).input
    let bound = fan > 0 ? 1 / Double(fan).squareRoot() : 0
    return .uniform(from: -bound, to: bound)
  }

  /// The gain that keeps the variance through an activation, as `torch.nn.init.calculate_gain`.
  public static func gain(for activation: Activation) -> Double {
    switch activation {
    case .tanh: 5.0 / 3
    case .relu, .relu6: 2.0.squareRoot()
    case .leakyReLU: (2 / (1 + 0.01 * 0.01)).squareRoot()
    case .selu: 0.75
    default: 1
    }
  }

  /// A tensor of this distribution.
  ///
  /// - Parameter shape: [outputs, inputs, kernel…] where fans matter.
  public func tensor(_ shape: [Int], key: RandomKey, dtype: DType = .float32) -> Tensor {
    let (input, output) = (Double(Self.fans(shape).input), Double(Self.fans(shape).output))
    func uniform(_ bound: Double) -> Tensor {
      .uniform(shape, from: -bound, to: bound, key: key, dtype: dtype)
    }
    func normal(_ deviation: Double) -> Tensor {
      .normal(shape, deviation: deviation, key: key, dtype: dtype)
    }
    let tensor: Tensor =
      switch self {
      case .constant(let value): .full(shape, value, dtype: dtype)
      case .uniform(let from, let to): .uniform(shape, from: from, to: to, key: key, dtype: dtype)
      case .normal(let mean, let deviation):
        .normal(shape, mean: mean, deviation: deviation, key: key, dtype: dtype)
      case .truncatedNormal(let mean, let deviation, let from, let to):
        .truncatedNormal(
          shape, mean: mean, deviation: deviation, from: (from - mean) / deviation,
          to: (to - mean) / deviation, key: key, dtype: dtype)
      case .xavierUniform(let gain): uniform(gain * (6 / (input + output)).squareRoot())
      case .xavierNormal(let gain): normal(gain * (2 / (input + output)).squareRoot())
      case .kaimingUniform(let gain, let fan):
        uniform(gain * (3 / max(1, fan == .input ? input : output)).squareRoot())
      case .kaimingNormal(let gain, let fan):
        normal(gain / max(1, fan == .input ? input : output).squareRoot())
      case .orthogonal(let gain): Self.orthogonal(shape, gain, key, dtype)
      }
    // Drawn once, not at every use; inside a derivative or a compiled function it must stay recorded.
    if case .constant = self { return tensor }
    return tensor.node.trace?.isActive == true ? tensor : tensor.evaluate()
  }

  /// Q of a normal matrix, its signs fixed so that it is uniform over the orthogonal group.
  private static func orthogonal(
    _ shape: [Int], _ gain: Double, _ key: RandomKey, _ dtype: DType
  ) -> Tensor {
    guard shape.count >= 2 else {
      return Diagnostic.report(
        Diagnostic(
          operation: "Initializer.orthogonal", reason: "it takes at least two axes",
          facts: ["shape \(shape)"]), poison: shape, dtype)
    }
    let (rows, columns) = (shape[0], shape[1...].reduce(1, *))
    let (tall, short) = (max(rows, columns), min(rows, columns))
    let (q, r) = Tensor.normal([tall, short], key: key, dtype: dtype).qr()
    let signed = q * r.diagonal().sign()
    return ((rows < columns ? signed.transposed() : signed) * gain).reshaped(shape)
  }

  private static func fans(_ shape: [Int]) -> (input: Int, output: Int) {
    guard shape.count >= 2 else { return (shape.first ?? 1, shape.first ?? 1) }
    let field = shape[2...].reduce(1, *)
    return (shape[1] * field, shape[0] * field)
  }
}
