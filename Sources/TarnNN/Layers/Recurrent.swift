import TarnCore

/// Long short-term memory (Hochreiter and Schmidhuber, 1997) over sequences:
///
/// i, f, o = σ(W x + b + U h + b'), g = tanh(…), c' = f c + i g, h' = o tanh c'.
///
/// ```swift
/// let lstm = LSTM(65, 128, layers: 2)
/// let y = lstm(x)                                  // [50, 32, 65] → [50, 32, 128]
/// let (output, state) = lstm(x, from: nil)         // goes on with lstm(next, from: state)
/// ```
///
/// Sequences are [steps, batch, inputs]; [batch, steps, inputs] with `batchFirst`; [steps, inputs] for one alone. Parameters
/// have the names and the order of gates of PyTorch's `nn.LSTM`.
public struct LSTM: Layer, CustomStringConvertible {
  /// h and c of each layer and direction, [layers · directions, batch, hidden].
  public struct State: TensorTree {
    public var hidden: Tensor
    public var cell: Tensor

    public init(hidden: Tensor, cell: Tensor) { (self.hidden, self.cell) = (hidden, cell) }

    public func tensors(_ kind: LeafKind) -> [Tensor] {
      hidden.tensors(kind) + cell.tensors(kind)
    }
    public func replacing(_ kind: LeafKind, with tensors: [Tensor]) -> State {
      let pair = Pair(hidden, cell).replacing(kind, with: tensors)
      return State(hidden: pair.first, cell: pair.second)
    }
  }

  /// Gates in the order i, f, g, o.
  public var weights: RecurrentWeights

  /// - Parameters:
  ///   - layers: how many, one above the other.
  ///   - dropout: of the outputs between layers, in training.
  ///   - bidirectional: whether each layer also reads from the end; the outputs stand side by side.
  ///   - key: of the random start U(±1/√hidden); without one the next of the scope, see ``Initialization``.
  public init(
    _ inputs: Int, _ hidden: Int, layers: Int = 1, bias: Bool = true, batchFirst: Bool = false,
    dropout: Double = 0, bidirectional: Bool = false, key: RandomKey? = nil
  ) {
    let settings = RecurrentSettings(
      inputs: inputs, hidden: hidden, layers: layers, hasBias: bias, isBatchFirst: batchFirst,
      dropout: dropout, isBidirectional: bidirectional)
    weights = RecurrentWeights(settings.checked("LSTM"), gates: 4, key: key)
  }

  public var description: String { weights.description("LSTM") }

  /// The outputs from a state of zeros.
  public func callAsFunction(_ x: Tensor) -> Tensor { callAsFunction(x, from: nil).output }

  /// - Parameters:
  ///   - state: to go on from; zeros if nil.
  ///   - lengths: integers [batch]: how many steps of each sequence count. Outputs beyond are zero, and the state returned is
  ///     that after the last step that counts.
  /// - Returns: outputs of the last layer [steps, batch, directions · hidden], and the state at the end.
  public func callAsFunction(_ x: Tensor, from state: State?, lengths: Tensor? = nil)
    -> (output: Tensor, state: State)
  {
    let pass = RecurrentPass(kind: .lstm, weights: weights)
    let states = [state?.hidden, state?.cell]
    if let problem = pass.problem(x, states, lengths, self) {
      return (problem.output, State(hidden: problem.hidden, cell: problem.hidden))
    }
    let result = pass(x, hidden: state?.hidden, cell: state?.cell, lengths: lengths)
    return (
      recorded(result.output, multiplyAdds: pass.multiplyAdds(x)),
      State(hidden: result.hidden, cell: result.cell ?? result.hidden)
    )
  }

  public func encode(to encoder: any Encoder) throws { try weights.encode(to: encoder) }
  public init(from decoder: any Decoder) throws { weights = try RecurrentWeights(from: decoder) }
}

/// Gated recurrent units (Cho et al., 2014) over sequences:
///
/// r, z = σ(W x + b + U h + b'), n = tanh(W x + b + r (U h + b')), h' = (1 − z) n + z h.
///
/// With `resetBefore`, n = tanh(W x + b + U (r h) + b'), as in the paper and in char-rnn. Sequences and names of parameters as in
/// ``LSTM``; the gates' order is PyTorch's.
///
/// ```swift
/// let gru = GRU(65, 128)
/// let (output, state) = gru(x, from: nil)          // [50, 32, 128], [1, 32, 128]
/// ```
public struct GRU: Layer, CustomStringConvertible {
  /// Gates in the order r, z, n.
  public var weights: RecurrentWeights
  /// Whether r meets h before the product with U rather than after it.
  public var resetBefore: Bool

