import TarnCore

/// Resize and its forerunner Upsample: each axis is interpolated by itself.
struct ONNXResize {
  let call: ONNXCall
  let mode: String
  let transform: String
  let rounding: String
  let cubic: Double
  let excludesOutside: Bool
  let antialiases: Bool
  let outside: Double

  init(_ call: ONNXCall) throws {
    self.call = call
    let isOld = call.node.type == "Upsample" || call.opset < 11
    mode = try call.string("mode", "nearest")
    transform = try call.string(
      "coordinate_transformation_mode", isOld ? "asymmetric" : "half_pixel")
    rounding = try call.string("nearest_mode", isOld ? "floor" : "round_prefer_floor")
    cubic = try call.float("cubic_coeff_a", -0.75)
    excludesOutside = try call.flag("exclude_outside", false)
    antialiases = try call.flag("antialias", false)
    outside = try call.float("extrapolation_value", 0)
  }

  /// What becomes of one axis.
  private struct Axis {
    var number: Int
    var length: Int
    var count: Int
    var scale: Double
    var start = 0.0, end = 1.0
  }

  func result() throws -> Tensor {
    let x = try call.tensor(0)
    let axes = try self.axes(x)
    var shape = x.shape
    for axis in axes { shape[axis.number] = axis.count }
    try call.checked(shape)
    let work = mode == "nearest" || x.dtype.isFloating ? x : x.cast(to: .float32)
    var y = work
    for axis in axes where !isUnchanged(axis) { y = try resized(y, axis) }
    if transform == "tf_crop_and_resize" { y = withOutside(y, axes) }
    return y.cast(to: x.dtype)
  }

  private func isUnchanged(_ axis: Axis) -> Bool {
    axis.scale == 1 && axis.count == axis.length && transform != "tf_crop_and_resize"
  }

  // MARK: Sizes

  private func axes(_ x: Tensor) throws -> [Axis] {
    let isUpsample = call.node.type == "Upsample"
    let place = isUpsample || call.opset < 11 ? 1 : 2
    let numbers = try call.axes(call.ints("axes") ?? Array(0..<x.rank), x.rank)
    try call.require(x.count > 0, "its input is empty")
    let scales = try call.floats("scales") ?? call.hostReals(place)
    if let sizes = try call.hostInts(3), !isUpsample, !sizes.isEmpty {
      return try self.axes(x, numbers, sizes: sizes)
    }
    guard let scales, scales.count == numbers.count,
      scales.allSatisfy({ $0 > 0 && $0 < 0x1p30 })
    else { throw call.error("it has no scales that fit \(x.shape)") }
    let crops = try self.crops(numbers.count)
    return numbers.indices.map { i in
      let length = x.shape[numbers[i]]
      let factor = transform == "tf_crop_and_resize" ? crops[i].1 - crops[i].0 : 1
      let count = (Double(length) * factor * scales[i] + 1e-9).rounded(.down)
      return Axis(
        number: numbers[i], length: length, count: Int(min(max(count, 0), 0x1p40)),
        scale: scales[i], start: crops[i].0, end: crops[i].1)
    }
  }

  private func axes(_ x: Tensor, _ numbers: [Int], sizes: [Int]) throws -> [Axis] {
    try call.require(
      sizes.count == numbers.count && sizes.allSatisfy { (0...1 << 40).contains($0) },
      "the sizes \(sizes) do not fit \(x.shape)")
    let crops = try self.crops(numbers.count)
    let own = numbers.indices.map { Double(sizes[$0]) / Double(x.shape[numbers[$0]]) }
    let policy = try call.string("keep_aspect_ratio_policy", "stretch")
    let common = policy == "not_larger" ? own.min() : policy == "not_smaller" ? own.max() : nil
    return numbers.indices.map { i in
      let length = x.shape[numbers[i]]
      let scale = common ?? own[i]
      let count = common.map { Int((Double(length) * $0 + 0.5).rounded(.down)) } ?? sizes[i]
      return Axis(
        number: numbers[i], length: length, count: count, scale: scale, start: crops[i].0,
        end: crops[i].1)
    }
  }

  private func crops(_ count: Int) throws -> [(Double, Double)] {
    guard transform == "tf_crop_and_resize", let roi = try call.hostReals(1) else {
      return [(Double, Double)](repeating: (0, 1), count: count)
    }
    try call.require(
      roi.count == 2 * count && roi.allSatisfy { abs($0) < 0x1p24 }, "its region does not fit")
    return (0..<count).map { (roi[$0], roi[$0 + count]) }
  }

  // MARK: Places

