import TarnCore

/// RNN, GRU and LSTM over a sequence, in one or both directions.
extension ONNXOperators {
  static let recurrent: [ONNXOperator] = [
    ONNXOperator("RNN", [7, 14], values: { try ONNXRecurrence($0, .rnn).results() }),
    ONNXOperator("GRU", [7, 14], values: { try ONNXRecurrence($0, .gru).results() }),
    ONNXOperator("LSTM", [7, 14], values: { try ONNXRecurrence($0, .lstm).results() }),
  ]
}

/// A recurrent operator with its inputs.
struct ONNXRecurrence {
  enum Cell { case rnn, gru, lstm }

  let call: ONNXCall
  let cell: Cell
  /// [steps, batch, inputs]
  let x: Tensor
  let hidden: Int
  let directions: [Direction]
  let lengths: Tensor?
  let clip: Double?
  let isBatchFirst: Bool
  let linearBeforeReset: Bool
  let couplesGates: Bool

  /// The weights of one direction.
  struct Direction {
    var isReversed: Bool
    var input: Tensor, state: Tensor
    /// [gates · hidden] each.
    var inputBias: Tensor, stateBias: Tensor
    var peepholes: Tensor?
    var h: Tensor, c: Tensor
    var activations: [ONNXActivation]
  }

  var gates: Int { cell == .rnn ? 1 : cell == .gru ? 3 : 4 }

  init(_ call: ONNXCall, _ cell: Cell) throws {
    (self.call, self.cell) = (call, cell)
    let isBatchFirst = try call.flag("layout", false)
    self.isBatchFirst = isBatchFirst
    let given = try call.tensor(0)
    let (w, r) = (try call.tensor(1), try call.tensor(2))
    try call.require(
      given.dtype.isFloating && w.dtype == given.dtype && r.dtype == given.dtype
        && given.rank == 3 && w.rank == 3 && r.rank == 3 && given.shape[0] > 0
        && given.shape[1] > 0,
      "input \(given.shape) and weights \(w.shape), \(r.shape) do not fit")
    let x = isBatchFirst ? given.transposed(0, 1) : given
    self.x = x
    hidden = r.shape[2]
    let gates = cell == .rnn ? 1 : cell == .gru ? 3 : 4
    let direction = try call.string("direction", "forward")
    let reversals = direction == "bidirectional" ? [false, true] : [direction == "reverse"]
    let count = reversals.count
    try call.require(
      try call.int("hidden_size", hidden) == hidden && hidden > 0
        && w.shape == [count, gates * hidden, x.shape[2]]
        && r.shape == [count, gates * hidden, hidden],
      "its weights \(w.shape), \(r.shape) do not fit input \(given.shape)")
    lengths = call.optional(4)?.cast(to: .int64)
    try call.require(
      lengths.map { $0.shape == [given.shape[isBatchFirst ? 0 : 1]] } ?? true,
      "its lengths do not fit")
    clip = call.node.attributes["clip"] == nil ? nil : try call.float("clip", 0)
    linearBeforeReset = try call.flag("linear_before_reset", false)
    couplesGates = try call.flag("input_forget", false)
    let names = try ONNXActivation.all(call, cell, count)
    directions = try reversals.indices.map { i in
      try Self.direction(
        call, i, reversals[i], (w, r), x, gates, isBatchFirst, names[i])
    }
  }

  private static func direction(
    _ call: ONNXCall, _ i: Int, _ isReversed: Bool, _ weights: (Tensor, Tensor), _ x: Tensor,
    _ gates: Int, _ isBatchFirst: Bool, _ activations: [ONNXActivation]
  ) throws -> Direction {
    let hidden = weights.1.shape[2], batch = x.shape[1]
    let count = weights.0.shape[0]
    func row(_ x: Tensor) -> Tensor { x.narrowed(0, from: i, to: i + 1).squeezed(0) }
    func zeros(_ shape: [Int]) -> Tensor {
      .full(shape, .integer(0), dtype: x.dtype, device: x.device)
    }
    let others = [3, 5, 6, 7].compactMap { call.optional($0) }
    try call.require(
      others.allSatisfy { $0.dtype == x.dtype }, "its inputs are not of one type")
    let bias = call.optional(3)
    try call.require(
      bias.map { $0.shape == [count, 2 * gates * hidden] } ?? true, "its bias does not fit")
    let both = bias.map(row) ?? zeros([2 * gates * hidden])
    func state(_ place: Int) throws -> Tensor {
      guard let given = call.optional(place) else { return zeros([batch, hidden]) }
      let state = isBatchFirst ? given.transposed(0, 1) : given
      try call.require(state.shape == [count, batch, hidden], "its first states do not fit")
      return row(state)
    }
    let peepholes = call.optional(7)
    try call.require(
      peepholes.map { $0.shape == [count, 3 * hidden] } ?? true, "its peepholes do not fit")
    return Direction(
      isReversed: isReversed, input: row(weights.0), state: row(weights.1),
      inputBias: both.narrowed(0, from: 0, to: gates * hidden),
      stateBias: both.narrowed(0, from: gates * hidden, to: 2 * gates * hidden),
      peepholes: gates == 4 ? peepholes.map(row) : nil, h: try state(5),
      c: gates == 4 ? try state(6) : zeros([]), activations: activations)
  }

