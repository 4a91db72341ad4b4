import TarnData

/// Elements that lie at regular steps in a storage, put into row-major order.
struct StridedCopy {
  /// Bytes of an element.
  let size: Int
  /// In elements.
  let offset: Int
  let shape: [Int]
  /// In elements, for each axis.
  let strides: [Int]

  /// The strides of row-major order.
  static func rowMajor(_ shape: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * max(shape[axis + 1], 1)
    }
    return strides
  }

  /// One past the last element that is touched, or nil where that does not fit an `Int`.
  var end: Int? {
    if shape.contains(0) { return offset }
    var last = offset
    for (length, stride) in zip(shape, strides) {
      guard let step = checkedProduct(length - 1, stride), let next = checkedSum(last, step) else {
        return nil
      }
      last = next
    }
    return checkedSum(last, 1)
  }

  /// Whether the elements lie in row-major order without gaps. The stride of an axis of length 1 does not matter.
  var isContiguous: Bool {
    zip(shape, zip(strides, Self.rowMajor(shape))).allSatisfy { $0 == 1 || $1.0 == $1.1 }
      || shape.contains(0)
  }

  /// Copies the elements. All must lie within `bytes`, see ``end``.
  func gathered(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    let count = shape.reduce(size, *)
    guard count > 0 else { return [] }
    let inner = shape.last ?? 1
    let innerStep = (strides.last ?? 1) * size
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      let output = UnsafeMutableRawBufferPointer(buffer)
      var index = [Int](repeating: 0, count: max(shape.count - 1, 0))
      var source = offset * size
      for row in stride(from: 0, to: count, by: inner * size) {
        for i in 0..<inner {
          for byte in 0..<size {
            output[row + i * size + byte] = bytes[source + i * innerStep + byte]
          }
        }
        advance(&index, &source)
      }
      filled = count
    }
  }

  /// To the next row: the index of all axes but the last, counted up.
  private func advance(_ index: inout [Int], _ source: inout Int) {
    var axis = index.count - 1
    while axis >= 0 {
      index[axis] += 1
      source += strides[axis] * size
      if index[axis] < shape[axis] { return }
      source -= index[axis] * strides[axis] * size
      index[axis] = 0
      axis -= 1
    }
  }
}
