/// What rules build their answers from: primitives recorded without the checks of the public functions.
extension Tensor {
  /// A leaf on this tensor's device.
  func leaf(_ op: Op, _ shape: [Int], _ dtype: DType) -> Tensor {
    Device.with(device) { Tensor.record(op, [], shape, dtype) }
  }

  /// One number everywhere, on this tensor's device.
  func filled(_ value: Double, _ shape: [Int], _ dtype: DType) -> Tensor {
    leaf(.full(dtype.isFloating ? .real(value) : .integer(Int64(value))), shape, dtype)
  }

  /// Elements `range` of `axis`.
  func cut(_ axis: Int, _ range: Range<Int>) -> Tensor {
    if range == 0..<shape[axis] { return self }
    var strides = shape.map { Stride(0, $0) }
    strides[axis] = Stride(range.lowerBound, range.upperBound)
    var cutShape = shape
    cutShape[axis] = range.count
    return Tensor.record(.slice(strides), self, cutShape, dtype)
  }

  /// The axis `from` comes to stand at `to`; the others keep their order.
  func movedAxis(_ from: Int, to: Int) -> Tensor {
    if from == to { return self }
    var axes = Array(0..<rank)
    axes.remove(at: from)
    axes.insert(from, at: to)
    return Tensor.record(.permute(axes), self, axes.map { shape[$0] }, dtype)
  }

  /// The last two axes exchanged.
  var matrixTranspose: Tensor { movedAxis(rank - 1, to: rank - 2) }

  /// Repeated along a new axis in front.
  func repeatedInFront(_ count: Int) -> Tensor {
    let one = reshaped([1] + shape)
    return Tensor.record(.broadcast, one, [count] + shape, dtype)
  }

  /// The product of the matrices in the last two axes; the axes in front agree.
  func product(_ other: Tensor, transposeA: Bool = false, transposeB: Bool = false) -> Tensor {
    let front = Array(shape.dropLast(2))
    let rows = shape[rank - (transposeA ? 1 : 2)]
    let columns = other.shape[other.rank - (transposeB ? 2 : 1)]
    let result = Tensor.record(
      .matmul(transposeA: transposeA, transposeB: transposeB),
      reshaped([front.product] + shape.suffix(2)), other.reshaped([front.product] + other.shape.suffix(2)),
      [front.product, rows, columns], dtype)
    return result.reshaped(front + [rows, columns])
  }
}

extension Rule {
  /// The batched inputs as they are, the others repeated for each example.
  static func allBatched(_ inputs: [Tensor], _ batched: [Bool], _ count: Int) -> [Tensor] {
    zip(inputs, batched).map { $1 ? $0 : $0.repeatedInFront(count) }
  }
}
