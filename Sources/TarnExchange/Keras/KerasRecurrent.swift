import TarnCore
import TarnInterop

/// LSTM, GRU and the simple recurrent layer over [N, T, I].
struct KerasRecurrent: KerasOperation {
  enum Kind: Int, Sendable { case simple = 1, gru = 3, lstm = 4 }

  let variables: [KerasVariable]
  let ranks = 3...3
  /// Whether all states are given, not just the last.
  let givesSequences: Bool
  /// Whether time runs from the last step to the first.
  private(set) var isReversed: Bool
  private let kind: Kind
  private let units: Int
  private let resetsAfter: Bool
  private let activation: KerasActivations.Function
  private let gate: KerasActivations.Function
  /// The engine's own recurrence, if it has one of these activations.
  private let native: RecurrenceKind?

  init(_ config: KerasConfig, _ kind: Kind) throws {
    try config.refuse("return_state", unless: false)
    self.kind = kind
    units = try config.int("units")
    givesSequences = try config.bool("return_sequences", false)
    isReversed = try config.bool("go_backwards", false)
    resetsAfter = try kind == .gru && config.bool("reset_after", config.majorVersion >= 3)
    let standard = config.majorVersion >= 3 ? "sigmoid" : "hard_sigmoid"
    activation = try KerasActivations.function(config, "activation", "tanh")
    gate = try KerasActivations.function(config, "recurrent_activation", standard)
    native = Self.native(
      kind, resetsAfter, try? config.string("activation", "tanh"),
      try? config.string("recurrent_activation", standard))
    let width = kind.rawValue * units
    let hasBias = try config.bool("use_bias", true)
    let bias: [Int?] = resetsAfter ? [2, width] : [width]
    variables =
      [
        KerasVariable("kernel", shape: [nil, width], part: "cell"),
        KerasVariable("recurrent_kernel", shape: [units, width], part: "cell"),
      ] + (hasBias ? [KerasVariable("bias", shape: bias, part: "cell")] : [])
  }

  private static func native(
    _ kind: Kind, _ resetsAfter: Bool, _ activation: String?, _ gate: String?
  ) -> RecurrenceKind? {
    switch (kind, activation) {
    case (.simple, "tanh"): .tanh
    case (.simple, "relu"): .relu
    case (.lstm, "tanh") where gate == "sigmoid": .lstm
    case (.gru, "tanh") where gate == "sigmoid": resetsAfter ? .gru : .gruResetBefore
    default: nil
    }
  }

  /// The same with time the other way round.
  func reversed() -> KerasRecurrent {
    var result = self
    result.isReversed.toggle()
    return result
  }

  func callAsFunction(_ inputs: [Tensor], _ variables: [Tensor]) -> Tensor {
    let states = states(inputs[0], variables)
    guard givesSequences else { return states.last }
    return isReversed ? states.all.flipped([1]) : states.all
  }

  /// The states [N, T, H] in the order of time, and the one after all steps [N, H].
  func states(_ x: Tensor, _ variables: [Tensor]) -> (all: Tensor, last: Tensor) {
    let products = x.matmul(variables[0])
    let wanted = [x.shape[0], x.shape[1], kind.rawValue * units]
    guard products.shape == wanted, x.shape[1] > 0 else {
      let zeros = Tensor.zeros([x.shape[0], x.shape[1], units], dtype: products.dtype)
      return (zeros, Tensor.zeros([x.shape[0], units], dtype: products.dtype))
    }
    let steps = products.transposed(0, 1)
    let (all, last) = native.map { natively(steps, variables, $0) } ?? loop(steps, variables)
    return (all.transposed(0, 1), last)
  }

  private func natively(
    _ steps: Tensor, _ variables: [Tensor], _ native: RecurrenceKind
  ) -> (all: Tensor, last: Tensor) {
    func ordered(_ tensor: Tensor) -> Tensor {
      kind == .gru ? KerasKernels.torchGates(tensor) : tensor
    }
    let recurrence = Recurrence(
      native, isReversed: isReversed, steps: steps.shape[0], batch: steps.shape[1], hidden: units,
      hasLengths: false)
    let width = kind.rawValue * units
    let zeros = Tensor.zeros([steps.shape[1], units], dtype: steps.dtype)
    var bias = Tensor.zeros([width], dtype: steps.dtype)
    var newBias = Tensor.zeros([units], dtype: steps.dtype)
    if variables.count > 2 {
      let own = ordered(variables[2])
      if resetsAfter {
        let gates = own.narrowed(1, from: 0, to: 2 * units).sum(axes: [0])
        bias = .concatenated([gates, own[0].narrowed(0, from: 2 * units, to: width)])
        newBias = own[1].narrowed(0, from: 2 * units, to: width)
      } else {
        bias = own
      }
    }
    let result = recurrence(
      [ordered(steps), ordered(variables[1]).transposed(), bias]
        + (native == .gru ? [newBias] : []) + [zeros] + (native == .lstm ? [zeros] : []))
    return (result.output, result.hidden)
  }

