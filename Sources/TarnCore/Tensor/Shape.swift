extension Collection where Element == Int {
  /// Number of elements of a tensor of this shape.
  package var product: Int { reduce(1, *) }
}

extension Array where Element == Int {
  /// Row-major strides in elements, for a tensor of this shape.
  package var rowMajorStrides: [Int] {
    var strides = [Int](repeating: 1, count: count)
    for axis in stride(from: count - 2, through: 0, by: -1) {
      strides[axis] = strides[axis + 1] * self[axis + 1]
    }
    return strides
  }

  /// The shape both broadcast to, aligned at the last axis; nil if there is none.
  package func broadcast(with other: [Int]) -> [Int]? {
    if self == other { return self }
    let rank = Swift.max(count, other.count)
    var result = [Int](repeating: 1, count: rank)
    for i in 0..<rank {
      let a = i < rank - count ? 1 : self[i - (rank - count)]
      let b = i < rank - other.count ? 1 : other[i - (rank - other.count)]
      guard a == b || a == 1 || b == 1 else { return nil }
      result[i] = a == 1 ? b : a
    }
    return result
  }

  /// All index tuples of a tensor of this shape, in row-major order.
  package func forEachIndex(_ body: ([Int]) throws -> Void) rethrows {
    guard product > 0 else { return }
    var index = [Int](repeating: 0, count: count)
    while true {
      try body(index)
      var axis = count - 1
      while axis >= 0 {
        index[axis] += 1
        if index[axis] < self[axis] { break }
        index[axis] = 0
        axis -= 1
      }
      if axis < 0 { return }
    }
  }
}