  /// Where in the input an element of the output lies.
  private func position(_ i: Int, _ axis: Axis) -> Double {
    let (x, length, count) = (Double(i), Double(axis.length), Double(axis.count))
    switch transform {
    case "align_corners":
      let whole = axis.scale * length
      return whole <= 1 ? 0 : x * (length - 1) / (whole - 1)
    case "asymmetric": return x / axis.scale
    case "pytorch_half_pixel": return count > 1 ? (x + 0.5) / axis.scale - 0.5 : 0
    case "tf_half_pixel_for_nn": return (x + 0.5) / axis.scale
    case "half_pixel_symmetric":
      let offset = length / 2 * (1 - count / (axis.scale * length))
      return offset + (x + 0.5) / axis.scale - 0.5
    case "tf_crop_and_resize":
      if axis.count > 1 {
        return axis.start * (length - 1) + x * (axis.end - axis.start) * (length - 1) / (count - 1)
      }
      return 0.5 * (axis.start + axis.end) * (length - 1)
    default: return (x + 0.5) / axis.scale - 0.5
    }
  }

  private func resized(_ x: Tensor, _ axis: Axis) throws -> Tensor {
    if mode == "nearest" {
      if transform == "asymmetric", rounding == "floor", axis.count % axis.length == 0,
        axis.scale == Double(axis.count / axis.length)
      {
        return x.repeated(axis.count / axis.length, axis: axis.number)
      }
      try call.checkTable(axis.count)
      let places = (0..<axis.count).map { nearest(position($0, axis), axis.length) }
      return x.take(call.constant(places, [axis.count]), axis: axis.number)
    }
    try call.checkTable(axis.count, axis.length)
    var weights = [Double](repeating: 0, count: axis.count * axis.length)
    for i in 0..<axis.count {
      for (place, weight) in try taps(position(i, axis), axis) {
        weights[i * axis.length + place] += weight
      }
    }
    let matrix = call.constant(weights, [axis.length * axis.count], x.dtype)
      .reshaped([axis.count, axis.length])
    return x.movedAxis(axis.number, to: x.rank - 1).matmul(matrix, transposed: true)
      .movedAxis(x.rank - 1, to: axis.number)
  }

  private func nearest(_ position: Double, _ length: Int) -> Int {
    let rounded: Double
    switch rounding {
    case "round_prefer_ceil": rounded = (position + 0.5).rounded(.down)
    case "floor": rounded = position.rounded(.down)
    case "ceil": rounded = position.rounded(.up)
    default: rounded = (position - 0.5).rounded(.up)
    }
    return Int(max(0, min(Double(length - 1), rounded)))
  }

  /// Which elements an element of the output is made of, and with which weights.
  private func taps(_ position: Double, _ axis: Axis) throws -> [(Int, Double)] {
    let reach: Double
    switch mode {
    case "linear": reach = 1
    case "cubic": reach = 2
    default: throw call.error("there is no mode '\(mode)'")
    }
    // A smaller image is smoothed over as much as falls into one of its pixels.
    let scale = antialiases ? min(1, axis.scale) : 1
    let bounded = max(-Double(axis.length) * 4, min(Double(axis.length) * 4, position))
    let floor = bounded.rounded(.down)
    let ratio = bounded - floor
    let first = Int((-reach / scale).rounded(.down)) + 1
    let last = Int(reach) - first
    try call.require(last - first < 1 << 16, "a pixel would be made of \(last - first) others")
    var taps: [(Int, Double)] = []
    for i in first...max(first, last) {
      let weight = kernel(scale * (Double(i) - ratio))
      let place = Int(floor) + i
      if weight == 0 || excludesOutside && !(0..<axis.length).contains(place) { continue }
      taps.append((max(0, min(axis.length - 1, place)), weight))
    }
    let sum = taps.reduce(0) { $0 + $1.1 }
    return sum == 0 ? taps : taps.map { ($0.0, $0.1 / sum) }
  }

  /// Keys, "Cubic convolution interpolation for digital image processing", 1981, or a triangle.
  private func kernel(_ x: Double) -> Double {
    let x = abs(x), a = cubic
    if mode == "linear" { return max(0, 1 - x) }
    if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
  }

  /// What lies outside of the input is one number.
  private func withOutside(_ y: Tensor, _ axes: [Axis]) -> Tensor {
    axes.reduce(y) { y, axis in
      let isInside = (0..<axis.count).map {
        (0...Double(axis.length - 1)).contains(position($0, axis))
      }
      if isInside.allSatisfy({ $0 }) { return y }
      var shape = [Int](repeating: 1, count: y.rank)
      shape[axis.number] = axis.count
      let mask = call.constant(isInside.map { $0 ? 1 : 0 }, shape) .!= 0
      return which(mask, y, y.filled(.real(outside)))
    }
  }
}
