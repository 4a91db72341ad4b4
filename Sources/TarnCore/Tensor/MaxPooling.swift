/// Maximum pooling as named calls that are closed under derivatives. With a(x) the place of the largest element of
/// each window, pooled(x) = x[a(x)], chosen(x, t) = t[a(x)], and gradient(x, g) is zeros with g added at a(x).
struct MaxPooling {
  private let window: Window
  /// [N, C, t…]
  private let shape: [Int]

  init(_ window: Window, _ shape: [Int]) { (self.window, self.shape) = (window, shape) }

  /// [N, C, s…] → [N, C, t…]
  func pooled(_ x: Tensor) -> Tensor {
    let call = Call(
      "maxPool", window.attributes, vjp: { x, _, g in [gradient(x[0], g)] },
      jvp: { x, _, t in t[0].map { chosen(x[0], $0) } })
    return Tensor.record(.call(call), taken(x, at: x), x, shape, x.dtype)
  }

  /// (x, t), both [N, C, s…] → [N, C, t…]
  private func chosen(_ x: Tensor, _ t: Tensor) -> Tensor {
    let call = Call(
      "maxPoolChoice", window.attributes, vjp: { x, _, g in [nil, gradient(x[0], g)] },
      jvp: { x, _, t in t[1].map { chosen(x[0], $0) } })
    return Tensor.record(.call(call), [taken(t, at: x), x, t], shape, t.dtype)
  }

  /// (x [N, C, s…], g [N, C, t…]) → [N, C, s…]
  private func gradient(_ x: Tensor, _ g: Tensor) -> Tensor {
    let call = Call(
      "maxPoolGradient", window.attributes, vjp: { x, _, u in [nil, chosen(x[0], u)] },
      jvp: { x, _, t in t[1].map { gradient(x[0], $0) } })
    let sums = Tensor.record(.scatterAdd(axis: 0), g, places(x), [x.count], g.dtype)
    return Tensor.record(.call(call), [sums.reshaped(x.shape), x, g], x.shape, g.dtype)
  }

  // MARK: In primitives

  private func taken(_ t: Tensor, at x: Tensor) -> Tensor {
    Tensor.record(.take(axis: 0), t.reshaped([t.count]), places(x), shape, t.dtype)
  }

  /// Where the largest elements are, in x as one row.
  private func places(_ x: Tensor) -> Tensor {
    let axes = window.size.count
    let winners = Tensor.record(.windowArgMax(window), x, shape, .int32)
    let plane = x.shape.suffix(axes).reduce(1, *)
    let type: DType = x.count <= Int(Int32.max) ? .int32 : .int64
    let front = Array(shape.dropLast(axes)) + [Int](repeating: 1, count: axes)
    let starts = Tensor.iota([front.product], axis: 0, dtype: type, device: x.device) * plane
    return winners.cast(to: type) + starts.reshaped(front)
  }
}