  /// Y [steps, directions, batch, hidden], Y_h and Y_c [directions, batch, hidden]; batch in front if it is first.
  func results() throws -> [ONNXValue] {
    try call.checked([x.shape[0], directions.count, x.shape[1], hidden])
    let passes = directions.map { direction in
      isPlain(direction) ? fused(direction) : stepped(direction)
    }
    var y = Tensor.stacked(passes.map(\.output), axis: 1)
    if let lengths {
      let time = Tensor.iota([x.shape[0], 1, 1, 1], axis: 0, device: x.device)
      y = which(time .< lengths.reshaped([1, 1, -1, 1]), y, Tensor.full(like: y, 0))
    }
    let h = Tensor.stacked(passes.map(\.h))
    let c = Tensor.stacked(passes.map(\.c))
    let states = cell == .lstm ? [h, c] : [h]
    guard isBatchFirst else { return ([y] + states).map { .tensor($0) } }
    return [.tensor(y.permuted([2, 0, 1, 3]))] + states.map { .tensor($0.transposed(0, 1)) }
  }

  typealias Pass = (output: Tensor, h: Tensor, c: Tensor)
}

// MARK: Passes

extension ONNXRecurrence {
  /// Whether Tarn's recurrent layers compute the same.
  private func isPlain(_ direction: Direction) -> Bool {
    guard clip == nil, direction.peepholes == nil, !couplesGates else { return false }
    let names = direction.activations.map(\.name)
    switch cell {
    case .rnn: return names == ["tanh"] || names == ["relu"]
    case .gru: return names == ["sigmoid", "tanh"]
    case .lstm: return names == ["sigmoid", "tanh", "tanh"]
    }
  }

  /// Rows of a weight with the gates in Tarn's order.
  private func ordered(_ rows: Tensor) -> Tensor {
    let order: [Int]
    switch cell {
    case .rnn: return rows
    case .gru: order = [1, 0, 2]
    case .lstm: order = [0, 2, 3, 1]
    }
    let parts = order.map { rows.narrowed(0, from: $0 * hidden, to: ($0 + 1) * hidden) }
    return .concatenated(parts)
  }

  private func fused(_ direction: Direction) -> Pass {
    let kind: RecurrenceKind
    switch cell {
    case .rnn: kind = direction.activations[0].name == "relu" ? .relu : .tanh
    case .gru: kind = linearBeforeReset ? .gru : .gruResetBefore
    case .lstm: kind = .lstm
    }
    let recurrence = Recurrence(
      kind, isReversed: direction.isReversed, steps: x.shape[0], batch: x.shape[1],
      hidden: hidden, hasLengths: lengths != nil)
    let inputs = x.matmul(ordered(direction.input), transposed: true)
    let (a, b) = (ordered(direction.inputBias), ordered(direction.stateBias))
    var bias = a + b
    if kind == .gru {
      bias = .concatenated([
        bias.narrowed(0, from: 0, to: 2 * hidden), a.narrowed(0, from: 2 * hidden, to: 3 * hidden),
      ])
    }
    let arguments: [Tensor?] = [
      inputs, ordered(direction.state), bias,
      kind == .gru ? b.narrowed(0, from: 2 * hidden, to: 3 * hidden) : nil, direction.h,
      cell == .lstm ? direction.c : nil, lengths,
    ]
    let result = recurrence(arguments.compactMap { $0 })
    return (result.output, result.hidden, result.cell ?? result.hidden)
  }

  /// One step after another, for what Tarn's layers do not have.
  private func stepped(_ direction: Direction) -> Pass {
    let steps = x.shape[0]
    var (h, c) = (direction.h, direction.c)
    var outputs = [Tensor](repeating: h, count: steps)
    let inputs = x.matmul(direction.input, transposed: true) + direction.inputBias
    for t in direction.isReversed ? (0..<steps).reversed() : Array(0..<steps) {
      let row = inputs.narrowed(0, from: t, to: t + 1).squeezed(0)
      var next = step(row, direction, h, c)
      if let lengths {
        let isActive = (lengths .> t).expandedDims(1)
        next = (which(isActive, next.0, h), cell == .lstm ? which(isActive, next.1, c) : c)
      }
      (h, c) = next
      outputs[t] = h
    }
    return (.stacked(outputs), h, cell == .lstm ? c : h)
  }

