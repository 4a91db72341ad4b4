import TarnCore
import TarnNN

/// Recurrent layers over symbols as one-hot vectors or embeddings, and a linear decoder: char-rnn's model.
///
/// The names of its parameters are those of this PyTorch module, so that files go both ways:
///
/// ```python
/// class CharRNN(nn.Module):
///     def __init__(self, vocabulary, size, layers):
///         super().__init__()
///         self.rnn = nn.LSTM(vocabulary, size, layers)      # or nn.GRU, nn.RNN
///         self.decoder = nn.Linear(size, vocabulary)
/// ```
///
/// With embeddings there is `embedding.weight` too, and `rnn` takes their length.
public struct RecurrentLanguageModel: LanguageModel {
  public private(set) var card: TextModelCard
  public var embedding: Embedding?
  public var rnn: RecurrentStack
  public var decoder: Linear

  private enum CodingKeys: String, CodingKey { case card, embedding, rnn, decoder }

  /// All parameters from U(±0.08); a bias of 1 before an LSTM's forget gate, so that it remembers at the start.
  public init(_ card: TextModelCard, key: RandomKey) {
    self.card = card
    let inputs = card.embedding ?? card.vocabulary
    (embedding, rnn, decoder) = Initialization.skipped {
      (
        card.embedding.map { Embedding(card.vocabulary, $0) }, RecurrentStack(card, inputs: inputs),
        Linear(card.size, card.vocabulary)
      )
    }
    var number = 0
    let uniform = Initializer.uniform(from: -0.08, to: 0.08)
    self = mapParameters { _, old in
      number += 1
      return uniform.tensor(old.shape, key: key.folded(in: number))
    }
    rnn.fillForgetBias(1)
  }

  public func logits(_ symbols: Tensor, from state: [Tensor]) -> (logits: Tensor, state: [Tensor]) {
    let x = embedding.map { $0(symbols) } ?? symbols.oneHot(card.vocabulary)
    let (output, next) = rnn(x, from: state)
    let top = Dropout(card.dropout)(output)
    return (decoder(top).reshaped(-1, card.vocabulary), next)
  }

  public func stepper() -> any SymbolStepper { RecurrentStepper(self) }
}

/// A stack of one kind of recurrent layer.
public enum RecurrentStack: Module {
  case lstm(LSTM)
  case gru(GRU)
  case rnn(RNN)

  init(_ card: TextModelCard, inputs: Int) {
    let (size, layers, dropout) = (card.size, card.layers, card.dropout)
    switch card.kind {
    case .gru:
      self = .gru(
        GRU(inputs, size, layers: layers, dropout: dropout, resetBefore: card.resetBefore))
    case .rnn: self = .rnn(RNN(inputs, size, layers: layers, dropout: dropout))
    case .lstm, .transformer: self = .lstm(LSTM(inputs, size, layers: layers, dropout: dropout))
    }
  }

  /// [steps, batch, inputs] → [steps, batch, size], and h (and an LSTM's c), [layers, batch, size].
  public func callAsFunction(_ x: Tensor, from state: [Tensor]) -> (
    output: Tensor, state: [Tensor]
  ) {
    switch self {
    case .lstm(let layer):
      let start = state.count == 2 ? LSTM.State(hidden: state[0], cell: state[1]) : nil
      let (output, next) = layer(x, from: start)
      return (output, [next.hidden, next.cell])
    case .gru(let layer):
      let (output, next) = layer(x, from: state.first)
      return (output, [next])
    case .rnn(let layer):
      let (output, next) = layer(x, from: state.first)
      return (output, [next])
    }
  }

  /// A state of zeros.
  func start(batch: Int) -> [Tensor] {
    switch self {
    case .lstm(let layer): [zeros(layer.weights, batch), zeros(layer.weights, batch)]
    case .gru(let layer): [zeros(layer.weights, batch)]
    case .rnn(let layer): [zeros(layer.weights, batch)]
    }
  }

  private func zeros(_ weights: RecurrentWeights, _ batch: Int) -> Tensor {
    .zeros([weights.settings.layers, batch, weights.settings.hidden])
  }

  /// Sets the input's bias before an LSTM's forget gates.
  mutating func fillForgetBias(_ value: Double) {
    guard case .lstm(var layer) = self else { return }
    let size = layer.weights.settings.hidden
    for number in layer.weights.directions.indices {
      guard let bias = layer.weights.directions[number].inputBias else { continue }
      let parts = [bias[..<size], Tensor.full([size], value), bias[(2 * size)...]]
      layer.weights.directions[number].inputBias = Tensor.concatenated(parts).evaluate()
    }
    self = .lstm(layer)
  }

  private enum Kind: String, Codable { case lstm, gru, rnn }
  private enum CodingKeys: String, CodingKey { case kind }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .lstm(let layer):
      try container.encode(Kind.lstm, forKey: .kind)
      try layer.encode(to: encoder)
    case .gru(let layer):
      try container.encode(Kind.gru, forKey: .kind)
      try layer.encode(to: encoder)
    case .rnn(let layer):
      try container.encode(Kind.rnn, forKey: .kind)
      try layer.encode(to: encoder)
    }
  }

  public init(from decoder: any Decoder) throws {
    switch try decoder.container(keyedBy: CodingKeys.self).decode(Kind.self, forKey: .kind) {
    case .lstm: self = .lstm(try LSTM(from: decoder))
    case .gru: self = .gru(try GRU(from: decoder))
    case .rnn: self = .rnn(try RNN(from: decoder))
    }
  }
}

/// A recurrent model with its state.
public final class RecurrentStepper: SymbolStepper {
  private let step: Compiled<[Tensor], [Tensor]>
  private let start: [Tensor]
  /// h (and an LSTM's c) after what was read, [layers, 1, size].
  public private(set) var state: [Tensor]

  init(_ model: RecurrentLanguageModel) {
    step = compile { inputs in
      let (logits, next) = Phase.inference {
        model.logits(inputs[0].reshaped(1, 1), from: Array(inputs.dropFirst()))
      }
      return [logits.reshaped(-1)] + next
    }
    start = model.rnn.start(batch: 1).map { $0.evaluate() }
    state = start
  }

  public func logits(after symbol: Int) -> [Float] {
    let results = step([Tensor([Int64(symbol)])] + state)
    state = Array(results.dropFirst())
    return results[0].array(of: Float.self)
  }

  public func restart() { state = start }
}
