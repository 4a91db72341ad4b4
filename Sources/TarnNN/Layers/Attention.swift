import TarnCore

extension Tensor {
  /// Scaled dot-product attention (Vaswani et al., *Attention Is All You Need*, 2017):
  /// softmax(Q Kᵀ · scale + mask) V, for queries [..., L, E], keys [..., S, E] and values [..., S, V], [..., L, V].
  ///
  /// One operation that never holds all weights, where the backend has it; else a few primitives.
  ///
  /// ```swift
  /// let y = Tensor.attention(q, k, v, isCausal: true)      // [8, 12, 64, 32] → [8, 12, 64, 32]
  /// ```
  ///
  /// - Parameters:
  ///   - mask: shape that stretches to [..., L, S]. Truth values say which keys a query may look at; a query that may look
  ///     at none gets zeros. Numbers are added to the scaled products.
  ///   - isCausal: whether a query looks at no key after its own place. The last query stands at the last key, so that
  ///     queries can go on after keys of earlier steps.
  ///   - scale: 1/√E by default.
  ///   - dropout: probability that a weight is dropped, in training.
  public static func attention(
    _ query: Tensor, _ key: Tensor, _ value: Tensor, mask: Tensor? = nil, isCausal: Bool = false,
    scale: Double? = nil, dropout: Double = 0
  ) -> Tensor {
    guard let shape = attentionShape(query, key, value, mask) else { return .zeros(query.shape) }
    let rule = AttentionRule(
      isCausal: isCausal, hasMask: mask != nil, scale: scale ?? defaultScale(query.shape.last))
    if dropout > 0, case .training(let random) = Phase.current {
      let keep = 1 - Swift.min(dropout, 1)
      let places = Tensor.bernoulli(shape.weights, probability: keep, key: random.next())
      let factors = places.cast(to: query.dtype) / Swift.max(keep, 1e-30)
      return (rule.weights(query, key, mask) * factors).matmul(value)
    }
    if let arguments = fourAxes(query, key, value, mask, shape.output),
      let y = rule.claimed(arguments)
    {
      return y.reshaped(shape.output)
    }
    return rule.output([query, key, value] + (mask.map { [$0] } ?? []))
  }

  /// Attention of sequences to themselves, of queries, keys and values that one product has made:
  /// [N, T, 3 · heads · E] → [N, T, heads · E].
  package static func selfAttention(
    _ packed: Tensor, heads: Int, mask: Tensor? = nil, isCausal: Bool = false, dropout: Double = 0
  ) -> Tensor {
    let (batch, places, width) = (packed.shape[0], packed.shape[1], packed.shape[2] / 3)
    var isDropping = false
    if dropout > 0, case .training = Phase.current { isDropping = true }
    if !isDropping, mask.map({ stretches($0, to: [batch, heads, places, places]) }) ?? true {
      let rule = AttentionRule(
        isCausal: isCausal, hasMask: mask != nil, scale: defaultScale(width / heads),
        packedHeads: heads)
      if let y = rule.claimed([packed] + (mask.map { [maskOfFourAxes($0)] } ?? [])) { return y }
    }
    let parts = packed.split(3, axis: 2).map {
      $0.reshaped([batch, places, heads, width / heads]).permuted([0, 2, 1, 3])
    }
    let y = attention(
      parts[0], parts[1], parts[2], mask: mask, isCausal: isCausal, dropout: dropout)
    return y.permuted([0, 2, 1, 3]).reshaped([batch, places, width])
  }

  /// The weights of ``attention(_:_:_:mask:isCausal:scale:dropout:)``, [..., L, S]; the sum of each row is 1.
  public static func attentionWeights(
    _ query: Tensor, _ key: Tensor, mask: Tensor? = nil, isCausal: Bool = false,
    scale: Double? = nil
  ) -> Tensor {
    guard attentionShape(query, key, key, mask) != nil else { return .zeros(query.shape) }
    let rule = AttentionRule(
      isCausal: isCausal, hasMask: mask != nil, scale: scale ?? defaultScale(query.shape.last))
    return rule.weights(query, key, mask)
  }

  private static func defaultScale(_ width: Int?) -> Double {
    1 / Double(Swift.max(1, width ?? 1)).squareRoot()
  }

  // MARK: Shapes

  /// Queries, keys, values and the mask as [batch, heads, places, width]; nil if the mask has too many axes for that.
  private static func fourAxes(
    _ query: Tensor, _ key: Tensor, _ value: Tensor, _ mask: Tensor?, _ output: [Int]
  ) -> [Tensor]? {
    let front = Array(output.dropLast(2))
    if let mask, mask.rank > 4 || front.count > 2 || mask.dtype != .bool && !mask.dtype.isFloating {
      return nil
    }
    let batch =
      switch front.count {
      case 0: [1, 1]
      case 1: [front[0], 1]
      default: [front.dropLast().reduce(1, *), front[front.count - 1]]
      }
    let parts = [query, key, value].map { x in
      let last = Array(x.shape.suffix(2))
      return x.broadcast(to: front + last).reshaped(batch + last)
    }
    guard let mask else { return parts }
    // The heads of one axis are those of the batch.
    if front.count == 1, mask.rank == 3 { return parts + [maskOfFourAxes(mask.expandedDims(1))] }
    return parts + [maskOfFourAxes(mask)]
  }

  private static func maskOfFourAxes(_ mask: Tensor) -> Tensor {
    let shape = [Int](repeating: 1, count: Swift.max(0, 4 - mask.rank)) + mask.shape
    let floats = mask.dtype == .bool ? mask : mask.cast(to: .float32)
    return floats.reshaped(shape)
  }

  private static func stretches(_ mask: Tensor, to shape: [Int]) -> Bool {
    mask.shape.broadcast(with: shape) == shape
  }

  /// Shapes of the weights and of the output; nil, and a report, if the operands do not fit.
  private static func attentionShape(
    _ query: Tensor, _ key: Tensor, _ value: Tensor, _ mask: Tensor?
  ) -> (weights: [Int], output: [Int])? {
    func refused(_ reason: String) -> (weights: [Int], output: [Int])? {
      let facts =
        ["query \(query.shape)", "key   \(key.shape)", "value \(value.shape)"]
        + (mask.map { ["mask  \($0.shape)"] } ?? [])
      return Diagnostic.report(
        Diagnostic(operation: "attention", reason: reason, facts: facts), giving: nil)
    }
    guard Swift.min(query.rank, key.rank, value.rank) >= 2 else {
      return refused("expects [..., places, width]")
    }
    guard query.dtype.isFloating, key.dtype == query.dtype, value.dtype == query.dtype else {
      return refused("queries, keys and values are of one floating type")
    }
    guard query.shape.last == key.shape.last else {
      return refused("queries and keys are of one width")
    }
    let places = key.shape[key.rank - 2]
    guard value.shape[value.rank - 2] == places else {
      return refused("there are as many values as keys")
    }
    let pairs = [query.shape[query.rank - 2], places]
    guard
      let looks = query.shape.dropLast(2).map({ $0 }).broadcast(with: Array(key.shape.dropLast(2))),
      let batch = looks.broadcast(with: Array(value.shape.dropLast(2)))
    else { return refused("the axes before the last two do not stretch to each other") }
    if let mask, !stretches(mask, to: looks + pairs) {
      return refused("the mask does not stretch to [..., queries, keys]")
    }
    return (looks + pairs, batch + [pairs[0], value.shape[value.rank - 1]])
  }
}
