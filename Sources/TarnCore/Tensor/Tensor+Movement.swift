extension Tensor {
  /// The same elements in row-major order under another shape; one length may be −1, to be worked out.
  public func reshaped(_ shape: [Int]) -> Tensor {
    guard let shape = completed(shape) else { return rejectedShape(shape) }
    if shape == self.shape { return self }
    if case .full(let value) = node.op {
      return .full(shape, value, dtype: dtype, device: device)
    }
    return .record(.reshape, self, shape, dtype)
  }

  /// As ``reshaped(_:)-([Int])``: `x.reshaped(-1, 28, 28)`.
  public func reshaped(_ lengths: Int...) -> Tensor { reshaped(lengths) }

  /// The shape with its −1 worked out; nil if it does not hold `count` elements.
  private func completed(_ shape: [Int]) -> [Int]? {
    guard let hole = shape.firstIndex(of: -1) else {
      return shape.checkedProduct == count ? shape : nil
    }
    var shape = shape
    shape[hole] = 1
    guard let others = shape.checkedProduct, others > 0, count % others == 0 else { return nil }
    shape[hole] = count / others
    return shape
  }

  private func rejectedShape(_ shape: [Int]) -> Tensor {
    rejected(
      "reshaped", "\(count) elements do not fill the new shape",
      ["tensor \(self.shape)", "shape  \(shape)"], hint: Hint.reshape(count, to: shape),
      as: shape.contains { $0 < 0 } ? self.shape : shape)
  }

  /// Axes `from` to `to` as one: [32, 28, 28].flattened(from: 1) is [32, 784].
  public func flattened(from: Int = 0, to: Int = -1) -> Tensor {
    if rank == 0 { return reshaped([1]) }
    guard let first = resolve(from, in: "flattened"), let last = resolve(to, in: "flattened") else {
      return self
    }
    guard first <= last else {
      return rejected("flattened", "axis \(from) comes after axis \(to)")
    }
    return reshaped(
      Array(shape[..<first]) + [Array(shape[first...last]).product] + Array(shape[(last + 1)...]))
  }

  /// Output axis i is input axis `axes[i]`: `images.permuted([0, 3, 1, 2])`.
  public func permuted(_ axes: [Int]) -> Tensor {
    guard axes.count == rank else {
      return rejected(
        "permuted", "\(axes.count) axes given for \(rank)",
        ["tensor \(shape)", "axes   \(axes)"])
    }
    let order = axes.map { $0 < 0 ? $0 + rank : $0 }
    guard resolve(axes, in: "permuted") != nil else { return self }
    if order == Array(0..<rank) { return self }
    return .record(.permute(order), self, order.map { shape[$0] }, dtype)
  }

  /// As ``permuted(_:)-([Int])``: `images.permuted(0, 3, 1, 2)`.
  public func permuted(_ axes: Int...) -> Tensor { permuted(axes) }

  /// The last two axes exchanged: [..., m, n] to [..., n, m].
  public func transposed() -> Tensor {
    guard rank >= 2 else {
      return rejected(
        "transposed", "a matrix has two axes or more",
        hint: rank == 1 ? "for a column, call .expandedDims(1)" : nil)
    }
    return transposed(-2, -1)
  }

  /// Axes `i` and `j` exchanged: [2, 3, 4] → [4, 3, 2] for 0 and 2.
  public func transposed(_ i: Int, _ j: Int) -> Tensor {
    guard let i = resolve(i, in: "transposed"), let j = resolve(j, in: "transposed") else {
      return self
    }
    var order = Array(0..<rank)
    order.swapAt(i, j)
    return permuted(order)
  }

  /// Axes of length 1 repeated, and axes added in front, to reach `shape` (aligned at the last axis).
  public func broadcast(to shape: [Int]) -> Tensor {
    guard shape.checkedProduct != nil, self.shape.broadcast(with: shape) == shape else {
      return rejected(
        "broadcast", "the tensor does not stretch to the shape",
        ["tensor \(self.shape)", "shape  \(shape)"], hint: Hint.stretch(self.shape, to: shape),
        as: shape)
    }
    return stretched(to: shape)
  }

  /// Without all axes of length 1.
  public func squeezed() -> Tensor { reshaped(shape.filter { $0 != 1 }) }

  /// Without one axis, which has length 1.
  public func squeezed(_ axis: Int) -> Tensor {
    guard let axis = resolve(axis, in: "squeezed") else { return self }
    guard shape[axis] == 1 else {
      return rejected(
        "squeezed", "axis \(axis) has length \(shape[axis]), not 1",
        hint: "to take one element of it, write x[…, i]", as: shape.removing(at: [axis]))
    }
    return reshaped(shape.removing(at: [axis]))
  }

  /// With a new axis of length 1 that will be `axis`: [3].expandedDims(0) is [1, 3], of −1 [3, 1].
  public func expandedDims(_ axis: Int) -> Tensor {
    guard let axis = resolve(axis, rank: rank + 1, in: "expandedDims") else { return self }
    var shape = shape
    shape.insert(1, at: axis)
    return reshaped(shape)
  }

  /// The order along these axes reversed; along all of them if none is named.
  public func flipped(_ axes: [Int]? = nil) -> Tensor {
    guard let axes = resolve(axes, in: "flipped"), !axes.isEmpty else { return self }
    return .record(.flip(axes), self, shape, dtype)
  }

  /// As ``flipped(_:)-([Int]?)``: `images.flipped(-1)`.
  public func flipped(_ axis: Int, _ more: Int...) -> Tensor { flipped([axis] + more) }

  /// Elements moved `shift` places towards the end of `axis`; those that leave come in at its start.
  public func rolled(by shift: Int, axis: Int) -> Tensor {
    guard let axis = resolve(axis, in: "rolled") else { return self }
    let length = shape[axis]
    guard length > 0 else { return self }
    let cut = length - ((shift % length) + length) % length
    if cut == length { return self }
    return .concatenated(
      [narrowed(axis, from: cut, to: length), narrowed(axis, from: 0, to: cut)], axis: axis)
  }

  /// Every element along `axis` `count` times in a row: [a, b] to [a, a, b, b].
  public func repeated(_ count: Int, axis: Int) -> Tensor {
    guard let axis = resolve(axis, in: "repeated") else { return self }
    let longer = expandedDims(axis + 1)
    var wide = longer.shape
    wide[axis + 1] = count
    guard wide.checkedProduct != nil else {
      return rejected("repeated", "cannot repeat \(count) times")
    }
    var shape = shape
    shape[axis] *= count
    return longer.stretched(to: wide).reshaped(shape)
  }

  /// The whole tensor side by side with itself, `counts[i]` times along axis i: [a, b] by 2 to [a, b, a, b].
  public func tiled(_ counts: [Int]) -> Tensor {
    guard counts.count == rank, (counts + shape).checkedProduct != nil else {
      return rejected(
        "tiled", "one count of 0 or more is wanted for each axis",
        ["tensor \(shape)", "counts \(counts)"])
    }
    let pairs = zip(counts, shape).map { [$0, $1] }
    return reshaped(shape.flatMap { [1, $0] }).stretched(to: Array(pairs.joined()))
      .reshaped(pairs.map(\.product))
  }

  /// Elements `from ..< to` along a resolved axis; the range is known to fit.
  package func narrowed(_ axis: Int, from: Int, to: Int, by step: Int = 1) -> Tensor {
    if from == 0 && to == shape[axis] && step == 1 { return self }
    var strides = shape.map { Stride(0, $0) }
    strides[axis] = Stride(from, to, step: step)
    return sliced(strides)
  }

  /// The primitive slice; the strides are known to fit.
  package func sliced(_ strides: [Stride]) -> Tensor {
    let lengths = strides.map(\.count)
    let isWhole =
      lengths == shape
      && zip(strides, shape).allSatisfy { $0.start == 0 && $0.step == 1 || $1 == 0 }
    return isWhole ? self : .record(.slice(strides), self, lengths, dtype)
  }
}