  /// Step by step, for other activations.
  private func loop(_ steps: Tensor, _ variables: [Tensor]) -> (all: Tensor, last: Tensor) {
    let zeros = Tensor.zeros([steps.shape[1], units], dtype: steps.dtype)
    var (hidden, cell) = (zeros, zeros)
    var states: [Tensor] = []
    let bias = variables.count > 2 ? variables[2] : nil
    let order = 0..<steps.shape[0]
    for time in isReversed ? Array(order.reversed()) : Array(order) {
      (hidden, cell) = step(steps[time], hidden, cell, variables[1], bias)
      states.append(hidden)
    }
    return (Tensor.stacked(isReversed ? states.reversed() : states), hidden)
  }

  private func step(
    _ x: Tensor, _ hidden: Tensor, _ cell: Tensor, _ weights: Tensor, _ bias: Tensor?
  ) -> (Tensor, Tensor) {
    switch kind {
    case .simple:
      let sum = x + hidden.matmul(weights)
      return (activation(bias.map { sum + $0 } ?? sum), cell)
    case .lstm:
      let sum = x + hidden.matmul(weights)
      let parts = (bias.map { sum + $0 } ?? sum).split(4, axis: 1)
      let next = gate(parts[1]) * cell + gate(parts[0]) * activation(parts[2])
      return (gate(parts[3]) * activation(next), next)
    case .gru: return (gruStep(x, hidden, weights, bias), cell)
    }
  }

  /// Update, reset, new: h' = z h + (1 − z) n.
  private func gruStep(
    _ x: Tensor, _ hidden: Tensor, _ weights: Tensor, _ bias: Tensor?
  ) -> Tensor {
    let inputBias = resetsAfter ? bias?[0] : bias
    let input = (inputBias.map { x + $0 } ?? x).split(3, axis: 1)
    let parts = weights.split(3, axis: 1)
    let stateBias = resetsAfter ? bias?[1].split(3) : nil
    func state(_ index: Int, _ hidden: Tensor) -> Tensor {
      let product = hidden.matmul(parts[index])
      return stateBias.map { product + $0[index] } ?? product
    }
    let update = gate(input[0] + state(0, hidden))
    let reset = gate(input[1] + state(1, hidden))
    let met = resetsAfter ? reset * state(2, hidden) : state(2, reset * hidden)
    return update * hidden + (1 - update) * activation(input[2] + met)
  }
}

/// A recurrent layer over time in both directions.
struct KerasBidirectional: KerasOperation {
  let variables: [KerasVariable]
  let ranks = 3...3
  private let forward: KerasRecurrent, backward: KerasRecurrent
  private let merge: KerasMerge

  init(_ config: KerasConfig) throws {
    let layer = try config.inner("layer")
    guard let forward = try KerasLayers.make(layer) as? KerasRecurrent else {
      throw KerasRefusal("its layer is \(layer.type)")
    }
    self.forward = forward
    if config.has("backward_layer"),
      let backward = try KerasLayers.make(config.inner("backward_layer")) as? KerasRecurrent
    {
      self.backward = backward
    } else {
      backward = forward.reversed()
    }
    guard forward.isReversed != backward.isReversed,
      forward.givesSequences == backward.givesSequences
    else { throw KerasRefusal("its layers do not run in opposite directions") }
    switch try config.string("merge_mode", "concat") {
    case "concat": merge = KerasMerge(.concatenate(-1))
    case "sum": merge = KerasMerge(.add)
    case "mul": merge = KerasMerge(.multiply)
    case "ave": merge = KerasMerge(.average)
    case let other: throw KerasRefusal("merge_mode '\(other)'")
    }
    variables =
      forward.variables.map { $0.within("forward_layer") }
      + backward.variables.map { $0.within("backward_layer") }
  }

  func callAsFunction(_ inputs: [Tensor], _ variables: [Tensor]) -> Tensor {
    let split = forward.variables.count
    let pairs = [
      forward.states(inputs[0], Array(variables[..<split])),
      backward.states(inputs[0], Array(variables[split...])),
    ]
    let states = pairs.map { forward.givesSequences ? $0.all : $0.last }
    return merge(states, [])
  }
}

/// A layer at every step: [N, T, ...] as [N · T, ...].
struct KerasTimeDistributed: KerasOperation {
  let variables: [KerasVariable]
  let ranks: ClosedRange<Int>
  private let layer: any KerasOperation

  init(_ config: KerasConfig) throws {
    let inner = try config.inner("layer")
    layer = try KerasLayers.make(inner)
    guard layer.inputs.contains(1) else { throw KerasRefusal("its layer is \(inner.type)") }
    ranks = (layer.ranks.lowerBound + 1)...(layer.ranks.upperBound + 1)
    variables = layer.variables.map { $0.within("layer") }
  }

  func callAsFunction(_ inputs: [Tensor], _ variables: [Tensor]) -> Tensor {
    let x = inputs[0]
    let y = layer([x.flattened(from: 0, to: 1)], variables)
    return y.reshaped([x.shape[0], x.shape[1]] + y.shape.dropFirst())
  }
}
