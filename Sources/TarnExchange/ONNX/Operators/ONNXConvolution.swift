import TarnCore

/// Convolutions over one, two and three axes.
enum ONNXConvolution {
  static func forward(_ call: ONNXCall) throws -> Tensor {
    try forward(call, try call.tensor(0), try call.tensor(1), bias: call.optional(2))
  }

  static func forward(
    _ call: ONNXCall, _ x: Tensor, _ weight: Tensor, bias: Tensor?
  ) throws -> Tensor {
    try check(call, x, weight)
    let spatial = Array(x.shape.dropFirst(2))
    let window = try ONNXWindow(call, kernel: Array(weight.shape.dropFirst(2)), spatial: spatial)
    try call.checked([x.shape[0], weight.shape[0]] + window.counts)
    try call.checked(
      x.shape.prefix(2) + zip(spatial, zip(window.low, window.high)).map { $0 + $1.0 + $1.1 })
    let groups = try call.int("group", 1)
    let cut = (window.low + window.high).contains { $0 < 0 }
    try call.require(!cut, "its padding is negative")
    let y =
      spatial.count == 3
      ? x.convolved3D(weight, window, groups: groups)
      : x.convolved(
        weight, strides: window.strides, padding: zip(window.low, window.high).map { ($0, $1) },
        dilations: window.dilations, groups: groups)
    return y.plus(bias)
  }

  static func transposed(_ call: ONNXCall) throws -> Tensor {
    let (x, weight) = (try call.tensor(0), try call.tensor(1))
    try check(call, x, weight)
    let kernel = Array(weight.shape.dropFirst(2)), spatial = Array(x.shape.dropFirst(2))
    let ones = kernel.map { _ in 1 }
    let strides = try call.sizes("strides") ?? ones
    let dilations = try call.sizes("dilations") ?? ones
    let extra = try call.sizes("output_padding") ?? ones.map { _ in 0 }
    try call.require(
      [strides.count, dilations.count, extra.count].allSatisfy { $0 == kernel.count }
        && (strides + dilations).allSatisfy { $0 > 0 } && extra.allSatisfy { $0 >= 0 }
        && spatial.allSatisfy { $0 > 0 },
      "strides, dilations and output padding do not fit \(x.shape) and \(weight.shape)")
    let whole = kernel.indices.map { axis in
      (spatial[axis] - 1) * strides[axis] + dilations[axis] * (kernel[axis] - 1) + 1
    }
    let margins = try self.margins(call, spatial, strides, whole, extra)
    let groups = try call.int("group", 1)
    try call.require((1...weight.shape[0]).contains(groups), "\(groups) groups are absurd")
    try call.checked([x.shape[0], weight.shape[1] * groups] + whole)
    let lengths = zip(whole, margins).map { $0 + $1.0 + $1.1 }
    try call.checked([x.shape[0], weight.shape[1] * groups] + lengths)
    try call.require(lengths.allSatisfy { $0 > 0 }, "nothing is left after cutting the padding off")
    let isPlain = margins.indices.allSatisfy {
      margins[$0].0 <= 0 && margins[$0].1 < strides[$0] && margins[$0].1 <= 0
    }
    if isPlain && spatial.count < 3 {
      return x.convolvedTransposed(
        weight, strides: strides, padding: margins.map { (-$0.0, -$0.1) }, dilations: dilations,
        groups: groups
      ).plus(call.optional(2))
    }
    let y =
      spatial.count == 3
      ? x.convolvedTransposed3D(weight, strides, dilations, groups)
      : x.convolvedTransposed(weight, strides: strides, dilations: dilations, groups: groups)
    return y.padded([(0, 0), (0, 0)] + margins).plus(call.optional(2))
  }

