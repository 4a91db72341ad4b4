import TarnCore

extension Tensor {
  /// Scaled dot-product attention (Vaswani et al., *Attention Is All You Need*, 2017):
  /// softmax(Q Kᵀ · scale + mask) V, for queries [..., L, E], keys [..., S, E] and values [..., S, V], [..., L, V].
  ///
  /// One named operation, `attention`, where the backend has it; else a few primitives.
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
    var arguments = [query, key, value] + (mask.map { [$0] } ?? [])
    var kept = false
    if dropout > 0, case .training(let random) = Phase.current {
      let keep = 1 - Swift.min(dropout, 1)
      let places = Tensor.bernoulli(shape.weights, probability: keep, key: random.next())
      arguments.append(places.cast(to: query.dtype) / Swift.max(keep, 1e-30))
      kept = true
    }
    let rule = AttentionRule(
      isCausal: isCausal, hasMask: mask != nil, hasDropout: kept,
      scale: scale ?? 1 / Double(Swift.max(1, query.shape.last ?? 1)).squareRoot())
    return .composite(
      .composite("attention", rule.attributes) { rule.output($0) }, arguments, shape.output)
  }

  /// The weights of ``attention(_:_:_:mask:isCausal:scale:dropout:)``, [..., L, S]; the sum of each row is 1.
  public static func attentionWeights(
    _ query: Tensor, _ key: Tensor, mask: Tensor? = nil, isCausal: Bool = false,
    scale: Double? = nil
  ) -> Tensor {
    guard attentionShape(query, key, key, mask) != nil else { return .zeros(query.shape) }
    let rule = AttentionRule(
      isCausal: isCausal, hasMask: mask != nil, hasDropout: false,
      scale: scale ?? 1 / Double(Swift.max(1, query.shape.last ?? 1)).squareRoot())
    return rule.weights(query, key, mask)
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
    if let mask, (looks + pairs).broadcast(with: mask.shape) != looks + pairs {
      return refused("the mask does not stretch to [..., queries, keys]")
    }
    return (looks + pairs, batch + [pairs[0], value.shape[value.rank - 1]])
  }
}

/// What attention does, with its arguments in the order queries, keys, values, mask if there is one, factors of dropout if
/// there are.
struct AttentionRule: Sendable {
  var isCausal: Bool
  var hasMask: Bool
  var hasDropout: Bool
  var scale: Double

  var attributes: [Scalar] {
    [isCausal, hasMask, hasDropout].map { .integer($0 ? 1 : 0) } + [.real(scale)]
  }

  func output(_ x: [Tensor]) -> Tensor {
    var weights = self.weights(x[0], x[1], hasMask ? x[3] : nil)
    if hasDropout { weights = weights * x[x.count - 1] }
    return weights.matmul(x[2])
  }

  func weights(_ query: Tensor, _ key: Tensor, _ mask: Tensor?) -> Tensor {
    var scores = (query * scale).matmul(key, transposed: true)
    // Finite, so that a row of nothing else has a softmax.
    let never = query.dtype == .float16 ? -65504.0 : -1e30
    if isCausal {
      let (queries, keys) = (query.shape[query.rank - 2], key.shape[key.rank - 2])
      let place = Tensor.arange(from: keys - queries, to: keys).reshaped([queries, 1])
      scores = which(place .>= Tensor.arange(keys), scores, never)
    }
    guard let mask else { return scores.softmax(axis: -1) }
    guard mask.dtype == .bool else {
      return (scores + mask.cast(to: scores.dtype)).softmax(axis: -1)
    }
    return which(mask, which(mask, scores, never).softmax(axis: -1), 0)
  }
}
