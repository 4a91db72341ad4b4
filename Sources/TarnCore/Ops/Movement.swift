extension Rule {
  static let reshape = Rule.linear(
    vjp: { _, x, _, g in [Tensor.record(.reshape, g, x[0].shape, g.dtype)] },
    batch: { op, x, _, size, shape, dtype in Tensor.record(op, x[0], [size] + shape, dtype) },
    reference: { _, x, shape, _ in x[0].gathering(Array(0..<shape.product), shape: shape) })

  static let permute = Rule.linear(
    vjp: { op, x, _, g in
      guard case .permute(let axes) = op else { return [nil] }
      return [Tensor.record(.permute(axes.inversePermutation), g, x[0].shape, g.dtype)]
    },
    batch: { op, x, _, size, shape, dtype in
      guard case .permute(let axes) = op else { return x[0] }
      return Tensor.record(.permute([0] + axes.map { $0 + 1 }), x[0], [size] + shape, dtype)
    },
    reference: { op, x, shape, _ in
      guard case .permute(let axes) = op else { return x[0] }
      let strides = x[0].shape.rowMajorStrides
      var places: [Int] = []
      shape.forEachIndex { index in
        places.append(zip(index, axes).reduce(0) { $0 + $1.0 * strides[$1.1] })
      }
      return x[0].gathering(places, shape: shape)
    })

  static let broadcast = Rule.linear(
    vjp: { _, x, y, g in
      let axes = x[0].shape.indices.filter { x[0].shape[$0] != y.shape[$0] }
      return [Tensor.record(.reduce(.sum, axes: axes), g, x[0].shape, g.dtype)]
    },
    batch: { op, x, _, size, shape, dtype in Tensor.record(op, x[0], [size] + shape, dtype) },
    reference: { _, x, shape, _ in
      let source = x[0].shape
      let strides = source.rowMajorStrides
      var places: [Int] = []
      shape.forEachIndex { index in
        places.append(
          index.indices.reduce(0) { $0 + (source[$1] == 1 ? 0 : index[$1] * strides[$1]) })
      }
      return x[0].gathering(places, shape: shape)
    })

  static let slice = Rule.linear(
    vjp: { op, x, _, g in
      guard case .slice(let ranges) = op else { return [nil] }
      let margins = zip(ranges, x[0].shape).map { range, count in
        range.count == 0
          ? Margin(count)
          : Margin(
            range.start, count - (range.start + (range.count - 1) * range.step + 1),
            interior: range.step - 1)
      }
      return [Tensor.record(.pad(margins), g, x[0].shape, g.dtype)]
    },
    batch: { op, x, _, size, shape, dtype in
      guard case .slice(let ranges) = op else { return x[0] }
      return Tensor.record(.slice([Stride(0, size)] + ranges), x[0], [size] + shape, dtype)
    },
    reference: { op, x, shape, _ in
      guard case .slice(let ranges) = op else { return x[0] }
      let strides = x[0].shape.rowMajorStrides
      var places: [Int] = []
      shape.forEachIndex { index in
        places.append(
          index.indices.reduce(0) {
            $0 + (ranges[$1].start + index[$1] * ranges[$1].step) * strides[$1]
          })
      }
      return x[0].gathering(places, shape: shape)
    })

  static let pad = Rule.linear(
    vjp: { op, x, _, g in
      guard case .pad(let margins) = op else { return [nil] }
      // What negative margins cropped away is put back as zeros before the slice.
      let crops = margins.map { Margin(max(-$0.low, 0), max(-$0.high, 0)) }
      let grown = zip(crops, g.shape).map { $0.padded($1) }
      let whole = Tensor.record(.pad(crops), g, grown, g.dtype)
      let ranges = zip(margins, x[0].shape).map { margin, count in
        let start = max(margin.low, 0)
        return Stride(
          start, start + max(count - 1, 0) * (margin.interior + 1) + min(count, 1),
          step: margin.interior + 1)
      }
      return [Tensor.record(.slice(ranges), whole, x[0].shape, g.dtype)]
    },
    batch: { op, x, _, size, shape, dtype in
      guard case .pad(let margins) = op else { return x[0] }
      return Tensor.record(.pad([Margin()] + margins), x[0], [size] + shape, dtype)
    },
    reference: { op, x, shape, _ in
      guard case .pad(let margins) = op else { return x[0] }
      let source = x[0].shape
      let strides = source.rowMajorStrides
      var places: [Int?] = []
      shape.forEachIndex { index in
        var place: Int? = 0
        for axis in index.indices {
          let offset = index[axis] - margins[axis].low
          let (quotient, remainder) = offset.quotientAndRemainder(
            dividingBy: margins[axis].interior + 1)
          guard offset >= 0, remainder == 0, quotient < source[axis] else {
            place = nil
            break
          }
          place = place.map { $0 + quotient * strides[axis] }
        }
        places.append(place)
      }
      return x[0].gathering(places, shape: shape)
    })

  static let concatenate = Rule(
    vjp: { op, x, _, g in
      guard case .concatenate(let axis) = op else { return [] }
      var start = 0
      return x.map { part in
        var ranges = g.shape.map { Stride(0, $0) }
        ranges[axis] = Stride(start, start + part.shape[axis])
        start += part.shape[axis]
        return Tensor.record(.slice(ranges), g, part.shape, g.dtype)
      }
    },
    jvp: { op, x, y, t in
      if t.allSatisfy({ $0 == nil }) { return nil }
      return Tensor.record(op, zip(x, t).map { $1 ?? Tensor.full(like: $0, 0) }, y.shape, y.dtype)
    },
    batch: { op, x, isBatched, size, shape, dtype in
      guard case .concatenate(let axis) = op else { return x[0] }
      return Tensor.record(
        .concatenate(axis: axis + 1), Batching.lift(x, isBatched, size), [size] + shape, dtype)
    },
    reference: { op, x, shape, dtype in
      guard case .concatenate(let axis) = op else { return x[0] }
      var scalars: [Scalar] = []
      let owner = x.indices.flatMap { part in (0..<x[part].shape[axis]).map { (part, $0) } }
      shape.forEachIndex { index in
        let (part, offset) = owner[index[axis]]
        var place = 0
        for (i, stride) in x[part].shape.rowMajorStrides.enumerated() {
          place += (i == axis ? offset : index[i]) * stride
        }
        scalars.append(x[part].scalar(place))
      }
      return HostArray(shape: shape, dtype: dtype, scalars: scalars)
    })

  static let flip = Rule.linear(
    vjp: { op, x, _, g in [Tensor.record(op, g, x[0].shape, g.dtype)] },
    batch: { op, x, _, size, shape, dtype in
      guard case .flip(let axes) = op else { return x[0] }
      return Tensor.record(.flip(axes.map { $0 + 1 }), x[0], [size] + shape, dtype)
    },
    reference: { op, x, shape, _ in
      guard case .flip(let axes) = op else { return x[0] }
      let strides = shape.rowMajorStrides
      var places: [Int] = []
      shape.forEachIndex { index in
        places.append(
          index.indices.reduce(0) {
            $0 + (axes.contains($1) ? shape[$1] - 1 - index[$1] : index[$1]) * strides[$1]
          })
      }
      return x[0].gathering(places, shape: shape)
    })
}

extension Array where Element == Int {
  /// The permutation that undoes this one.
  package var inversePermutation: [Int] {
    var inverse = self
    for (i, axis) in enumerated() { inverse[axis] = i }
    return inverse
  }
}

extension HostArray {
  /// One element, by its place in row-major order.
  package func scalar(_ place: Int) -> Scalar {
    switch values {
    case .reals(let reals): .real(reals[place])
    case .integers(let integers): .integer(integers[place])
    }
  }
}
