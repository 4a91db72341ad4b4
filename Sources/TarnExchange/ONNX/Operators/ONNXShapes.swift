import TarnCore
import TarnInterop

/// Shapes: reading and changing them, joining and cutting.
extension ONNXOperators {
  static let shapes: [ONNXOperator] = [
    ONNXOperator("Shape", [1, 13, 15, 19, 21], readsShapesOnly: true, values: shape),
    ONNXOperator("Size", [1, 13, 19, 21], readsShapesOnly: true) {
      [.fixed(try $0.tensor(0).count)]
    },
    ONNXOperator("Reshape", [5, 13, 14, 19, 21], values: reshape),
    ONNXOperator("Flatten", [1, 9, 11, 13, 21]) { call in
      let x = try call.tensor(0)
      let start = try call.int("axis", 1)
      let axis = start < 0 ? start + x.rank : start
      try call.require((0...x.rank).contains(axis), "there is no axis \(start) of \(x.rank)")
      return x.reshaped([x.shape[..<axis].reduce(1, *), x.shape[axis...].reduce(1, *)])
    },
    ONNXOperator("Squeeze", [1, 11, 13, 21]) { call in
      let x = try call.tensor(0)
      guard let named = try call.ints("axes") ?? call.hostInts(1) else { return x.squeezed() }
      let axes = try call.axes(named, x.rank)
      try call.require(
        axes.allSatisfy { x.shape[$0] == 1 }, "the axes \(named) of \(x.shape) are not all 1 long")
      return x.reshaped(x.shape.removing(at: axes))
    },
    ONNXOperator("Unsqueeze", [1, 11, 13, 21]) { call in
      let x = try call.tensor(0)
      let named = try call.ints("axes") ?? call.hostInts(1) ?? []
      let axes = try call.axes(named, x.rank + named.count)
      var rest = x.shape.makeIterator()
      return x.reshaped(
        (0..<x.rank + named.count).map { axes.contains($0) ? 1 : rest.next() ?? 1 })
    },
    ONNXOperator("Transpose", [1, 13, 21]) { call in
      let x = try call.tensor(0)
      let order = try call.ints("perm") ?? (0..<x.rank).reversed()
      try call.require(order.count == x.rank, "\(order) is no order of \(x.rank) axes")
      return x.permuted(try call.axes(order, x.rank))
    },
    ONNXOperator("Concat", [4, 11, 13]) { call in
      let parts = try call.tensors()
      try call.require(!parts.isEmpty, "it has no inputs")
      return .concatenated(parts, axis: try call.axis(call.int("axis", 1), parts[0].rank))
    },
    ONNXOperator("Split", [2, 11, 13, 18], values: split),
    ONNXOperator("Slice", [1, 10, 11, 13], slice),
    ONNXOperator("Expand", [8, 13]) { call in
      let x = try call.tensor(0)
      let wanted = try call.hostInts(1) ?? []
      guard let shape = x.shape.broadcast(with: wanted), wanted.allSatisfy({ $0 >= 0 }) else {
        throw call.error("\(x.shape) and \(wanted) do not broadcast")
      }
      return x.stretched(to: try call.checked(shape))
    },
    ONNXOperator("Tile", [6, 13]) { call in
      let x = try call.tensor(0)
      let counts = try call.hostInts(1) ?? []
      try call.require(
        counts.count == x.rank && counts.allSatisfy { (0..<1 << 31).contains($0) },
        "\(counts) are not repeats for \(x.shape)")
      try call.checked(zip(counts, x.shape).flatMap { [$0, $1] })
      return x.tiled(counts)
    },
    ONNXOperator("Pad", [2, 11, 13, 18, 19, 21], pad),
    ONNXOperator("DepthToSpace", [1, 11, 13], depthToSpace),
    ONNXOperator("SpaceToDepth", [1, 13]) { call in
      let x = try call.tensor(0)
      let block = try call.blockSize(x)
      let (c, h, w) = (x.shape[1], x.shape[2], x.shape[3])
      try call.require(h % block == 0 && w % block == 0, "\(block) does not divide \(x.shape)")
      return x.reshaped([x.shape[0], c, h / block, block, w / block, block])
        .permuted([0, 3, 5, 1, 2, 4])
        .reshaped([x.shape[0], c * block * block, h / block, w / block])
    },
    ONNXOperator("Trilu", [14]) { call in
      let x = try call.tensor(0)
      let k = try call.hostInt(1) ?? 0
      try call.require(x.rank >= 2, "\(x.shape) has no matrices")
      let bound = Swift.max(-(1 << 40), Swift.min(1 << 40, k))
      return try call.flag("upper", true) ? x.upperTriangle(k: bound) : x.lowerTriangle(k: bound)
    },
    ONNXOperator("CenterCropPad", [18], centerCropPad),
    ONNXOperator("ReverseSequence", [10], reverseSequence),
    ONNXOperator(
      "Cast", [6, 9, 13, 19, 21],
      values: { call in
        guard let element = try call.elementAttribute("to") else {
          throw call.error("it does not say to which type")
        }
        return [try call.cast(call.tensor(0), to: element)]
      }),
    ONNXOperator(
      "CastLike", [15, 19, 21],
      values: { call in
        guard let element = call.element(1) else { throw call.error("its second input is missing") }
        return [try call.cast(call.tensor(0), to: element)]
      }),
  ]

