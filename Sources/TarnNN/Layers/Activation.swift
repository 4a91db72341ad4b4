import TarnCore

/// An activation as a setting: what a layer stores instead of a closure.
///
/// ```swift
/// struct Block: Layer {
///   var linear = Linear(64, 64)
///   var activation = Activation.gelu
///   func callAsFunction(_ x: Tensor) -> Tensor { activation(linear(x)) }
/// }
/// ```
public enum Activation: String, Hashable, Sendable, Codable, CaseIterable {
  case identity, relu, relu6, leakyReLU, elu, selu, gelu, geluTanh, silu, mish, tanh, sigmoid
  case logSigmoid, softplus, softsign, hardTanh, hardSwish, hardSigmoid, softmax, logSoftmax

  public func callAsFunction(_ x: Tensor) -> Tensor {
    switch self {
    case .identity: x
    case .relu: x.relu()
    case .relu6: x.hardTanh(from: 0, to: 6)
    case .leakyReLU: x.leakyReLU(slope: 0.01)
    case .elu: x.elu(alpha: 1)
    case .selu: SELU()(x)
    case .gelu: x.gelu()
    case .geluTanh: x.gelu(approximate: true)
    case .silu: x.silu()
    case .mish: x * x.softplus().tanh()
    case .tanh: x.tanh()
    case .sigmoid: x.sigmoid()
    case .logSigmoid: x.logSigmoid()
    case .softplus: x.softplus()
    case .softsign: x / (1 + x.abs())
    case .hardTanh: x.hardTanh()
    case .hardSwish: x.hardSwish()
    case .hardSigmoid: x.hardSigmoid()
    case .softmax: x.softmax(axis: -1)
    case .logSoftmax: x.logSoftmax(axis: -1)
    }
  }
}
