extension Tensor {
  /// The elements at `indices` along `axis`, which is replaced by the axes of `indices`: x[:, …, indices, …].
  ///
  /// Indices are integers; negative ones count from the end. One past an end is an error when the result is computed.
  public func take(_ indices: Tensor, axis: Int = 0) -> Tensor {
    guard let axis = resolve(axis, in: "take"), accepts(indices, "take") else { return self }
    let shape = shape.replacing(at: axis, with: indices.shape)
    return .record(.take(axis: axis), self, indices, shape, dtype)
  }

  /// The elements at whole numbers along the first axis: `words[Tensor([3, 1])]`; or those where a mask is true.
  ///
  /// A mask has the first lengths of this tensor's shape; it is evaluated, as its number of trues is the result's length.
  public subscript(_ indices: Tensor) -> Tensor {
    indices.dtype == .bool ? masked(indices) : take(indices)
  }

  /// Indices must be integers. Reports if they are not.
  private func accepts(_ indices: Tensor, _ operation: String) -> Bool {
    if indices.dtype.isInteger { return true }
    _ = rejected(
      operation, "indices must be integers",
      ["tensor  \(shape)", "indices \(indices.shape) of \(indices.dtype)"],
      hint: indices.dtype == .bool ? "to select by a mask, write x[mask]" : "call .cast(to: .int64)"
    )
    return false
  }

  /// For each place of `indices`, the element of this at that place with its index along `axis` replaced:
  /// y[i, j] = x[i, indices[i, j]] for axis 1.
  ///
  /// `indices` [...] has this tensor's rank, and lengths no larger than its own off the axis.
  public func takeAlong(_ indices: Tensor, axis: Int) -> Tensor {
    guard let axis = resolve(axis, in: "takeAlong"), accepts(indices, "takeAlong") else {
      return self
    }
    let wanted = indices.shape
    guard wanted.count == rank,
      shape.indices.allSatisfy({ $0 == axis || wanted[$0] <= shape[$0] })
    else {
      return rejected(
        "takeAlong", "indices must have the tensor's lengths, but along axis \(axis)",
        ["tensor  \(shape)", "indices \(wanted)"],
        hint: wanted.count == rank - 1
          ? "for one element a row, call .expandedDims(\(axis)) on the indices" : nil, as: wanted)
    }
    let index = indices.cast(to: .int64)
    var flat = which(index .< 0, index + shape[axis], index)
    let strides = shape.rowMajorStrides
    if strides[axis] != 1 { flat = flat * strides[axis] }
    for other in 0..<rank where other != axis && wanted[other] > 1 {
      flat = flat + Tensor.iota(wanted, axis: other, device: device) * strides[other]
    }
    return reshaped([count]).take(flat)
  }

  /// This with `updates` added at `indices` along `axis`; an index that comes twice adds twice.
  ///
  /// `updates` broadcast to this shape with the axis replaced by the axes of `indices`.
  public func scatterAdded(_ updates: Tensor, at indices: Tensor, axis: Int = 0) -> Tensor {
    self + .scatterAdd(updates.cast(to: dtype), at: indices, axis: axis, into: shape)
  }

  /// Zeros of `shape` with `updates` added at `indices` along `axis`: the adjoint of ``take(_:axis:)``.
  public static func scatterAdd(
    _ updates: Tensor, at indices: Tensor, axis: Int = 0, into shape: [Int]
  ) -> Tensor {
    let zeros = Tensor.full(shape, .integer(0), dtype: updates.dtype, device: updates.device)
    guard let axis = zeros.resolve(axis, in: "scatterAdd"), zeros.accepts(indices, "scatterAdd")
    else { return zeros }
    let wanted = shape.replacing(at: axis, with: indices.shape)
    guard updates.shape.broadcast(with: wanted) == wanted else {
      return zeros.rejected(
        "scatterAdd", "the updates do not fit the places they go to",
        ["updates \(updates.shape)", "places  \(wanted)"],
        hint: Hint.stretch(updates.shape, to: wanted))
    }
    return .record(
      .scatterAdd(axis: axis), updates.stretched(to: wanted), indices, shape, updates.dtype)
  }

