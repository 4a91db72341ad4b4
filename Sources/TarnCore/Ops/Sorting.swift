/// Order along one axis, and running sums. NaN counts as the largest number.
extension Rule {
  static let argsort = Rule.constant(
    batch: { op, x, _, count, shape, dtype in
      guard case .argsort(let axis, let descending) = op else { return x[0] }
      return Tensor.record(
        .argsort(axis: axis + 1, descending: descending), x[0], [count] + shape, dtype)
    },
    reference: { op, x, shape, dtype in
      guard case .argsort(let axis, let descending) = op else { return x[0] }
      let precedes = x[0].ordering
      var order = [Int64](repeating: 0, count: shape.product)
      for line in x[0].shape.lines(along: axis) {
        let sorted = line.indices.sorted { i, j in
          let (a, b) = descending ? (line[j], line[i]) : (line[i], line[j])
          return precedes(a, b) || (!precedes(b, a) && i < j)
        }
        for (place, index) in zip(line, sorted) { order[place] = Int64(index) }
      }
      return HostArray(shape: shape, dtype: dtype, integers: order)
    })

  static let argReduce = Rule.constant(
    batch: { op, x, _, count, shape, dtype in
      guard case .argReduce(let kind, let axis) = op else { return x[0] }
      return Tensor.record(.argReduce(kind, axis: axis + 1), x[0], [count] + shape, dtype)
    },
    reference: { op, x, shape, dtype in
      guard case .argReduce(let kind, let axis) = op else { return x[0] }
      let precedes = x[0].ordering, isNaN = x[0].isNaN
      let winners = x[0].shape.lines(along: axis).map { line in
        var best = 0
        for i in line.indices.dropFirst() where !isNaN(line[best]) {
          let wins =
            kind == .maximum ? precedes(line[best], line[i]) : precedes(line[i], line[best])
          if wins || isNaN(line[i]) { best = i }
        }
        return Int64(best)
      }
      return HostArray(shape: shape, dtype: dtype, integers: winners)
    })

  static let cumulativeSum = Rule.linear(
    vjp: { op, x, _, g in
      guard case .cumulativeSum(let axis, let reverse) = op else { return [nil] }
      return [Tensor.record(.cumulativeSum(axis: axis, reverse: !reverse), g, g.shape, g.dtype)]
    },
    batch: { op, x, _, count, shape, dtype in
      guard case .cumulativeSum(let axis, let reverse) = op else { return x[0] }
      return Tensor.record(
        .cumulativeSum(axis: axis + 1, reverse: reverse), x[0], [count] + shape, dtype)
    },
    reference: { op, x, shape, dtype in
      guard case .cumulativeSum(let axis, let reverse) = op else { return x[0] }
      func running<Number: Numeric>(_ x: [Number], _ add: (Number, Number) -> Number) -> [Number] {
        var sums = x
        for line in shape.lines(along: axis) {
          var sum: Number = 0
          for place in reverse ? line.reversed() : line {
            sum = add(sum, x[place])
            sums[place] = sum
          }
        }
        return sums
      }
      return switch x[0].values {
      case .reals(let x): HostArray(shape: shape, dtype: dtype, reals: running(x, +))
      case .integers(let x): HostArray(shape: shape, dtype: dtype, integers: running(x, &+))
      }
    })
}

extension HostArray {
  /// Whether the element at one place is smaller than that at another; NaN is the largest.
  fileprivate var ordering: (Int, Int) -> Bool {
    switch values {
    case .integers(let x): { x[$0] < x[$1] }
    case .reals(let x): { x[$1].isNaN ? !x[$0].isNaN : x[$0] < x[$1] }
    }
  }

  fileprivate var isNaN: (Int) -> Bool {
    switch values {
    case .integers: { _ in false }
    case .reals(let x): { x[$0].isNaN }
    }
  }
}

extension [Int] {
  /// The flat places of each line along `axis` of a tensor of this shape, in row-major order of the
  /// other axes.
  fileprivate func lines(along axis: Int) -> [[Int]] {
    let step = rowMajorStrides[axis]
    var starts: [Int] = []
    for outer in 0..<self[..<axis].reduce(1, *) {
      for inner in 0..<step { starts.append(outer * self[axis] * step + inner) }
    }
    return starts.map { start in (0..<self[axis]).map { start + $0 * step } }
  }
}
