import TarnCore

/// Windows: convolution and pooling.
extension ONNXOperators {
  static let windows: [ONNXOperator] = [
    ONNXOperator("Conv", [1, 11], ONNXConvolution.forward),
    ONNXOperator("ConvTranspose", [1, 11], ONNXConvolution.transposed),
    ONNXOperator("MaxPool", [1, 8, 10, 11, 12], values: maxPool),
    ONNXOperator("AveragePool", [1, 7, 10, 11, 19], averagePool),
    ONNXOperator("LpPool", [2, 11, 18]) { call in
      let x = try call.tensor(0)
      let p = Double(try call.int("p", 2))
      let window = try call.window(x)
      return x.abs().pow(p).windowSums(window).pow(1 / p)
    },
    ONNXOperator("MaxUnpool", [9, 11], maxUnpool),
    ONNXOperator("GlobalAveragePool", [1]) {
      try $0.overPlane { $0.mean(axes: $1, keepDims: true) }
    },
    ONNXOperator("GlobalMaxPool", [1]) { try $0.overPlane { $0.max(axes: $1, keepDims: true) } },
    ONNXOperator("GlobalLpPool", [2]) { call in
      let p = Double(try call.int("p", 2))
      return try call.overPlane { $0.abs().pow(p).sum(axes: $1, keepDims: true).pow(1 / p) }
    },
  ]

  private static func maxPool(_ call: ONNXCall) throws -> [ONNXValue] {
    let x = try call.tensor(0)
    let window = try call.window(x)
    let y = x.dtype.isFloating ? x : x.cast(to: .float32)
    let values = ONNXValue.tensor(y.windowMaxima(window).cast(to: x.dtype))
    guard call.outputCount > 1 else { return [values] }
    try call.require(x.rank <= 4, "the places of the largest are known over one or two axes only")
    return [values, .tensor(try y.windowPlaces(window, call))]
  }

  /// The mean over what a window holds of the input, and of the padding if that counts.
  private static func averagePool(_ call: ONNXCall) throws -> Tensor {
    let x = try call.tensor(0)
    let window = try call.window(x)
    let spatial = Array(x.shape.dropFirst(2))
    let sums = x.windowSums(window)
    var counted = window
    var extent = spatial
    if try call.flag("count_include_pad", false) {
      extent = spatial.indices.map { spatial[$0] + window.low[$0] + window.high[$0] }
      counted.low = window.low.map { _ in 0 }
    }
    if (counted.low + counted.extent(extent)).allSatisfy({ $0 == 0 }) {
      return sums * (1 / Double(window.size.product))
    }
    try call.checked([1, 1] + extent)
    let ones = Tensor.full([1, 1] + extent, .integer(1), dtype: sums.dtype, device: x.device)
    return sums / ones.windowSums(counted)
  }

  private static func maxUnpool(_ call: ONNXCall) throws -> Tensor {
    let (x, places) = (try call.tensor(0), try call.tensor(1))
    try call.require(x.rank > 2 && x.shape == places.shape, "its places do not fit \(x.shape)")
    guard let size = try call.sizes("kernel_shape"), size.count == x.rank - 2 else {
      throw call.error("its kernel does not fit \(x.shape)")
    }
    let strides = try call.sizes("strides") ?? size.map { _ in 1 }
    let pads = try call.sizes("pads") ?? [Int](repeating: 0, count: 2 * size.count)
    try call.require(
      strides.count == size.count && pads.count == 2 * size.count, "its attributes do not fit")
    let inferred = size.indices.map { axis in
      (x.shape[axis + 2] - 1) * strides[axis] + size[axis] - pads[axis] - pads[axis + size.count]
    }
    let shape = try call.checked(x.shape.prefix(2) + inferred)
    let flat = Tensor.scatterAdd(x.flattened(), at: places.flattened(), into: [shape.product])
    guard let wanted = try call.hostInts(2), wanted != shape else { return flat.reshaped(shape) }
    try call.checked(wanted)
    try call.require(
      wanted.count == shape.count && zip(wanted, shape).allSatisfy { $0 >= $1 },
      "the output \(wanted) is smaller than the \(shape) that pooling had")
    // The places are those of the shape that pooling had; a larger output has it in its corner.
    return flat.reshaped(shape).padded(zip(wanted, shape).map { (0, $0 - $1) })
  }
}