  /// The elements where `mask` is true, [trues] + the axes the mask does not have.
  private func masked(_ mask: Tensor) -> Tensor {
    let rest = Array(shape.dropFirst(mask.rank))
    guard Array(shape.prefix(mask.rank)) == mask.shape else {
      return rejected(
        "subscript", "the mask does not have the first lengths of the tensor's shape",
        ["tensor \(shape)", "mask   \(mask.shape)"], as: [0] + rest)
    }
    let places = mask.array(of: Bool.self).indices { $0 }
    return reshaped([mask.count] + rest).take(Tensor.indices(places, on: device))
  }

  /// Where the elements are not 0: one row of indices for each, `int64` [n, rank]. Evaluates the tensor.
  public func nonZero() -> Tensor {
    let strides = shape.rowMajorStrides
    let places = array(of: Bool.self).indices { $0 }
    let rows = places.flatMap { place in
      shape.indices.map { Int64(place / strides[$0] % shape[$0]) }
    }
    return rows.withUnsafeBytes {
      .host($0, shape: [places.count, rank], dtype: .int64, device: device)
    }
  }

  private static func indices(_ places: [Int], on device: Device) -> Tensor {
    places.withUnsafeBytes { .host($0, shape: [places.count], dtype: .int64, device: device) }
  }
}

extension Array {
  /// The places of the elements that pass the test.
  fileprivate func indices(where isWanted: (Element) -> Bool) -> [Int] {
    indices.filter { isWanted(self[$0]) }
  }
}

// Matrices, the last two axes.
extension Tensor {
  /// [..., m, n] with zeros above the diagonal, or above the k-th one over it.
  public func lowerTriangle(k: Int = 0) -> Tensor {
    triangle("lowerTriangle") { row, column in column .<= row + k }
  }

  /// [..., m, n] with zeros below the diagonal, or below the k-th one over it.
  public func upperTriangle(k: Int = 0) -> Tensor {
    triangle("upperTriangle") { row, column in column .>= row + k }
  }

  private func triangle(_ name: String, _ isKept: (Tensor, Tensor) -> Tensor) -> Tensor {
    guard isMatrix(name) else { return self }
    let size = Array(shape.suffix(2))
    let row = Tensor.iota(size, axis: 0, device: device)
    let column = Tensor.iota(size, axis: 1, device: device)
    return which(isKept(row, column), self, filled(.integer(0)))
  }

  /// The diagonal of [..., m, n]: [..., min(m, n)].
  public func diagonal() -> Tensor {
    guard isMatrix("diagonal") else { return self }
    let (rows, columns) = (shape[rank - 2], shape[rank - 1])
    let length = Swift.min(rows, columns)
    let flat = flattened(from: -2)
    if length == 0 { return flat.narrowed(rank - 2, from: 0, to: 0) }
    let step = columns + 1
    return flat.narrowed(rank - 2, from: 0, to: (length - 1) * step + 1, by: step)
  }

  /// Square matrices with the vectors [..., n] on their diagonals and zeros elsewhere, [..., n, n].
  public static func diagonal(of vector: Tensor) -> Tensor {
    guard let n = vector.shape.last else {
      return vector.rejected("diagonal(of:)", "a scalar is no vector", as: [1, 1])
    }
    let batch = Array(vector.shape.dropLast())
    let margins = batch.map { _ in Margin() } + [Margin(interior: n)]
    return Tensor.record(.pad(margins), vector, batch + [n * n], vector.dtype)
      .reshaped(batch + [n, n])
  }

  private func isMatrix(_ operation: String) -> Bool {
    if rank >= 2 { return true }
    _ = rejected(operation, "a matrix has two axes or more")
    return false
  }
}