  private func step(
    _ row: Tensor, _ d: Direction, _ h: Tensor, _ c: Tensor
  ) -> (Tensor, Tensor) {
    func gate(_ i: Int, of x: Tensor) -> Tensor {
      x.narrowed(x.rank - 1, from: i * hidden, to: (i + 1) * hidden)
    }
    func clipped(_ x: Tensor) -> Tensor { clip.map { x.clamped(min: -$0, max: $0) } ?? x }
    let f = d.activations
    switch cell {
    case .rnn:
      let sum = row + h.matmul(d.state, transposed: true) + d.stateBias
      return (f[0](clipped(sum)), c)
    case .gru:
      let recurrent = h.matmul(d.state, transposed: true) + d.stateBias
      let z = f[0](clipped(gate(0, of: row) + gate(0, of: recurrent)))
      let r = f[0](clipped(gate(1, of: row) + gate(1, of: recurrent)))
      let met: Tensor
      if linearBeforeReset {
        met = r * gate(2, of: recurrent)
      } else {
        let weight = d.state.narrowed(0, from: 2 * hidden, to: 3 * hidden)
        met = (r * h).matmul(weight, transposed: true) + gate(2, of: d.stateBias)
      }
      let n = f[1](clipped(gate(2, of: row) + met))
      return ((1 - z) * n + z * h, c)
    case .lstm:
      let sums = row + h.matmul(d.state, transposed: true) + d.stateBias
      func peep(_ i: Int, _ c: Tensor) -> Tensor {
        d.peepholes.map { gate(i, of: $0) * c } ?? Tensor.full(like: c, 0)
      }
      let i = f[0](clipped(gate(0, of: sums) + peep(0, c)))
      let forget =
        couplesGates ? 1 - i : f[0](clipped(gate(2, of: sums) + peep(2, c)))
      let next = forget * c + i * f[1](clipped(gate(3, of: sums)))
      let o = f[0](clipped(gate(1, of: sums) + peep(1, next)))
      return (o * f[2](next), next)
    }
  }
}

/// An activation of a recurrent operator, with its numbers.
struct ONNXActivation: Sendable {
  let name: String
  let alpha: Double
  let beta: Double

  /// Those of each direction: as the attributes say, or sigmoid for gates and tanh for states.
  static func all(
    _ call: ONNXCall, _ cell: ONNXRecurrence.Cell, _ directions: Int
  ) throws -> [[ONNXActivation]] {
    let usual: [String]
    switch cell {
    case .rnn: usual = ["Tanh"]
    case .gru: usual = ["Sigmoid", "Tanh"]
    case .lstm: usual = ["Sigmoid", "Tanh", "Tanh"]
    }
    let names = try call.strings("activations") ?? (0..<directions).flatMap { _ in usual }
    try call.require(names.count == usual.count * directions, "its activations do not fit")
    // Numbers belong to the activations that take some, in order.
    var alphas = (try call.floats("activation_alpha") ?? [])[...]
    var betas = (try call.floats("activation_beta") ?? [])[...]
    let all = try names.map { name -> ONNXActivation in
      let key = name.lowercased()
      guard let (alpha, beta) = defaults[key] else {
        throw call.error("there is no activation '\(name)'")
      }
      return ONNXActivation(
        name: key, alpha: alpha.map { alphas.popFirst() ?? $0 } ?? 0,
        beta: beta.map { betas.popFirst() ?? $0 } ?? 0)
    }
    return (0..<directions).map { i in
      Array(all[i * usual.count..<(i + 1) * usual.count])
    }
  }

  private static let defaults: [String: (Double?, Double?)] = [
    "relu": (nil, nil), "tanh": (nil, nil), "sigmoid": (nil, nil), "softsign": (nil, nil),
    "softplus": (nil, nil), "affine": (1, 0), "leakyrelu": (0.01, nil),
    "thresholdedrelu": (1, nil), "scaledtanh": (1, 1), "hardsigmoid": (0.2, 0.5), "elu": (1, nil),
  ]

  func callAsFunction(_ x: Tensor) -> Tensor {
    switch name {
    case "relu": x.relu()
    case "tanh": x.tanh()
    case "sigmoid": x.sigmoid()
    case "softsign": x / (1 + x.abs())
    case "softplus": x.softplus()
    case "affine": alpha * x + beta
    case "leakyrelu": x.leakyReLU(slope: alpha)
    case "thresholdedrelu": which(x .> alpha, x, x.filled(.integer(0)))
    case "scaledtanh": alpha * (beta * x).tanh()
    case "hardsigmoid": (alpha * x + beta).clamped(min: 0, max: 1)
    default: x.elu(alpha: alpha)
    }
  }
}