extension ONNXCall {
  /// The window of a pooling over an input, checked to give something that may be made.
  fileprivate func window(_ x: Tensor) throws -> ONNXWindow {
    try require((3...5).contains(x.rank), "\(x.shape) has not one to three spatial axes")
    try require(x.count > 0, "its input is empty")
    let spatial = Array(x.shape.dropFirst(2))
    let window = try ONNXWindow(self, spatial: spatial)
    try require((window.low + window.high).allSatisfy { $0 >= 0 }, "its padding is negative")
    try checked(x.shape.prefix(2) + window.counts)
    let padded = window.size.indices.map {
      spatial[$0] + window.low[$0] + window.extent(spatial)[$0]
    }
    try checked(x.shape.prefix(2) + padded)
    // Work grows with the window as well as with the result.
    try checked(window.size + [1])
    return window
  }

  fileprivate func overPlane(_ body: (Tensor, [Int]) -> Tensor) throws -> Tensor {
    let x = try tensor(0)
    try require(x.rank > 2 && x.count > 0, "\(x.shape) has no spatial axes")
    return body(x, Array(2..<x.rank))
  }
}

extension Tensor {
  /// Pools planes, then their depths, where there are three axes: body(x [N, C, H, W], window of two axes).
  private func overPlanes(_ window: ONNXWindow, _ body: (Tensor, ONNXWindow) -> Tensor) -> Tensor {
    switch rank {
    case 3:
      var plane = window
      plane.size.insert(1, at: 0)
      plane.strides.insert(1, at: 0)
      plane.dilations.insert(1, at: 0)
      plane.low.insert(0, at: 0)
      plane.high.insert(0, at: 0)
      plane.counts.insert(1, at: 0)
      return body(expandedDims(2), plane).squeezed(2)
    case 4: return body(self, window)
    default:
      let (n, c, d) = (shape[0], shape[1], shape[2])
      let flat = body(reshaped([n, c * d, shape[3], shape[4]]), window.part(1..<3))
      let (h, w) = (flat.shape[2], flat.shape[3])
      var depth = window.part(0..<1)
      depth.size.append(1)
      depth.strides.append(1)
      depth.dilations.append(1)
      depth.low.append(0)
      depth.high.append(0)
      depth.counts.append(h * w)
      return body(flat.reshaped([n, c, d, h * w]), depth)
        .reshaped([n, c, window.counts[0], h, w])
    }
  }

  /// Σ over each window, padding as 0.
  fileprivate func windowSums(_ window: ONNXWindow) -> Tensor {
    floating.overPlanes(window) { x, window in
      .record(
        .windowSum(window.window(Array(x.shape.suffix(2)))), x, x.shape.prefix(2) + window.counts,
        x.dtype)
    }
  }

  /// The largest of each window, which padding never is.
  fileprivate func windowMaxima(_ window: ONNXWindow) -> Tensor {
    overPlanes(window) { x, window in
      let high = window.extent(Array(x.shape.suffix(2)))
      let margins = zip(window.low, high).map { ($0, $1) }
      let isSmall = margins.indices.allSatisfy {
        Swift.max(margins[$0].0, margins[$0].1) <= window.reach($0) / 2
      }
      if isSmall {
        return x.maxPooled(
          window.size, strides: window.strides, padding: margins, dilations: window.dilations)
      }
      return x.padded([(0, 0), (0, 0)] + margins, value: -.infinity)
        .maxPooled(window.size, strides: window.strides, dilations: window.dilations)
    }
  }

  /// Where in the whole tensor the largest of each window stands, row by row or column by column.
  fileprivate func windowPlaces(_ window: ONNXWindow, _ call: ONNXCall) throws -> Tensor {
    let byColumn = try call.flag("storage_order", false)
    let places = overPlanes(window) { x, window in
      let spatial = Array(x.shape.suffix(2))
      let shape = x.shape.prefix(2) + window.counts
      let within = Tensor.record(
        .windowArgMax(window.window(spatial)), x, Array(shape), .int32
      ).cast(to: .int64)
      let (h, w) = (spatial[0], spatial[1])
      let flat = byColumn ? within % w * h + within.floorDivided(by: w) : within
      let plane = Tensor.iota([x.shape[0] * x.shape[1]], axis: 0, device: x.device) * (h * w)
      return flat + plane.reshaped([x.shape[0], x.shape[1], 1, 1])
    }
    return places
  }
}
