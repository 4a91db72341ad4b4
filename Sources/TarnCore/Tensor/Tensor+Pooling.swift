/// Windows over the axes after the second of [N, C, s…], one or two of them.
extension Tensor {
  /// The largest element of each window. Padding never wins; NaN always does.
  ///
  /// - Parameters:
  ///   - size: window per spatial axis.
  ///   - strides: step of the window; the window's size if nil.
  ///   - padding: before and after per spatial axis, at most half of the window; none if nil.
  ///   - dilations: distance of neighbouring elements of a window; ones if nil.
  ///   - ceil: whether windows that reach beyond the end count.
  /// - Returns: [N, C, t…], t = ⌊(s + low + high − dilation · (size − 1) − 1) / stride⌋ + 1, or ⌈…⌉
  ///   + 1.
  ///
  /// ```swift
  /// let half = x.maxPooled([2, 2])
  /// ```
  public func maxPooled(
    _ size: [Int], strides: [Int]? = nil, padding: [(Int, Int)]? = nil, dilations: [Int]? = nil,
    ceil: Bool = false
  ) -> Tensor {
    pooled("maxPooled", Pooling(size, strides, padding, dilations, ceil)) { x, pooling in
      // Rectifying commutes with the largest of a window, and there are fewer elements afterwards.
      let rectified = Engine.operand(of: x, under: .unary(.relu))
      let y = MaxPooling(pooling.window(over: x.shape), pooling.result(x.shape))
        .pooled(rectified ?? x)
      return rectified == nil ? y : y.relu()
    }
  }

  /// The mean of each window, with the parameters of
  /// ``maxPooled(_:strides:padding:dilations:ceil:)``.
  ///
  /// - Parameter countIncludesPadding: whether the padding asked for counts, as zeros. What `ceil`
  ///   reaches beyond it never does.
  public func averagePooled(
    _ size: [Int], strides: [Int]? = nil, padding: [(Int, Int)]? = nil, dilations: [Int]? = nil,
    ceil: Bool = false, countIncludesPadding: Bool = true
  ) -> Tensor {
    pooled("averagePooled", Pooling(size, strides, padding, dilations, ceil)) { x, pooling in
      let x = x.floating
      let window = pooling.window(over: x.shape)
      let sum = Tensor.record(.windowSum(window), x, pooling.result(x.shape), x.dtype)
      let low = countIncludesPadding ? pooling.low : pooling.low.map { _ in 0 }
      let high = countIncludesPadding ? pooling.high : low
      var counted = window
      for axis in pooling.size.indices {
        counted.low[axis] -= low[axis]
        counted.high[axis] = Swift.max(0, window.high[axis] - high[axis])
      }
      if (counted.low + counted.high).allSatisfy({ $0 == 0 }) {
        return sum * (1 / Double(size.product))
      }
      let extent = pooling.size.indices.map { low[$0] + x.shape[$0 + 2] + high[$0] }
      let ones = Tensor.full([1, 1] + extent, .integer(1), dtype: x.dtype, device: x.device)
      let counts = Tensor.record(
        .windowSum(counted), ones, [1, 1] + sum.shape.dropFirst(2), x.dtype)
      return sum / counts
    }
  }

  /// The mean over windows chosen so that [N, C, s…] becomes [N, C, size…]: output i covers
  /// ⌊i · s / size⌋ up to, not including, ⌈(i + 1) · s / size⌉.
  public func adaptiveAveragePooled(to size: [Int]) -> Tensor {
    adaptive("adaptiveAveragePooled", size) { x in
      let spatial = Array(x.shape.dropFirst(2))
      if zip(spatial, size).allSatisfy({ $0 % $1 == 0 }) {
        return x.averagePooled(zip(spatial, size).map { $0 / $1 })
      }
      return size.enumerated().reduce(x.floating) { x, entry in
        let (axis, count) = (entry.offset + 2, entry.element)
        return x.weighted(along: axis, to: count) { i in
          let range = Pooling.adaptiveRange(i, x.shape[axis], count)
          return range.map { ($0, 1 / Double(range.count)) }
        }
      }
    }
  }

  /// The largest element over the windows of ``adaptiveAveragePooled(to:)``.
  public func adaptiveMaxPooled(to size: [Int]) -> Tensor {
    adaptive("adaptiveMaxPooled", size) { x in
      let spatial = Array(x.shape.dropFirst(2))
      if zip(spatial, size).allSatisfy({ $0 % $1 == 0 }) {
        return x.maxPooled(zip(spatial, size).map { $0 / $1 })
      }
      let planes = x.shape[0] * x.shape[1]
      let table = Pooling.adaptiveTable(spatial, size)
      let windows = x.reshaped([planes, spatial.product])
        .take(Device.with(x.device) { Tensor(table) }, axis: 1)
      return windows.takeAlong(windows.argMax(axis: 2, keepDims: true), axis: 2)
        .reshaped(x.shape.prefix(2) + size)
    }
  }

  /// Checks, and `body` in at least two spatial axes.
  private func pooled(_ name: String, _ pooling: Pooling, _ body: (Tensor, Pooling) -> Tensor)
    -> Tensor
  {
    if let problem = pooling.problem(name, self) { return problem }
    if rank != 3 { return body(self, pooling) }
    let result = body(expandedDims(2), pooling.lifted)
    return result.squeezed(2)
  }

