import TarnCore

/// One step of an ``LSTM``, with the parameters of PyTorch's `nn.LSTMCell`: `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh`.
///
/// ```swift
/// let cell = LSTMCell(65, 128)
/// var state: (hidden: Tensor, cell: Tensor)?
/// for x in letters { state = cell(x, from: state) }        // [32, 65] → [32, 128], [32, 128]
/// ```
public struct LSTMCell: Module {
  /// Gates in the order i, f, g, o.
  public var weights: CellWeights

  public init(_ inputs: Int, _ hidden: Int, bias: Bool = true, key: RandomKey? = nil) {
    weights = CellWeights(inputs, hidden, gates: 4, bias: bias, key: key)
  }

  /// - Parameters:
  ///   - x: [batch, inputs], or [inputs].
  ///   - state: h and c [batch, hidden]; zeros if nil.
  public func callAsFunction(_ x: Tensor, from state: (hidden: Tensor, cell: Tensor)? = nil)
    -> (hidden: Tensor, cell: Tensor)
  {
    let result = weights.step(.lstm, "LSTMCell", x, state?.hidden, state?.cell)
    return (result.hidden, result.cell ?? result.hidden)
  }

  public func encode(to encoder: any Encoder) throws { try weights.encode(to: encoder) }
  public init(from decoder: any Decoder) throws { weights = try CellWeights(from: decoder) }
}

/// One step of a ``GRU``, with the parameters of PyTorch's `nn.GRUCell`.
public struct GRUCell: Module {
  /// Gates in the order r, z, n.
  public var weights: CellWeights

  public init(_ inputs: Int, _ hidden: Int, bias: Bool = true, key: RandomKey? = nil) {
    weights = CellWeights(inputs, hidden, gates: 3, bias: bias, key: key)
  }

  /// [batch, inputs] and h [batch, hidden], zeros if nil → h'.
  public func callAsFunction(_ x: Tensor, from hidden: Tensor? = nil) -> Tensor {
    weights.step(.gru, "GRUCell", x, hidden, nil).hidden
  }

  public func encode(to encoder: any Encoder) throws { try weights.encode(to: encoder) }
  public init(from decoder: any Decoder) throws { weights = try CellWeights(from: decoder) }
}

/// One step of an ``RNN``, with the parameters of PyTorch's `nn.RNNCell`.
public struct RNNCell: Module {
  public var weights: CellWeights
  public var nonlinearity: RNN.Nonlinearity

  public init(
    _ inputs: Int, _ hidden: Int, nonlinearity: RNN.Nonlinearity = .tanh, bias: Bool = true,
    key: RandomKey? = nil
  ) {
    weights = CellWeights(inputs, hidden, gates: 1, bias: bias, key: key)
    self.nonlinearity = nonlinearity
  }

  /// [batch, inputs] and h [batch, hidden], zeros if nil → h'.
  public func callAsFunction(_ x: Tensor, from hidden: Tensor? = nil) -> Tensor {
    weights.step(nonlinearity == .tanh ? .tanh : .relu, "RNNCell", x, hidden, nil).hidden
  }

  private enum CodingKeys: String, CodingKey { case nonlinearity }

  public func encode(to encoder: any Encoder) throws {
    try weights.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(nonlinearity, forKey: .nonlinearity)
  }

  public init(from decoder: any Decoder) throws {
    weights = try CellWeights(from: decoder)
    nonlinearity = try decoder.container(keyedBy: CodingKeys.self)
      .decode(RNN.Nonlinearity.self, forKey: .nonlinearity)
  }
}

/// The parameters of a recurrent cell.
public struct CellWeights: Sendable, Codable {
  /// [gates · hidden, inputs] and [gates · hidden, hidden]
  public var inputWeight: Tensor, hiddenWeight: Tensor
  /// [gates · hidden]; nil without biases.
  public var inputBias: Tensor?, hiddenBias: Tensor?

  private enum CodingKeys: String, CodingKey {
    case inputWeight = "weight_ih", hiddenWeight = "weight_hh"
    case inputBias = "bias_ih", hiddenBias = "bias_hh"
  }

  init(_ inputs: Int, _ hidden: Int, gates: Int, bias: Bool, key: RandomKey?) {
    let settings = RecurrentSettings(inputs: inputs, hidden: hidden, hasBias: bias)
    let all = RecurrentWeights(settings.checked("cell"), gates: gates, key: key).directions[0]
    (inputWeight, hiddenWeight) = (all.inputWeight, all.hiddenWeight)
    (inputBias, hiddenBias) = (all.inputBias, all.hiddenBias)
  }

  /// A sequence of one step.
  func step(_ kind: RecurrenceKind, _ name: String, _ x: Tensor, _ hidden: Tensor?, _ cell: Tensor?)
    -> (hidden: Tensor, cell: Tensor?)
  {
    let isSingle = x.rank == 1
    let (inputs, length) = (inputWeight.shape[1], hiddenWeight.shape[1])
    let shape = isSingle ? [length] : [x.shape.first ?? 1, length]
    guard isSingle || x.rank == 2, x.shape.last == inputs, x.dtype.isFloating,
      [hidden, cell].allSatisfy({ $0 == nil || $0?.shape == shape })
    else {
      let zeros = Diagnostic.report(
        Diagnostic(
          operation: name, reason: "expects a floating [batch, \(inputs)] and a state \(shape)",
          facts: [
            "input \(x.shape) \(x.dtype.name)",
            "state \([hidden, cell].compactMap { $0?.shape })",
          ]), poison: shape, x.dtype)
      return (zeros, zeros)
    }
    let batch = isSingle ? 1 : shape[0]
    let direction = RecurrentDirection(
      inputWeight: inputWeight, hiddenWeight: hiddenWeight, inputBias: inputBias,
      hiddenBias: hiddenBias)
    let products = x.reshaped([1, batch, inputs]).matmul(inputWeight, transposed: true)
    func start(_ state: Tensor?) -> Tensor {
      state?.reshaped([batch, length])
        ?? .full([batch, length], .integer(0), dtype: products.dtype, device: x.device)
    }
    let (bias, newBias) = direction.biases(kind, like: products)
    let arguments: [Tensor?] = [
      products, hiddenWeight, bias, newBias, start(hidden), kind == .lstm ? start(cell) : nil,
    ]
    let result = Recurrence(
      kind, isReversed: false, steps: 1, batch: batch, hidden: length, hasLengths: false)(
        arguments.compactMap { $0 })
    return (result.hidden.reshaped(shape), result.cell?.reshaped(shape))
  }
}
