import TarnCore

/// The largest or the mean of each window. Margins are not counted.
struct KerasPooling: KerasOperation {
  let ranks: ClosedRange<Int>
  private let window: KerasWindow
  private let isMaximum: Bool

  init(_ config: KerasConfig, axes: Int, isMaximum: Bool) throws {
    window = try KerasWindow(config, axes: axes, size: "pool_size")
    ranks = (axes + 2)...(axes + 2)
    self.isMaximum = isMaximum
  }

  func callAsFunction(_ inputs: [Tensor], _ variables: [Tensor]) -> Tensor {
    window.channelsFirst(inputs[0]) { x in
      let margins = window.margins(Array(x.shape.dropFirst(2)))
      // Pooling itself takes margins up to half a window, the same on both sides.
      if isMaximum {
        let padded = margins.contains { $0 != (0, 0) }
        let wide =
          padded
          ? x.padded([(0, 0), (0, 0)] + margins, value: -.infinity) : x
        return wide.maxPooled(window.size, strides: window.strides)
      }
      return Self.average(x, window, margins)
    }
  }

  /// The sum of each window over the number of its elements that are no margin.
  private static func average(
    _ x: Tensor, _ window: KerasWindow, _ margins: [(Int, Int)]
  ) -> Tensor {
    guard margins.contains(where: { $0 != (0, 0) }) else {
      return x.averagePooled(window.size, strides: window.strides)
    }
    let all = [(0, 0), (0, 0)] + margins
    let ones = Tensor.ones([1, 1] + x.shape.dropFirst(2), dtype: x.dtype)
    func mean(_ x: Tensor) -> Tensor {
      x.padded(all).averagePooled(window.size, strides: window.strides)
    }
    return mean(x) / mean(ones)
  }

  static func global(
    _ config: KerasConfig, axes: Int, isMaximum: Bool
  ) throws -> any KerasOperation {
    let isChannelsLast = try config.isChannelsLast()
    let keepsAxes = try config.bool("keepdims", false)
    let rank = axes + 2
    let spatial = isChannelsLast ? Array(1...axes) : Array(2..<rank)
    return KerasFunction(ranks: rank...rank) { x in
      isMaximum
        ? x.max(axes: spatial, keepDims: keepsAxes) : x.mean(axes: spatial, keepDims: keepsAxes)
    }
  }
}