  private static func shape(_ call: ONNXCall) throws -> [ONNXValue] {
    let lengths = try call.tensor(0).shape
    func place(_ name: String, _ otherwise: Int) throws -> Int {
      let place = try call.int(name, otherwise)
      return Swift.max(0, Swift.min(lengths.count, place < 0 ? place + lengths.count : place))
    }
    let (start, end) = (try place("start", 0), try place("end", lengths.count))
    return [.fixed(start < end ? Array(lengths[start..<end]) : [])]
  }

  /// −1 stands for what is left, 0 for the length as it was (or for 0, if allowed).
  private static func reshape(_ call: ONNXCall) throws -> [ONNXValue] {
    let x = try call.tensor(0)
    var lengths = try call.hostInts(1) ?? []
    if try !call.flag("allowzero", false) {
      for (i, length) in lengths.enumerated() where length == 0 {
        try call.require(i < x.rank, "\(lengths) has a 0 beyond the axes of \(x.shape)")
        lengths[i] = x.shape[i]
      }
    }
    if lengths.contains(-1), x.count == 0 {
      let rest = lengths.filter { $0 != -1 }
      try call.require(rest.contains(0), "\(x.shape) cannot become \(lengths)")
      lengths = lengths.map { $0 == -1 ? 0 : $0 }
    }
    try call.require(lengths.count <= 64, "\(lengths.count) axes are too many")
    return [ONNXValue.tensor(x.reshaped(lengths)).typed(call.element(0))]
  }

  private static func split(_ call: ONNXCall) throws -> [ONNXValue] {
    let x = try call.tensor(0)
    let axis = try call.axis(call.int("axis", 0), x.rank)
    var sizes = try call.ints("split") ?? call.hostInts(1)
    if sizes == nil {
      let count = try call.int("num_outputs", call.outputCount)
      try call.require((1...65536).contains(count), "it cannot be cut in \(count) parts")
      let part = (x.shape[axis] + count - 1) / count
      sizes = (0..<count).map { i in
        Swift.max(0, Swift.min(part, x.shape[axis] - i * part))
      }
    }
    let parts = sizes ?? []
    try call.require(
      parts.allSatisfy { (0...x.shape[axis]).contains($0) } && parts.count <= x.shape[axis] + 65536
        && parts.reduce(0, +) == x.shape[axis],
      "the parts \(parts) do not make up the axis \(axis) of \(x.shape)")
    return x.split(sizes: parts, axis: axis).map { .tensor($0) }
  }

