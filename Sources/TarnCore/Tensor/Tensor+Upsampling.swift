/// How values between the given ones are found.
public enum Interpolation: Hashable, Sendable {
  /// The one whose cell it falls into: element ⌊i · s / t⌋.
  case nearest
  /// On a straight line between its neighbours along each axis. The elements are the centres of
  /// cells: position (i + ½) · s / t − ½; with `alignCorners` the first and the last are the ends:
  /// position i · (s − 1) / (t − 1).
  case bilinear(alignCorners: Bool = false)
}

extension Tensor {
  /// [N, C, s…] → [N, C, size…].
  ///
  /// ```swift
  /// let large = x.upsampled(to: [64, 64], mode: .bilinear())
  /// ```
  public func upsampled(to size: [Int], mode: Interpolation = .nearest) -> Tensor {
    if size.isEmpty || rank != size.count + 2 {
      return rejected(
        "upsampled", "\(size.count) sizes take a tensor with \(size.count + 2) axes",
        hint: Hint.missingBatch(shape, rank: size.count + 2))
    }
    if size.contains(where: { $0 < 1 }) || shape.dropFirst(2).contains(0) {
      return rejected(
        "upsampled", "sizes must be 1 or more", ["tensor \(shape)", "to     \(size)"])
    }
    if mode == .nearest { return nearest(size) }
    return size.enumerated().reduce(floating) { x, entry in
      let (axis, count) = (entry.offset + 2, entry.element)
      let length = x.shape[axis]
      if length == count { return x }
      return x.weighted(along: axis, to: count) { i in
        let position = mode.position(i, length, count)
        let before = Swift.min(Int(position), length - 1), after = Swift.min(before + 1, length - 1)
        let share = position - Double(before)
        return [(before, 1 - share), (after, share)]
      }
    }
  }

  /// Each spatial axis `factors` times as long. See ``upsampled(to:mode:)``.
  public func upsampled(by factors: [Int], mode: Interpolation = .nearest) -> Tensor {
    upsampled(to: zip(shape.dropFirst(2), factors).map { $0 * $1 }, mode: mode)
  }

  private func nearest(_ size: [Int]) -> Tensor {
    let spatial = shape.dropFirst(2)
    if zip(spatial, size).allSatisfy({ $1 % $0 == 0 }) {
      let apart = shape.prefix(2) + spatial.flatMap { [$0, 1] }
      let repeated = shape.prefix(2) + zip(spatial, size).flatMap { [$0, $1 / $0] }
      return Tensor.record(.broadcast, reshaped(Array(apart)), Array(repeated), dtype)
        .reshaped(shape.prefix(2) + size)
    }
    return size.enumerated().reduce(self) { x, entry in
      let (axis, count) = (entry.offset + 2, entry.element)
      let length = x.shape[axis]
      if length == count { return x }
      return x.take(
        Device.with(device) { Tensor((0..<count).map { $0 * length / count }) }, axis: axis)
    }
  }

  /// An axis replaced by `count` weighted sums of its elements: `terms` gives the (place, weight)
  /// of each.
  func weighted(along axis: Int, to count: Int, _ terms: (Int) -> [(Int, Double)]) -> Tensor {
    let length = shape[axis]
    var weights = [Double](repeating: 0, count: count * length)
    for i in 0..<count {
      for (place, weight) in terms(i) { weights[i * length + place] += weight }
    }
    let matrix = Device.with(device) {
      Tensor(HostArray(shape: [1, count, length], dtype: dtype, reals: weights))
    }
    let lines = movedAxis(axis, to: rank - 1)
    let front = Array(lines.shape.dropLast())
    return lines.reshaped([1, front.product, length]).times(matrix, transposeB: true)
      .reshaped(front + [count]).movedAxis(rank - 1, to: axis)
  }
}

extension Interpolation {
  /// Where output `i` of `count` lies among `length` elements.
  fileprivate func position(_ i: Int, _ length: Int, _ count: Int) -> Double {
    if self == .bilinear(alignCorners: true) {
      return count == 1 ? 0 : Double(i) * Double(length - 1) / Double(count - 1)
    }
    return max(0, (Double(i) + 0.5) * Double(length) / Double(count) - 0.5)
  }
}
