/// Reading and adding at places given by an integer tensor. Each is the other's adjoint.
extension Rule {
  /// x [a…, n, c…], indices [i…] → [a…, i…, c…]
  static let take = Rule.linear(
    vjp: { op, x, _, g in
      guard case .take(let axis) = op else { return [nil, nil] }
      return [Tensor.record(.scatterAdd(axis: axis), g, x[1], x[0].shape, g.dtype), nil]
    },
    batch: { op, x, batched, count, shape, dtype in
      guard case .take(let axis) = op else { return x[0] }
      let (x, indices) = (x[0], x[1])
      if !batched[1] {
        return Tensor.record(.take(axis: axis + 1), x, indices, [count] + shape, dtype)
      }
      var taken = shape
      taken.insert(count, at: axis)
      if !batched[0] {
        return Tensor.record(.take(axis: axis), x, indices, taken, dtype).movedAxis(axis, to: 0)
      }
      let merged = merge(x, indices, axis)
      return Tensor.record(.take(axis: axis), merged.x, merged.indices, taken, dtype)
        .movedAxis(axis, to: 0)
    },
    reference: { op, x, shape, dtype in
      guard case .take(let axis) = op else { return x[0] }
      let length = x[0].shape[axis]
      let chosen = try x[1].integers.map { try place(of: $0, length: length, axis: axis, "take") }
      let outer = x[0].shape[..<axis].reduce(1, *), inner = x[0].shape[(axis + 1)...].reduce(1, *)
      var places: [Int] = []
      for o in 0..<outer {
        for c in chosen { places += (0..<inner).map { (o * length + c) * inner + $0 } }
      }
      return x[0].gathering(places, shape: shape)
    })

  /// updates [a…, i…, c…], indices [i…] → [a…, n, c…]
  static let scatterAdd = Rule.linear(
    vjp: { op, x, _, g in
      guard case .scatterAdd(let axis) = op else { return [nil, nil] }
      return [Tensor.record(.take(axis: axis), g, x[1], x[0].shape, g.dtype), nil]
    },
    batch: { op, x, batched, count, shape, dtype in
      guard case .scatterAdd(let axis) = op else { return x[0] }
      let indices = x[1]
      if !batched[1] {
        return Tensor.record(.scatterAdd(axis: axis + 1), x[0], indices, [count] + shape, dtype)
      }
      let updates = batched[0] ? x[0] : Batching.repeated(x[0], count)
      var result = shape
      result[axis] *= count
      let sums = Tensor.record(
        .scatterAdd(axis: axis), updates.movedAxis(0, to: axis), offset(indices, shape[axis]),
        result,
        dtype)
      result[axis] = shape[axis]
      result.insert(count, at: axis)
      return sums.reshaped(result).movedAxis(axis, to: 0)
    },
    reference: { op, x, shape, dtype in
      guard case .scatterAdd(let axis) = op else { return x[0] }
      let length = shape[axis]
      let chosen = try x[1].integers.map {
        try place(of: $0, length: length, axis: axis, "scatterAdd")
      }
      let outer = shape[..<axis].reduce(1, *), inner = shape[(axis + 1)...].reduce(1, *)
      func sums<Number: Numeric>(_ updates: [Number], _ add: (Number, Number) -> Number) -> [Number]
      {
        var sums = [Number](repeating: 0, count: shape.product)
        var next = 0
        for o in 0..<outer {
          for c in chosen {
            for i in 0..<inner {
              let place = (o * length + c) * inner + i
              sums[place] = add(sums[place], updates[next])
              next += 1
            }
          }
        }
        return sums
      }
      return switch x[0].values {
      case .reals(let updates): HostArray(shape: shape, dtype: dtype, reals: sums(updates, +))
      case .integers(let updates):
        HostArray(shape: shape, dtype: dtype, integers: sums(updates, &+))
      }
    })

  /// [b, a…, n, c…] and [b, i…] as one tensor [a…, b · n, c…] and the indices into its merged axis.
  private static func merge(_ x: Tensor, _ indices: Tensor, _ axis: Int) -> (
    x: Tensor, indices: Tensor
  ) {
    let length = x.shape[axis + 1]
    var shape = Array(x.shape.dropFirst())
    shape[axis] *= x.shape[0]
    return (x.movedAxis(0, to: axis).reshaped(shape), offset(indices, length))
  }

  /// Indices [b, i…] into axes of `length` as indices into the b axes one after another. One that
  /// is out of its own axis is put out of all of them, so that it is still found.
  private static func offset(_ indices: Tensor, _ length: Int) -> Tensor {
    let i = indices.cast(to: .int64)
    let all = indices.shape[0] * length
    let start = Tensor.iota(i.shape, axis: 0, device: i.device) * length
    let within = start + which(i .< 0, i + length, i)
    return which(i .< -length, i - all, which(i .< length, within, i + all))
  }

  /// Where `index` points, counted from the end if negative.
  private static func place(of index: Int64, length: Int, axis: Int, _ operation: String) throws
    -> Int
  {
    let place = index < 0 ? Int(index) + length : Int(index)
    guard (0..<length).contains(place) else {
      throw Diagnostic(
        operation: operation,
        reason: "index \(index) is out of range for axis \(axis) of length \(length)",
        hint: length > 0 ? "indices go from \(-length) to \(length - 1)" : nil)
    }
    return place
  }
}
