import TarnCore

/// What shapes a ``MultiHeadAttention``.
public struct AttentionSettings: Hashable, Sendable, Codable {
  /// Channels, which the heads share.
  public var width: Int
  /// How many heads there are.
  public var heads: Int
  /// Whether a place sees no later place.
  public var isCausal = false
  /// Probability that a weight is dropped, in training.
  public var dropout = 0.0
  /// Sequences are [batch, places, width] rather than [places, batch, width].
  public var isBatchFirst = true

  var headWidth: Int { width / heads }

  fileprivate var checked: AttentionSettings {
    if heads > 0, width > 0, width % heads == 0, (0...1).contains(dropout) { return self }
    return Diagnostic.report(
      Diagnostic(
        operation: "MultiHeadAttention",
        reason: "the width is a multiple of the heads, and a probability lies between 0 and 1",
        facts: ["width \(width), heads \(heads), dropout \(dropout)"]),
      giving: AttentionSettings(width: max(1, width), heads: 1))
  }
}

/// Attention with several heads, each in channels of its own (Vaswani et al., *Attention Is All You Need*, 2017):
/// concat(attention(Q Wq, K Wk, V Wv)) Wo.
///
/// Parameters have the names and shapes of PyTorch's `nn.MultiheadAttention`: `in_proj_weight` [3 E, E] (or `q_proj_weight`,
/// `k_proj_weight`, `v_proj_weight`, where keys or values have another width), `in_proj_bias` [3 E], `out_proj`.
///
/// ```swift
/// let attention = MultiHeadAttention(384, heads: 6, isCausal: true)
/// let y = attention(x)                                     // [8, 256, 384] → [8, 256, 384]
/// let (z, state) = attention(next, from: nil)              // goes on with attention(more, from: state)
/// let w = attention(queries, memory, memory)               // looks at another sequence
/// ```
public struct MultiHeadAttention: Layer, CustomStringConvertible {
  /// Weights of queries, keys and values one below the other, [3 E, E]; nil where they are apart.
  public var inputWeight: Tensor?
  /// Weights of queries [E, E], keys [E, K] and values [E, V], where their widths differ.
  public var queryWeight: Tensor?
  public var keyWeight: Tensor?
  public var valueWeight: Tensor?
  /// [3 E]; nil without biases.
  public var inputBias: Tensor?
  /// What puts the heads together, E → E.
  public var output: Linear
  public var settings: AttentionSettings

  enum CodingKeys: String, CodingKey {
    case inputWeight = "in_proj_weight"
    case queryWeight = "q_proj_weight"
    case keyWeight = "k_proj_weight"
    case valueWeight = "v_proj_weight"
    case inputBias = "in_proj_bias"
    case output = "out_proj"
    case settings
  }

  /// Keys and values of the places so far, each [batch, heads, places, width / heads].
  public struct State: TensorTree {
    public var keys: Tensor
    public var values: Tensor

    public init(keys: Tensor, values: Tensor) { (self.keys, self.values) = (keys, values) }

    /// How many places there are.
    public var count: Int { keys.shape[2] }

    public func tensors(_ kind: LeafKind) -> [Tensor] { keys.tensors(kind) + values.tensors(kind) }
    public func replacing(_ kind: LeafKind, with tensors: [Tensor]) -> State {
      let pair = Pair(keys, values).replacing(kind, with: tensors)
      return State(keys: pair.first, values: pair.second)
    }
  }

  /// - Parameters:
  ///   - width: E, a multiple of `heads`.
  ///   - keyWidth: of the keys given; `width` by default, as `valueWidth` of the values.
  ///   - isCausal: whether a place sees no later one.
  ///   - dropout: probability that a weight is dropped, in training.
  ///   - batchFirst: false for [places, batch, width].
  ///   - key: of the random start, Glorot's as in PyTorch, without one the next of the scope, see ``Initialization``.
  public init(
    _ width: Int, heads: Int, keyWidth: Int? = nil, valueWidth: Int? = nil, bias: Bool = true,
    isCausal: Bool = false, dropout: Double = 0, batchFirst: Bool = true, key: RandomKey? = nil
  ) {
    let settings = AttentionSettings(
      width: width, heads: heads, isCausal: isCausal, dropout: dropout, isBatchFirst: batchFirst
    ).checked
    let width = settings.width
    let make = ParameterMaker(key)
    if (keyWidth ?? width) == width, (valueWidth ?? width) == width {
      inputWeight = make(0, .xavierUniform(), [3 * width, width])
    } else {
      queryWeight = make(0, .xavierUniform(), [width, width])
      keyWeight = make(1, .xavierUniform(), [width, keyWidth ?? width])
      valueWeight = make(2, .xavierUniform(), [width, valueWidth ?? width])
    }
    inputBias = bias ? .zeros([3 * width]) : nil
    output = Linear(width, width, bias: bias, key: key?.folded(in: 3))
    output.bias = bias ? .zeros([width]) : nil
    self.settings = settings
  }

  public var description: String {
    "MultiHeadAttention(\(settings.width), \(settings.heads) heads\(settings.isCausal ? ", causal" : ""))"
  }

  /// A sequence looks at itself.
  public func callAsFunction(_ x: Tensor) -> Tensor { callAsFunction(x, from: nil).output }

  /// As above; a mask as of ``TarnCore/Tensor/attention(_:_:_:mask:isCausal:scale:dropout:)``, for [batch, heads, L, S].
  public func callAsFunction(_ x: Tensor, mask: Tensor?) -> Tensor {
    callAsFunction(x, from: nil, mask: mask).output
  }