  private func adaptive(_ name: String, _ size: [Int], _ body: (Tensor) -> Tensor) -> Tensor {
    if rank != size.count + 2 || size.isEmpty {
      return rejected(
        name, "\(size.count) sizes take a tensor with \(size.count + 2) axes",
        hint: Hint.missingBatch(shape, rank: size.count + 2))
    }
    if size.contains(where: { $0 < 1 }) || shape.dropFirst(2).contains(0) {
      return rejected(name, "sizes must be 1 or more", ["tensor \(shape)", "to     \(size)"])
    }
    return body(self)
  }
}

extension Window {
  /// As attributes of a call.
  package var attributes: [Scalar] {
    [[size.count], size, strides, low, high, dilations].flatMap { $0 }.map { .integer(Int64($0)) }
  }
}

/// What a pooling was asked for.
private struct Pooling {
  var size: [Int], strides: [Int], low: [Int], high: [Int], dilations: [Int]
  var ceil: Bool

  init(
    _ size: [Int], _ strides: [Int]?, _ padding: [(Int, Int)]?, _ dilations: [Int]?, _ ceil: Bool
  ) {
    let padding = padding ?? size.map { _ in (0, 0) }
    (self.size, self.strides, self.ceil) = (size, strides ?? size, ceil)
    (low, high) = (padding.map(\.0), padding.map(\.1))
    self.dilations = dilations ?? size.map { _ in 1 }
  }

  /// With a spatial axis of length 1 in front.
  var lifted: Pooling {
    Pooling(
      [1] + size, [1] + strides, [(0, 0)] + zip(low, high).map { ($0, $1) }, [1] + dilations, ceil)
  }

  private func reach(_ axis: Int) -> Int { dilations[axis] * (size[axis] - 1) + 1 }

  /// [N, C, t…] for [N, C, s…].
  func result(_ shape: [Int]) -> [Int] {
    shape.prefix(2)
      + size.indices.map { axis in
        let room = low[axis] + shape[axis + 2] + high[axis] - reach(axis)
        let step = strides[axis]
        guard ceil else { return room / step + 1 }
        let count = (room + step - 1) / step + 1
        // The last window must begin within the input or the padding before it.
        return (count - 1) * step >= shape[axis + 2] + low[axis] ? count - 1 : count
      }
  }

  /// The geometry with the padding that `ceil` adds at the end.
  func window(over shape: [Int]) -> Window {
    let result = self.result(shape)
    let end = size.indices.map { axis in
      guard ceil else { return high[axis] }
      return max(
        0, (result[axis + 2] - 1) * strides[axis] + reach(axis) - shape[axis + 2] - low[axis])
    }
    return Window(size: size, strides: strides, low: low, high: end, dilations: dilations)
  }

  /// Zeros, after a report, if the geometry is wrong.
  func problem(_ name: String, _ x: Tensor) -> Tensor? {
    let facts = ["tensor \(x.shape)", "window \(size), strides \(strides), padding \(low) \(high)"]
    if size.isEmpty || x.rank != size.count + 2 {
      return x.rejected(
        name, "a window with \(size.count) axes takes a tensor with \(size.count + 2)", facts,
        hint: Hint.missingBatch(x.shape, rank: size.count + 2))
    }
    if [strides.count, low.count, dilations.count].contains(where: { $0 != size.count }) {
      return x.rejected(
        name, "strides, padding and dilations need one entry per spatial axis", facts)
    }
    if (size + strides + dilations).contains(where: { $0 < 1 })
      || (low + high).contains(where: { $0 < 0 })
    {
      return x.rejected(
        name, "sizes, strides and dilations are 1 or more, padding 0 or more", facts)
    }
    for axis in size.indices {
      if max(low[axis], high[axis]) > reach(axis) / 2 {
        return x.rejected(name, "padding is at most half of the window", facts)
      }
      if low[axis] + x.shape[axis + 2] + high[axis] < reach(axis) {
        return x.rejected(
          name, "the window is larger than the padded input", facts + ["axis   \(axis + 2)"],
          hint: "use a smaller window, or adaptiveAveragePooled(to:)")
      }
    }
    return nil
  }

  /// What output `i` of `count` covers of an axis of `length`.
  static func adaptiveRange(_ i: Int, _ length: Int, _ count: Int) -> Range<Int> {
    i * length / count..<((i + 1) * length + count - 1) / count
  }

  /// [t, l]: the flat places each output covers, rows filled up with the last place.
  static func adaptiveTable(_ spatial: [Int], _ size: [Int]) -> [[Int]] {
    let strides = spatial.rowMajorStrides
    var rows: [[Int]] = []
    size.forEachIndex { index in
      rows.append(
        index.indices.reduce([0]) { places, axis in
          let range = adaptiveRange(index[axis], spatial[axis], size[axis])
          return places.flatMap { place in range.map { place + $0 * strides[axis] } }
        })
    }
    let longest = rows.map(\.count).max() ?? 0
    return rows.map { $0 + [Int](repeating: $0[$0.count - 1], count: longest - $0.count) }
  }
}
