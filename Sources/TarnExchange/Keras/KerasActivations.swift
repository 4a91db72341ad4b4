import TarnCore
import TarnData

/// Activation functions by name, and the layers that are nothing else.
enum KerasActivations {
  typealias Function = @Sendable (Tensor) -> Tensor

  private static let all: [String: Function] = [
    "linear": { $0 }, "relu": { $0.relu() }, "relu6": { $0.clamped(min: 0, max: 6) },
    "sigmoid": { $0.sigmoid() }, "tanh": { $0.tanh() }, "softmax": { $0.softmax() },
    "log_softmax": { $0.logSoftmax() }, "elu": { $0.elu() }, "selu": selu,
    "softplus": { $0.softplus() }, "softsign": { $0 / (1 + $0.abs()) }, "swish": { $0.silu() },
    "silu": { $0.silu() }, "gelu": { $0.gelu() }, "exponential": { $0.exp() },
    "leaky_relu": { $0.leakyReLU(slope: 0.2) }, "mish": { $0 * $0.softplus().tanh() },
    "hard_sigmoid": { $0.hardSigmoid() }, "hard_silu": { $0 * $0.hardSigmoid() },
    "hard_swish": { $0 * $0.hardSigmoid() }, "log_sigmoid": { $0.logSigmoid() },
  ]

  /// λ x above 0, λ α (eˣ − 1) below (Klambauer et al., 2017).
  private static let selu: Function = {
    1.0507009873554804934193349852946 * $0.elu(alpha: 1.6732632423543772848170429916717)
  }

  /// The function under a key of a configuration: a name, or an object that holds one.
  static func function(_ config: KerasConfig, _ key: String, _ standard: String) throws -> Function
  {
    let value = config[key]
    // Objects: {"class_name": "function", "config": "relu"}, or a layer such as {"class_name": "ReLU", "config": {…}}.
    if let value, value.members != nil, let inner = value["config"], inner.members != nil {
      let operation = try KerasLayers.make(config.inner(key))
      guard operation.variables.isEmpty else { throw KerasRefusal("\(key) has variables") }
      return { operation([$0], []) }
    }
    guard let name = value.map({ $0["config"]?.string ?? $0.string }) ?? standard else {
      throw KerasRefusal("\(key) is no name")
    }
    // Until version 3 it was another line.
    if name == "hard_sigmoid" && config.majorVersion < 3 {
      return { (0.2 * $0 + 0.5).clamped(min: 0, max: 1) }
    }
    guard let function = all[name] else { throw KerasRefusal("the activation '\(name)'") }
    return function
  }

  static func layer(_ config: KerasConfig) throws -> any KerasOperation {
    KerasFunction(try function(config, "activation", "linear"))
  }

  /// max_value, negative_slope and threshold: x from the threshold on, slope · (x − threshold) below.
  static func relu(_ config: KerasConfig) throws -> any KerasOperation {
    let slope = try config.double("negative_slope", 0)
    let threshold = try config.double("threshold", 0)
    let most = config.has("max_value") ? try config.double("max_value", 0) : nil
    return KerasFunction { x in
      let y = which(x .>= threshold, x, slope * (x - threshold))
      return most.map { y.clamped(max: $0) } ?? y
    }
  }

  static func leakyReLU(_ config: KerasConfig) throws -> any KerasOperation {
    let slope = try config.double("negative_slope", config.double("alpha", 0.3))
    return KerasFunction { $0.leakyReLU(slope: slope) }
  }

  static func elu(_ config: KerasConfig) throws -> any KerasOperation {
    let alpha = try config.double("alpha", 1)
    return KerasFunction { $0.elu(alpha: alpha) }
  }

  static func softmax(_ config: KerasConfig) throws -> any KerasOperation {
    let axis = try config.axis("axis", -1)
    return KerasFunction { $0.softmax(axis: axis) }
  }
}

/// x above 0, α x below, with α learned: one for each element, or shared along axes.
struct KerasPReLU: KerasOperation {
  let variables = [KerasVariable("alpha", rank: nil)]

  init(_ config: KerasConfig) throws {}

  func callAsFunction(_ inputs: [Tensor], _ variables: [Tensor]) -> Tensor {
    let x = inputs[0]
    return x.relu() - variables[0] * (-x).relu()
  }
}