  /// A sequence looks at itself and at the places before it.
  ///
  /// - Returns: the output, and keys and values of all places so far, to go on from.
  public func callAsFunction(_ x: Tensor, from state: State?, mask: Tensor? = nil)
    -> (output: Tensor, state: State)
  {
    guard let sequence = sequence(x, width: widths.query, of: "x"),
      widths.key == widths.query, widths.value == widths.query
    else { return (.zeros(x.shape, dtype: x.dtype), State(keys: x, values: x)) }
    let together = projectedTogether(sequence)
    let parts = together.map { $0.split(3, axis: 2).map(heads) } ?? projected(sequence)
    var (keys, values) = (parts[1], parts[2])
    if state == nil, let together {
      let looks = Tensor.selfAttention(
        together, heads: settings.heads, mask: mask, isCausal: settings.isCausal,
        dropout: settings.dropout)
      return (joined(looks, like: x, keys: keys.shape[2]), State(keys: keys, values: values))
    }
    if let state {
      keys = .concatenated([state.keys, keys], axis: 2)
      values = .concatenated([state.values, values], axis: 2)
    }
    let y = finished(parts[0], keys, values, mask, like: x)
    return (y, State(keys: keys, values: values))
  }

  /// `query` [N, L, E] looks at `key` [N, S, K] and takes from `value` [N, S, V]: [N, L, E].
  public func callAsFunction(
    _ query: Tensor, _ key: Tensor, _ value: Tensor, mask: Tensor? = nil
  ) -> Tensor {
    guard let q = sequence(query, width: widths.query, of: "query"),
      let k = sequence(key, width: widths.key, of: "key"),
      let v = sequence(value, width: widths.value, of: "value")
    else { return .zeros(query.shape, dtype: query.dtype) }
    let parts = [q, k, v].enumerated().map { projected($0.element, $0.offset) }
    return finished(parts[0], parts[1], parts[2], mask, like: query)
  }

  /// How much each place of a sequence looks at each, [N, heads, L, L]: of [N, L, E].
  public func weights(_ x: Tensor, mask: Tensor? = nil) -> Tensor {
    guard let sequence = sequence(x, width: widths.query, of: "x"), inputWeight != nil else {
      return .zeros(x.shape, dtype: x.dtype)
    }
    let parts = projected(sequence)
    return .attentionWeights(parts[0], parts[1], mask: mask, isCausal: settings.isCausal)
  }
}

extension MultiHeadAttention {
  private var widths: (query: Int, key: Int, value: Int) {
    let width = settings.width
    return (width, keyWeight?.shape[1] ?? width, valueWeight?.shape[1] ?? width)
  }

  /// [batch, places, width] of what is [places, width], or has the batch second.
  private func sequence(_ x: Tensor, width: Int, of name: String) -> Tensor? {
    guard x.rank == 2 || x.rank == 3, x.shape.last == width, x.dtype.isFloating else {
      let axes = settings.isBatchFirst ? "[batch, places, \(width)]" : "[places, batch, \(width)]"
      _ = rejected(x, "expects \(name) of a floating type \(axes)", as: x.shape)
      return nil
    }
    if x.rank == 2 { return x.expandedDims(0) }
    return settings.isBatchFirst ? x : x.transposed(0, 1)
  }

  /// Queries, keys and values of one sequence, each [batch, heads, places, width / heads].
  private func projected(_ x: Tensor) -> [Tensor] {
    projectedTogether(x)?.split(3, axis: 2).map(heads) ?? (0..<3).map { projected(x, $0) }
  }

  /// The same beside one another, [batch, places, 3 · width]; nil where their weights are apart.
  private func projectedTogether(_ x: Tensor) -> Tensor? {
    guard let weight = inputWeight else { return nil }
    let y = x.matmul(weight, transposed: true)
    return inputBias.map { y + $0 } ?? y
  }

  /// The same for queries (0), keys (1) or values (2) alone.
  private func projected(_ x: Tensor, _ which: Int) -> Tensor {
    let (from, to) = (which * settings.width, (which + 1) * settings.width)
    let apart = [queryWeight, keyWeight, valueWeight][which]
    guard let weight = apart ?? inputWeight?.narrowed(0, from: from, to: to) else { return x }
    let y = x.matmul(weight, transposed: true)
    return heads(inputBias.map { y + $0.narrowed(0, from: from, to: to) } ?? y)
  }

  private func heads(_ x: Tensor) -> Tensor {
    x.reshaped([x.shape[0], x.shape[1], settings.heads, settings.headWidth]).permuted(0, 2, 1, 3)
  }

  private func finished(
    _ query: Tensor, _ keys: Tensor, _ values: Tensor, _ mask: Tensor?, like x: Tensor
  ) -> Tensor {
    let looks = Tensor.attention(
      query, keys, values, mask: mask, isCausal: settings.isCausal, dropout: settings.dropout)
    let shape = [query.shape[0], query.shape[2], settings.width]
    return joined(
      looks.permuted(0, 2, 1, 3).reshaped(shape), like: x, keys: keys.shape[2])
  }

  /// What the heads found, [batch, places, width], put together.
  private func joined(_ looks: Tensor, like x: Tensor, keys: Int) -> Tensor {
    var y = looks.matmul(output.weight, transposed: true)
    if let bias = output.bias { y = y + bias }
    if x.rank == 2 {
      y = y.reshaped(x.shape)
    } else if !settings.isBatchFirst {
      y = y.transposed(0, 1)
    }
    return recorded(y, multiplyAdds: multiplyAdds(looks.shape[0], looks.shape[1], keys))
  }

  private func multiplyAdds(_ batch: Int, _ queries: Int, _ keys: Int) -> Int {
    let width = settings.width
    let projections = queries * 2 * width + keys * (widths.key + widths.value)
    return batch * width * (projections + 2 * queries * keys)
  }
}
