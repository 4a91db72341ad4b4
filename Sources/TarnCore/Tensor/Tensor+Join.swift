extension Tensor {
  /// Tensors one after another along `axis`, [2, 3] and [4, 3] → [6, 3]; the other axes agree, types promote.
  public static func concatenated(_ tensors: [Tensor], axis: Int = 0) -> Tensor {
    guard let first = tensors.first else { return nothing("concatenated") }
    if tensors.count == 1 {
      return first.resolve(axis, in: "concatenated").map { _ in first } ?? first
    }
    guard let axis = first.resolve(axis, in: "concatenated") else { return first }
    let rest = first.shape.removing(at: [axis])
    for (i, tensor) in tensors.enumerated()
    where tensor.rank != first.rank || tensor.shape.removing(at: [axis]) != rest {
      return first.rejected(
        "concatenated", "shapes differ elsewhere than along axis \(axis)",
        ["tensor 0 \(first.shape)", "tensor \(i) \(tensor.shape)"],
        hint: tensor.rank == first.rank - 1
          ? "to make a new axis of single tensors, use Tensor.stacked" : nil)
    }
    let dtype = tensors.dropFirst().reduce(first.dtype) { DType.promoted($0, $1.dtype) }
    var shape = first.shape
    shape[axis] = tensors.reduce(0) { $0 + $1.shape[axis] }
    return record(.concatenate(axis: axis), tensors.map { $0.cast(to: dtype) }, shape, dtype)
  }

  /// Tensors of one shape side by side along a new axis, n of [3, 4] → [n, 3, 4].
  public static func stacked(_ tensors: [Tensor], axis: Int = 0) -> Tensor {
    guard let first = tensors.first else { return nothing("stacked") }
    guard let axis = first.resolve(axis, rank: first.rank + 1, in: "stacked") else { return first }
    if let i = tensors.firstIndex(where: { $0.shape != first.shape }) {
      var shape = first.shape
      shape.insert(tensors.count, at: axis)
      return first.rejected(
        "stacked", "shapes differ",
        ["tensor 0 \(first.shape)", "tensor \(i) \(tensors[i].shape)"],
        hint: "to put tensors of different lengths after one another, use Tensor.concatenated",
        as: shape)
    }
    return concatenated(tensors.map { $0.expandedDims(axis) }, axis: axis)
  }

  private static func nothing(_ operation: String) -> Tensor {
    Diagnostic.report(
      Diagnostic(operation: operation, reason: "no tensors were given"), poison: [0])
  }

  /// Pieces of these lengths along `axis`, which they fill.
  public func split(sizes: [Int], axis: Int = 0) -> [Tensor] {
    guard let axis = resolve(axis, in: "split") else { return sizes.map { _ in self } }
    guard sizes.allSatisfy({ $0 >= 0 }), sizes.reduce(0, +) == shape[axis] else {
      return sizes.map { size in
        rejected(
          "split", "the sizes do not add up to the length of axis \(axis)",
          ["tensor \(shape)", "sizes  \(sizes)"],
          as: shape.replacing(at: axis, with: [Swift.max(size, 0)]))
      }
    }
    var start = 0
    return sizes.map { size in
      defer { start += size }
      return narrowed(axis, from: start, to: start + size)
    }
  }

  /// `count` equal pieces along `axis`, whose length must be a multiple of it.
  public func split(_ count: Int, axis: Int = 0) -> [Tensor] {
    guard let axis = resolve(axis, in: "split") else { return [self] }
    guard count > 0, shape[axis] % count == 0 else {
      return [
        rejected(
          "split", "axis \(axis) does not divide into \(count) equal pieces",
          hint: "use .chunked(size) for pieces with a shorter last one")
      ]
    }
    return split(sizes: [Int](repeating: shape[axis] / count, count: count), axis: axis)
  }

  /// Pieces of `size` along `axis`, the last one shorter if need be.
  public func chunked(_ size: Int, axis: Int = 0) -> [Tensor] {
    guard let axis = resolve(axis, in: "chunked") else { return [self] }
    guard size > 0 else { return [rejected("chunked", "the size must be above 0, not \(size)")] }
    return stride(from: 0, to: shape[axis], by: size).map {
      narrowed(axis, from: $0, to: Swift.min($0 + size, shape[axis]))
    }
  }
}
