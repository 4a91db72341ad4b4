import TarnCore

/// The geometry of a convolution or a pooling as an operator's attributes tell it.
struct ONNXWindow {
  var size: [Int], strides: [Int], low: [Int], high: [Int], dilations: [Int]
  /// How many windows there are along each axis.
  var counts: [Int]

  /// - Parameters:
  ///   - kernel: the window's lengths, where the weight tells them.
  ///   - spatial: the lengths of the axes it slides over.
  init(_ call: ONNXCall, kernel: [Int]? = nil, spatial: [Int]) throws {
    guard let size = try call.sizes("kernel_shape") ?? kernel, size.count == spatial.count,
      !size.isEmpty, kernel == nil || kernel == size
    else { throw call.error("its kernel does not fit an input with \(spatial.count) such axes") }
    let ones = size.map { _ in 1 }
    strides = try call.sizes("strides") ?? ones
    dilations = try call.sizes("dilations") ?? ones
    let pads = try call.sizes("pads") ?? ones.map { _ in 0 } + ones.map { _ in 0 }
    let rank = size.count
    try call.require(
      strides.count == rank && dilations.count == rank && pads.count == 2 * rank
        && (size + strides + dilations).allSatisfy { $0 > 0 },
      "kernel, strides, dilations and pads do not fit together")
    self.size = size
    (low, high) = (Array(pads.prefix(rank)), Array(pads.suffix(rank)))
    counts = ones
    try resolve(call, spatial)
  }

  /// How far the window reaches along an axis.
  func reach(_ axis: Int) -> Int { dilations[axis] * (size[axis] - 1) + 1 }

  private mutating func resolve(_ call: ONNXCall, _ spatial: [Int]) throws {
    let mode = try call.string("auto_pad", "NOTSET")
    let ceil = try call.flag("ceil_mode", false)
    for axis in size.indices {
      let (length, step) = (spatial[axis], strides[axis])
      switch mode {
      case "SAME_UPPER", "SAME_LOWER":
        counts[axis] = (length + step - 1) / step
        let total = max(0, (counts[axis] - 1) * step + reach(axis) - length)
        low[axis] = mode == "SAME_UPPER" ? total / 2 : total - total / 2
        high[axis] = total - low[axis]
      case "NOTSET", "", "VALID":
        if mode == "VALID" { (low[axis], high[axis]) = (0, 0) }
        let room = low[axis] + length + high[axis] - reach(axis)
        try call.require(room >= 0, "the window \(size) is larger than its padded input")
        counts[axis] = room / step + 1
        // A last window that begins in the padding behind is left out.
        if ceil && room % step != 0 && counts[axis] * step < length + low[axis] {
          counts[axis] += 1
        }
      default: throw call.error("there is no auto_pad '\(mode)'")
      }
    }
  }

  /// How much must follow the input for the last windows.
  func extent(_ spatial: [Int]) -> [Int] {
    size.indices.map { axis in
      max(0, (counts[axis] - 1) * strides[axis] + reach(axis) - spatial[axis] - low[axis])
    }
  }

  /// Tarn's window over axes of these lengths.
  func window(_ spatial: [Int]) -> Window {
    Window(
      size: size, strides: strides, low: low, high: extent(spatial), dilations: dilations)
  }

  /// The part for some of the axes.
  func part(_ axes: Range<Int>) -> ONNXWindow {
    var part = self
    (part.size, part.strides, part.counts) = (
      Array(size[axes]), Array(strides[axes]), Array(counts[axes])
    )
    (part.low, part.high) = (Array(low[axes]), Array(high[axes]))
    part.dilations = Array(dilations[axes])
    return part
  }
}