  /// Parameters as of ``LSTM/init(_:_:layers:bias:batchFirst:dropout:bidirectional:key:)``.
  public init(
    _ inputs: Int, _ hidden: Int, layers: Int = 1, bias: Bool = true, batchFirst: Bool = false,
    dropout: Double = 0, bidirectional: Bool = false, resetBefore: Bool = false,
    key: RandomKey? = nil
  ) {
    let settings = RecurrentSettings(
      inputs: inputs, hidden: hidden, layers: layers, hasBias: bias, isBatchFirst: batchFirst,
      dropout: dropout, isBidirectional: bidirectional)
    weights = RecurrentWeights(settings.checked("GRU"), gates: 3, key: key)
    self.resetBefore = resetBefore
  }

  public var description: String { weights.description("GRU") }

  /// The outputs from a state of zeros.
  public func callAsFunction(_ x: Tensor) -> Tensor { callAsFunction(x, from: nil).output }

  /// As ``LSTM/callAsFunction(_:from:lengths:)``; the state is h alone, [layers · directions, batch, hidden].
  public func callAsFunction(_ x: Tensor, from state: Tensor?, lengths: Tensor? = nil)
    -> (output: Tensor, state: Tensor)
  {
    let pass = RecurrentPass(kind: resetBefore ? .gruResetBefore : .gru, weights: weights)
    return pass.run(self, x, state, lengths)
  }

  private enum CodingKeys: String, CodingKey { case resetBefore }

  public func encode(to encoder: any Encoder) throws {
    try weights.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(resetBefore, forKey: .resetBefore)
  }

  public init(from decoder: any Decoder) throws {
    weights = try RecurrentWeights(from: decoder)
    resetBefore = try decoder.container(keyedBy: CodingKeys.self)
      .decode(Bool.self, forKey: .resetBefore)
  }
}

/// A plain recurrent network over sequences: h' = tanh(W x + b + U h + b'), or relu (Elman, 1990).
///
/// Sequences and names of parameters as in ``LSTM``.
///
/// ```swift
/// let rnn = RNN(65, 128, nonlinearity: .relu)
/// ```
public struct RNN: Layer, CustomStringConvertible {
  /// What h' is made with.
  public enum Nonlinearity: String, Hashable, Sendable, Codable { case tanh, relu }

  public var weights: RecurrentWeights
  public var nonlinearity: Nonlinearity

  /// Parameters as of ``LSTM/init(_:_:layers:bias:batchFirst:dropout:bidirectional:key:)``.
  public init(
    _ inputs: Int, _ hidden: Int, layers: Int = 1, nonlinearity: Nonlinearity = .tanh,
    bias: Bool = true, batchFirst: Bool = false, dropout: Double = 0, bidirectional: Bool = false,
    key: RandomKey? = nil
  ) {
    let settings = RecurrentSettings(
      inputs: inputs, hidden: hidden, layers: layers, hasBias: bias, isBatchFirst: batchFirst,
      dropout: dropout, isBidirectional: bidirectional)
    weights = RecurrentWeights(settings.checked("RNN"), gates: 1, key: key)
    self.nonlinearity = nonlinearity
  }

  public var description: String { weights.description("RNN") }

  /// The outputs from a state of zeros.
  public func callAsFunction(_ x: Tensor) -> Tensor { callAsFunction(x, from: nil).output }

  /// As ``LSTM/callAsFunction(_:from:lengths:)``; the state is h alone, [layers · directions, batch, hidden].
  public func callAsFunction(_ x: Tensor, from state: Tensor?, lengths: Tensor? = nil)
    -> (output: Tensor, state: Tensor)
  {
    let pass = RecurrentPass(kind: nonlinearity == .tanh ? .tanh : .relu, weights: weights)
    return pass.run(self, x, state, lengths)
  }

  private enum CodingKeys: String, CodingKey { case nonlinearity }

  public func encode(to encoder: any Encoder) throws {
    try weights.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(nonlinearity, forKey: .nonlinearity)
  }

  public init(from decoder: any Decoder) throws {
    weights = try RecurrentWeights(from: decoder)
    nonlinearity = try decoder.container(keyedBy: CodingKeys.self)
      .decode(Nonlinearity.self, forKey: .nonlinearity)
  }
}
