import TarnCore

/// y = f(x W + b) over the last axis.
struct KerasDense: KerasOperation {
  let variables: [KerasVariable]
  let ranks = 2...16
  private let activation: KerasActivations.Function

  init(_ config: KerasConfig) throws {
    let units = try config.int("units", config.has("output_dim") ? config.int("output_dim") : nil)
    let hasBias = try config.bool("use_bias", config.bool("bias", true))
    variables =
      [KerasVariable("kernel", rank: 2, last: units)]
      + (hasBias ? [KerasVariable("bias", rank: 1, last: units)] : [])
    activation = try KerasActivations.function(config, "activation", "linear")
  }

  func callAsFunction(_ inputs: [Tensor], _ variables: [Tensor]) -> Tensor {
    let y = inputs[0].matmul(variables[0])
    return activation(variables.count > 1 ? y + variables[1] : y)
  }
}

/// Rows of a table by number.
struct KerasEmbedding: KerasOperation {
  let variables: [KerasVariable]

  init(_ config: KerasConfig) throws {
    try config.refuse("mask_zero", unless: false)
    variables = [KerasVariable("embeddings", rank: 2, last: try config.int("output_dim"))]
  }

  func callAsFunction(_ inputs: [Tensor], _ variables: [Tensor]) -> Tensor {
    variables[0].take(inputs[0].cast(to: .int64))
  }
}

/// Several tensors into one, element by element or one after another.
struct KerasMerge: KerasOperation {
  enum Kind: Sendable {
    case add, subtract, multiply, average, maximum, minimum
    case concatenate(Int)
  }

  private let kind: Kind
  let inputs: ClosedRange<Int>

  init(_ kind: Kind) {
    self.kind = kind
    if case .subtract = kind { inputs = 2...2 } else { inputs = 1...4096 }
  }

  func callAsFunction(_ inputs: [Tensor], _ variables: [Tensor]) -> Tensor {
    let rest = inputs.dropFirst()
    switch kind {
    case .add: return rest.reduce(inputs[0], +)
    case .subtract: return rest.reduce(inputs[0], -)
    case .multiply: return rest.reduce(inputs[0], *)
    case .average: return rest.reduce(inputs[0], +) / Double(inputs.count)
    case .maximum: return rest.reduce(inputs[0]) { $0.maximum($1) }
    case .minimum: return rest.reduce(inputs[0]) { $0.minimum($1) }
    case .concatenate(let axis): return Tensor.concatenated(inputs, axis: axis)
    }
  }
}