  private static func slice(_ call: ONNXCall) throws -> Tensor {
    let x = try call.tensor(0)
    guard let starts = try call.ints("starts") ?? call.hostInts(1),
      let ends = try call.ints("ends") ?? call.hostInts(2), starts.count == ends.count
    else { throw call.error("it has not as many starts as ends") }
    let named = try call.ints("axes") ?? call.hostInts(3) ?? Array(starts.indices)
    let steps = try call.hostInts(4) ?? starts.map { _ in 1 }
    try call.require(
      named.count == starts.count && steps.count == starts.count,
      "starts, axes and steps are not equally many")
    var strides = x.shape.map { Stride(0, $0) }
    var flipped: [Int] = []
    for (i, axis) in try call.axes(named, x.rank).enumerated() {
      let length = x.shape[axis]
      try call.require(steps[i] != 0 && steps[i] != .min, "a step is 0")
      let step = Swift.max(-length - 1, Swift.min(length + 1, steps[i]))
      if steps[i] > 0 {
        let (start, end) = (clamp(starts[i], length, 0, length), clamp(ends[i], length, 0, length))
        strides[axis] = Stride(start, Swift.max(start, end), step: step)
      } else {
        // Backwards: the same elements of the flipped axis forwards.
        let start = clamp(starts[i], length, -1, length - 1)
        let end = clamp(ends[i], length, -1, length - 1)
        strides[axis] = Stride(
          length - 1 - start, Swift.max(length - 1 - start, length - 1 - end), step: -step)
        flipped.append(axis)
      }
    }
    return (flipped.isEmpty ? x : x.flipped(flipped)).sliced(strides)
  }

  /// A place counted from the end if negative, kept within bounds.
  private static func clamp(_ place: Int, _ length: Int, _ low: Int, _ high: Int) -> Int {
    let resolved = place < 0 ? place + length : place
    return Swift.max(low, Swift.min(high, resolved))
  }

  private static func depthToSpace(_ call: ONNXCall) throws -> Tensor {
    let x = try call.tensor(0)
    let block = try call.blockSize(x)
    let (n, c, h, w) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    try call.require(c % (block * block) == 0, "\(block)² does not divide \(c) channels")
    let rest = c / (block * block)
    let moved =
      try call.string("mode", "DCR") == "CRD"
      ? x.reshaped([n, rest, block, block, h, w]).permuted([0, 1, 4, 2, 5, 3])
      : x.reshaped([n, block, block, rest, h, w]).permuted([0, 3, 4, 1, 5, 2])
    return moved.reshaped([n, rest, h * block, w * block])
  }

  private static func centerCropPad(_ call: ONNXCall) throws -> Tensor {
    let x = try call.tensor(0)
    let wanted = try call.hostInts(1) ?? []
    let axes = try call.axes(call.ints("axes") ?? Array(0..<x.rank), x.rank)
    try call.require(axes.count == wanted.count, "\(wanted) are not lengths for the axes \(axes)")
    var shape = x.shape
    for (axis, length) in zip(axes, wanted) { shape[axis] = length }
    try call.checked(shape)
    var strides = x.shape.map { Stride(0, $0) }
    var margins = x.shape.map { _ in (0, 0) }
    for (axis, length) in zip(axes, wanted) {
      let extra = length - x.shape[axis]
      if extra > 0 {
        margins[axis] = (extra / 2, extra - extra / 2)
      } else {
        let start = -extra / 2
        strides[axis] = Stride(start, start + length)
      }
    }
    return x.sliced(strides).padded(margins)
  }

  /// The first `lengths[b]` elements of each sequence backwards.
  private static func reverseSequence(_ call: ONNXCall) throws -> Tensor {
    let x = try call.tensor(0)
    let lengths = try call.tensor(1).cast(to: .int64)
    let time = try call.axis(call.int("time_axis", 0), x.rank)
    let batch = try call.axis(call.int("batch_axis", 1), x.rank)
    try call.require(
      time != batch && lengths.shape == [x.shape[batch]], "its lengths do not fit \(x.shape)")
    var row = [Int](repeating: 1, count: x.rank)
    row[batch] = x.shape[batch]
    let count = lengths.reshaped(row)
    let index = Tensor.iota(x.shape, axis: time, device: x.device)
    return x.takeAlong(which(index .< count, count - 1 - index, index), axis: time)
  }
}

extension ONNXCall {
  fileprivate func blockSize(_ x: Tensor) throws -> Int {
    let block = try int("blocksize", 0)
    try require(x.rank == 4 && (1..<1 << 16).contains(block), "\(block) is no block of \(x.shape)")
    return block
  }
}