  /// What is added to (or, if negative, cut from) the whole result on both sides.
  private static func margins(
    _ call: ONNXCall, _ spatial: [Int], _ strides: [Int], _ whole: [Int], _ extra: [Int]
  ) throws -> [(Int, Int)] {
    let mode = try call.string("auto_pad", "NOTSET")
    let rank = spatial.count
    if mode == "NOTSET" || mode.isEmpty || mode == "VALID", try call.ints("output_shape") == nil {
      let pads = try mode == "VALID" ? nil : call.sizes("pads")
      let values = pads ?? [Int](repeating: 0, count: 2 * rank)
      try call.require(values.count == 2 * rank, "its pads do not fit")
      return (0..<rank).map { (-values[$0], extra[$0] - values[$0 + rank]) }
    }
    let wanted = try call.sizes("output_shape")?.suffix(rank)
    let lengths = wanted.map(Array.init) ?? zip(spatial, strides).map(*)
    try call.require(
      lengths.count == rank && lengths.allSatisfy { $0 > 0 }, "its output shape does not fit")
    return (0..<rank).map { axis in
      let total = whole[axis] + extra[axis] - lengths[axis]
      let half = total >> 1
      let low = mode == "SAME_UPPER" ? half : total - half
      return (-low, extra[axis] - (total - low))
    }
  }

  private static func check(_ call: ONNXCall, _ x: Tensor, _ weight: Tensor) throws {
    try call.require(
      (3...5).contains(x.rank) && weight.rank == x.rank,
      "input \(x.shape) and weight \(weight.shape) are not of one to three spatial axes")
    try call.require(x.count > 0 && weight.count > 0, "its input or its weight is empty")
  }
}

extension Tensor {
  /// One number more for each channel.
  func plus(_ bias: Tensor?) -> Tensor {
    guard let bias else { return self }
    return self + bias.reshaped([1, bias.count] + [Int](repeating: 1, count: rank - 2))
  }

  /// The images of each depth as examples of their own: [N, C, D, H, W] → [N D, C, H, W].
  private var planes: Tensor {
    permuted([0, 2, 1, 3, 4]).reshaped([shape[0] * shape[2], shape[1], shape[3], shape[4]])
  }

  private func stacked(_ n: Int) -> Tensor {
    reshaped([n, shape[0] / Swift.max(1, n), shape[1], shape[2], shape[3]])
      .permuted([0, 2, 1, 3, 4])
  }

  /// A convolution over three axes as a sum of those of its planes.
  fileprivate func convolved3D(_ weight: Tensor, _ window: ONNXWindow, groups: Int) -> Tensor {
    let deep = padded([(0, 0), (0, 0), (window.low[0], window.high[0]), (0, 0), (0, 0)])
    let plane = window.part(1..<3)
    let terms = (0..<window.size[0]).map { k -> Tensor in
      let from = k * window.dilations[0]
      let to = from + (window.counts[0] - 1) * window.strides[0] + 1
      let part = deep.narrowed(2, from: from, to: to, by: window.strides[0])
      return part.planes.convolved(
        weight.narrowed(2, from: k, to: k + 1).squeezed(2), strides: plane.strides,
        padding: zip(plane.low, plane.high).map { ($0, $1) }, dilations: plane.dilations,
        groups: groups)
    }
    return terms.dropFirst().reduce(terms[0], +).stacked(shape[0])
  }

  fileprivate func convolvedTransposed3D(
    _ weight: Tensor, _ strides: [Int], _ dilations: [Int], _ groups: Int
  ) -> Tensor {
    let taps = weight.shape[2]
    let terms = (0..<taps).map { k -> Tensor in
      let y = planes.convolvedTransposed(
        weight.narrowed(2, from: k, to: k + 1).squeezed(2), strides: Array(strides.dropFirst()),
        dilations: Array(dilations.dropFirst()), groups: groups
      ).stacked(shape[0])
      let margin = Margin(
        k * dilations[0], (taps - 1 - k) * dilations[0], interior: strides[0] - 1)
      var lengths = y.shape
      lengths[2] = margin.padded(y.shape[2])
      return .record(
        .pad([Margin(), Margin(), margin, Margin(), Margin()]), y, lengths, y.dtype)
    }
    return terms.dropFirst().reduce(terms[0], +)
  }
}
