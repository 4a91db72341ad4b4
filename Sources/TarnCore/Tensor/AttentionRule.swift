/// What attention does, softmax(Q Kᵀ · scale + mask) V, in primitives and as a composite with a gradient that is one too.
///
/// The arguments are queries [N, H, L, E], keys [N, H, S, E] and values [N, H, S, V]; or, of `packedHeads`, one tensor
/// [N, T, 3 · H · E] of all three, as a layer's one product makes them. A mask [N or 1, H or 1, L or 1, S or 1] may follow.
///
/// As composites both give one row of numbers:
/// - states: the result as [N, L, H, V], then the logarithm of each sum of exponentials, [N, H, L].
/// - gradient, of (arguments, states, gradient of the result): of the packed tensor as it lies, or of the queries [N, L, H, E],
///   keys [N, S, H, E] and values [N, S, H, V].
package struct AttentionRule: Sendable, Hashable {
  package var isCausal: Bool
  package var hasMask: Bool
  package var scale: Double
  /// How many heads lie in one argument; 0: queries, keys and values are apart.
  package var packedHeads = 0

  package init(isCausal: Bool, hasMask: Bool, scale: Double, packedHeads: Int = 0) {
    (self.isCausal, self.hasMask, self.scale) = (isCausal, hasMask, scale)
    self.packedHeads = packedHeads
  }

  package init(attributes: [Scalar]) {
    self.init(
      isCausal: attributes[0].int64 != 0, hasMask: attributes[1].int64 != 0,
      scale: attributes[2].double, packedHeads: Int(attributes[3].int64))
  }

  private var attributes: [Scalar] {
    [
      .integer(isCausal ? 1 : 0), .integer(hasMask ? 1 : 0), .real(scale),
      .integer(Int64(packedHeads)),
    ]
  }

  /// How many arguments hold queries, keys and values.
  package var tensors: Int { packedHeads > 0 ? 1 : 3 }

  /// Lengths of a problem.
  package struct Extent {
    package var batch: Int, heads: Int, queries: Int, keys: Int, width: Int, depth: Int
    package var outputs: Int { batch * heads * queries * depth }
    /// Of both products.
    package var operations: Int { 2 * batch * heads * queries * keys * (width + depth) }
  }

  /// The lengths that the arguments have.
  package func extent(_ shapes: [[Int]]) -> Extent {
    guard packedHeads == 0 else {
      let width = shapes[0][2] / (3 * packedHeads)
      return Extent(
        batch: shapes[0][0], heads: packedHeads, queries: shapes[0][1], keys: shapes[0][1],
        width: width, depth: width)
    }
    return Extent(
      batch: shapes[0][0], heads: shapes[0][1], queries: shapes[0][2], keys: shapes[1][2],
      width: shapes[0][3], depth: shapes[2][3])
  }

  private func extent(_ x: [Tensor]) -> Extent { extent(x.map(\.shape)) }

  // MARK: As a composite

  /// [N, H, L, V], or [N, T, H · E] of packed heads; nil where no backend has attention of these arguments.
  package func claimed(_ arguments: [Tensor]) -> Tensor? {
    let call = Call.composite("attention", attributes, takesRows: true) { statesInPrimitives($0) }
    guard Tensor.isClaimed(call, arguments) else { return nil }
    let extent = self.extent(arguments)
    let states = Tensor.composite(
      call, arguments, [extent.outputs + extent.batch * extent.heads * extent.queries])
    let result = Call(
      "attentionResult", attributes, vjp: { x, _, g in gradients(x, g) },
      fallback: { output(Array($0.dropLast())) })
    let shown = narrowed(states, from: 0, like: .result, extent)
    return .record(.call(result), [shown] + arguments + [states], shown.shape, shown.dtype)
  }

  private enum Part { case result, queries, keys, values }

  /// A part of a row of numbers as a tensor, a view.
  private func narrowed(_ row: Tensor, from start: Int, like part: Part, _ extent: Extent) -> Tensor
  {
    let places = part == .result || part == .queries ? extent.queries : extent.keys
    let width = part == .result || part == .values ? extent.depth : extent.width
    let shape = [extent.batch, places, extent.heads, width]
    let flat = row.narrowed(0, from: start, to: start + shape.reduce(1, *))
    guard packedHeads == 0 else { return flat.reshaped([shape[0], shape[1], shape[2] * shape[3]]) }
    return flat.reshaped(shape).permuted([0, 2, 1, 3])
  }

  /// Of the arguments and the states, which say nothing new.
  private func gradients(_ x: [Tensor], _ g: Tensor) -> [Tensor?] {
    let arguments = Array(x.dropLast())
    let extent = self.extent(arguments)
    let row = gradientRow(arguments + [stopGradient(x[x.count - 1]), g], extent)
    var result: [Tensor?]
    if packedHeads > 0 {
      result = [row.reshaped(arguments[0].shape)]
    } else {
      let second = arguments[0].count, third = second + arguments[1].count
      result = [
        narrowed(row, from: 0, like: .queries, extent),
        narrowed(row, from: second, like: .keys, extent),
        narrowed(row, from: third, like: .values, extent),
      ]
    }
    if hasMask { result.append(maskGradient(arguments, g)) }
    return result
  }

  private func gradientRow(_ x: [Tensor], _ extent: Extent) -> Tensor {
    let call = Call.composite("attentionGradient", attributes, takesRows: true) {
      gradientInPrimitives($0)
    }
    return .composite(call, x, [x[..<tensors].reduce(0) { $0 + $1.count }])
  }

  /// Of numbers that are added.
  private func maskGradient(_ arguments: [Tensor], _ g: Tensor) -> Tensor? {
    let mask = arguments[tensors]
    guard mask.dtype.isFloating else { return nil }
    let slopes = self.slopes(arguments, apart(g)).slopes
    let axes = (0..<4).filter { mask.shape[$0] == 1 && slopes.shape[$0] > 1 }
    return axes.isEmpty ? slopes : slopes.sum(axes: axes, keepDims: true)
  }

  // MARK: In primitives

  /// Queries, keys and values, each [N, H, places, width].
  private func heads(_ x: [Tensor]) -> [Tensor] {
    guard packedHeads > 0 else { return Array(x[..<3]) }
    return x[0].split(3, axis: 2).map(apart)
  }

  /// [N, T, H · E] → [N, H, T, E] of packed heads.
  private func apart(_ x: Tensor) -> Tensor {
    guard packedHeads > 0 else { return x }
    let width = x.shape[2] / packedHeads
    return x.reshaped([x.shape[0], x.shape[1], packedHeads, width]).permuted([0, 2, 1, 3])
  }

  private func mask(_ x: [Tensor]) -> Tensor? { hasMask ? x[tensors] : nil }

  package func output(_ x: [Tensor]) -> Tensor {
    let parts = heads(x)
    let y = weights(parts[0], parts[1], mask(x)).matmul(parts[2])
    guard packedHeads > 0 else { return y }
    return y.permuted([0, 2, 1, 3]).reshaped([y.shape[0], y.shape[2], y.shape[1] * y.shape[3]])
  }

  package func weights(_ query: Tensor, _ key: Tensor, _ mask: Tensor?) -> Tensor {
    let scores = self.scores(query, key, mask)
    guard let mask, mask.dtype == .bool else { return scores.softmax(axis: -1) }
    return which(mask, scores.softmax(axis: -1), 0)
  }

  private func scores(_ query: Tensor, _ key: Tensor, _ mask: Tensor?) -> Tensor {
    var scores = (query * scale).matmul(key, transposed: true)
    // Finite, so that a row of nothing else has a softmax.
    let never = query.dtype == .float16 ? -65504.0 : -1e30
    if isCausal {
      let (queries, keys) = (query.shape[query.rank - 2], key.shape[key.rank - 2])
      let place = Tensor.arange(from: keys - queries, to: keys).reshaped([queries, 1])
      scores = which(place .>= Tensor.arange(keys), scores, never)
    }
    guard let mask else { return scores }
    return mask.dtype == .bool ? which(mask, scores, never) : scores + mask.cast(to: scores.dtype)
  }

  private func statesInPrimitives(_ x: [Tensor]) -> Tensor {
    let parts = heads(x)
    let logarithms = scores(parts[0], parts[1], mask(x)).logSumExp(axes: [-1])
    let y = weights(parts[0], parts[1], mask(x)).matmul(parts[2]).permuted([0, 2, 1, 3])
    return .concatenated([y.reshaped([y.count]), logarithms.reshaped([logarithms.count])])
  }

  /// P and P ∘ (G Vᵀ − Σ P ∘ G Vᵀ): the weights, and what changes with the scores.
  private func slopes(_ x: [Tensor], _ g: Tensor) -> (weights: Tensor, slopes: Tensor) {
    let parts = heads(x)
    let weights = self.weights(parts[0], parts[1], mask(x))
    let products = g.matmul(parts[2], transposed: true)
    return (weights, weights * (products - (weights * products).sum(axis: -1, keepDims: true)))
  }

  /// Of the arguments, the states, which it does without, and the gradient of the result.
  private func gradientInPrimitives(_ x: [Tensor]) -> Tensor {
    let (parts, g) = (heads(x), apart(x[x.count - 1]))
    let (weights, slopes) = self.slopes(x, g)
    let gradients = [
      slopes.matmul(parts[1]) * scale, slopes.transposed().matmul(parts[0]) * scale,
      weights.transposed().matmul(g),
    ].map { $0.permuted([0, 2, 1, 3]) }
    guard packedHeads > 0 else { return .concatenated(gradients.map { $0.reshaped([$0.count]) }) }
    // [N, T, 3, H, E]
    return Tensor.stacked(gradients, axis: 2).reshaped([x[0].count])
  }
}
