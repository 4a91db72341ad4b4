import TarnCore

/// Images read at places between their pixels.
struct ONNXSampler {
  enum Padding { case zeros, border, reflection }

  let padding: Padding
  let alignsCorners: Bool

  /// The values of `x` [N, C, L…] at places given in pixels, a tensor [N, P] for each spatial axis: [N, C, P].
  func values(_ x: Tensor, _ places: [Tensor], mode: String) -> Tensor {
    let lengths = Array(x.shape.dropFirst(2))
    switch mode {
    case "nearest": return gathered(x, zip(places, lengths).map { kept($0, $1).round() })
    case "cubic", "bicubic":
      return interpolated(x, places, -1..<3) { i, ratio in Self.cubic((Double(i) - ratio).abs()) }
    default:
      let inside = zip(places, lengths).map { kept($0, $1) }
      return interpolated(x, inside, 0..<2) { i, ratio in i == 0 ? 1 - ratio : ratio }
    }
  }

  /// A sum over the neighbours along every axis, with a weight for each.
  private func interpolated(
    _ x: Tensor, _ places: [Tensor], _ taps: Range<Int>, _ weight: (Int, Tensor) -> Tensor
  ) -> Tensor {
    let floors = places.map { $0.floor() }
    let ratios = zip(places, floors).map { $0 - $1 }
    let offsets = places.reduce([[Int]]([[]])) { all, _ in
      all.flatMap { prefix in taps.map { prefix + [$0] } }
    }
    let terms = offsets.map { offset -> Tensor in
      let weights = zip(offset, ratios).map { weight($0, $1) }
      let product = weights.dropFirst().reduce(weights[0], *)
      return gathered(x, zip(floors, offset).map { $0 + $1 }) * product.expandedDims(1)
    }
    return terms.dropFirst().reduce(terms[0], +)
  }

  private static func cubic(_ x: Tensor) -> Tensor {
    let a = -0.75
    let near = ((a + 2) * x - (a + 3)) * x * x + 1
    let far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return which(x .<= 1, near, which(x .< 2, far, Tensor.full(like: x, 0)))
  }

  /// A place brought into the image, where the padding says how.
  private func kept(_ place: Tensor, _ length: Int) -> Tensor {
    switch padding {
    case .zeros: return place
    case .border: return place.clamped(min: 0, max: Double(length - 1))
    case .reflection:
      let (low, high) = alignsCorners ? (0.0, Double(length - 1)) : (-0.5, Double(length) - 0.5)
      let span = high - low
      if span == 0 { return Tensor.full(like: place, 0) }
      let offset = (place - low) % (2 * span)
      return (low + offset.minimum(2 * span - offset)).clamped(min: 0, max: Double(length - 1))
    }
  }

  /// The pixels at whole places; those outside are 0, or as the padding says.
  private func gathered(_ x: Tensor, _ places: [Tensor]) -> Tensor {
    let lengths = Array(x.shape.dropFirst(2))
    let (n, c) = (x.shape[0], x.shape[1])
    let strides = lengths.rowMajorStrides
    var isInside: Tensor?
    var flat = Tensor.iota([n, 1], axis: 0, device: x.device) * lengths.product
    for (axis, place) in places.enumerated() {
      let inside = padding == .zeros ? place : kept(place, lengths[axis]).round()
      if padding == .zeros {
        let isHere = (place .>= 0) .& (place .<= Double(lengths[axis] - 1))
        isInside = isInside.map { $0 .& isHere } ?? isHere
      }
      let index = inside.clamped(min: 0, max: Double(lengths[axis] - 1)).cast(to: .int64)
      flat = flat + index * strides[axis]
    }
    // A pixel's channels beside one another, so that one index takes them all.
    let rows = x.reshaped([n, c, lengths.product]).transposed().reshaped([n * lengths.product, c])
    let values = rows.take(flat).transposed()
    return isInside.map { which($0.expandedDims(1), values, Tensor.full(like: values, 0)) }
      ?? values
  }
}

extension ONNXOperators {
  /// Values of an image at the places of a grid, which goes from −1 to 1 along each axis.
  static func gridSample(_ call: ONNXCall) throws -> Tensor {
    let (x, grid) = (try call.tensor(0), try call.tensor(1))
    let axes = x.rank - 2
    try call.require(
      axes > 0 && axes <= 3 && grid.rank == x.rank && grid.shape.last == axes
        && grid.shape[0] == x.shape[0] && x.count > 0 && grid.count > 0,
      "image \(x.shape) and grid \(grid.shape) do not fit")
    let aligns = try call.flag("align_corners", false)
    let padding: ONNXSampler.Padding
    switch try call.string("padding_mode", "zeros") {
    case "zeros": padding = .zeros
    case "border": padding = .border
    case "reflection": padding = .reflection
    case let other: throw call.error("there is no padding mode '\(other)'")
    }
    let spatial = Array(grid.shape[1..<grid.rank - 1])
    try call.checked([x.shape[0], x.shape[1], 64] + spatial)
    // The last axis of the image comes first in the grid.
    let places = (0..<axes).map { axis -> Tensor in
      let g = grid.narrowed(grid.rank - 1, from: axes - 1 - axis, to: axes - axis)
        .reshaped([grid.shape[0], spatial.product])
      let length = Double(x.shape[axis + 2])
      return aligns ? (g + 1) * ((length - 1) / 2) : ((g + 1) * length - 1) / 2
    }
    let mode = try call.string("mode", "linear")
    try call.require(
      ["linear", "bilinear", "nearest", "cubic", "bicubic"].contains(mode),
      "there is no mode '\(mode)'")
    return ONNXSampler(padding: padding, alignsCorners: aligns).values(x, places, mode: mode)
      .reshaped(x.shape.prefix(2) + spatial)
  }

  /// The places of an image's pixels after an affine map, from −1 to 1.
  static func affineGrid(_ call: ONNXCall) throws -> Tensor {
    let theta = try call.tensor(0)
    guard let size = try call.hostInts(1), size.count == 4 || size.count == 5,
      size.allSatisfy({ $0 > 0 }), theta.shape == [size[0], size.count - 2, size.count - 1]
    else { throw call.error("its sizes do not fit \(theta.shape)") }
    let spatial = Array(size.dropFirst(2))
    try call.checked([size[0], 4] + spatial)
    let aligns = try call.flag("align_corners", false)
    var columns: [Tensor] = []
    for axis in spatial.indices.reversed() {
      let length = Double(spatial[axis])
      let index = Tensor.iota(
        [1] + spatial, axis: axis + 1, dtype: theta.dtype, device: theta.device)
      columns.append(
        aligns
          ? (length > 1 ? index * (2 / (length - 1)) - 1 : index * 0)
          : (index * 2 + 1) / length - 1)
    }
    columns.append(Tensor.full(like: columns[0], 1))
    let points = Tensor.stacked(columns, axis: -1).reshaped([1, spatial.product, columns.count])
    return points.matmul(theta, transposed: true).reshaped([size[0]] + spatial + [spatial.count])
  }

  /// A convolution whose taps are moved, each by a part of the offsets. Zhu et al. 2019, arXiv:1811.11168.
  static func deformedConvolution(_ call: ONNXCall) throws -> Tensor {
    let (x, weight, offset) = (try call.tensor(0), try call.tensor(1), try call.tensor(2))
    try call.require(
      x.rank == 4 && weight.rank == 4 && offset.rank == 4 && x.count > 0,
      "input \(x.shape) and weight \(weight.shape) are no images")
    let window = try ONNXWindow(
      call, kernel: Array(weight.shape.dropFirst(2)), spatial: Array(x.shape.dropFirst(2)))
    let (n, c, taps) = (x.shape[0], x.shape[1], window.size.product)
    let groups = try call.int("group", 1), parts = try call.int("offset_group", 1)
    let (h, w) = (window.counts[0], window.counts[1])
    try call.require(
      groups > 0 && parts > 0 && c % parts == 0 && c == weight.shape[1] * groups
        && weight.shape[0] % groups == 0 && offset.shape == [n, 2 * parts * taps, h, w],
      "its inputs do not fit")
    try call.checked([n, c * taps, h * w])
    let mask = call.optional(4)
    try call.require(
      mask.map { $0.shape == [n, parts * taps, h, w] } ?? true, "its mask does not fit")
    let moves = offset.reshaped([n, parts, taps, 2, h * w])
    let sampler = ONNXSampler(padding: .zeros, alignsCorners: true)
    var columns: [Tensor] = []
    for part in 0..<parts {
      let channels = x.narrowed(1, from: part * (c / parts), to: (part + 1) * (c / parts))
      for tap in 0..<taps {
        let places = (0..<2).map { axis -> Tensor in
          let k = axis == 0 ? tap / window.size[1] : tap % window.size[1]
          let base =
            Tensor.iota([h, w], axis: axis, dtype: x.dtype, device: x.device)
            * window.strides[axis] + (k * window.dilations[axis] - window.low[axis])
          return base.reshaped([1, h * w]).cast(to: x.dtype) + moves[0..<n, part, tap, axis]
        }
        var values = sampler.values(channels, places, mode: "linear")
        if let mask {
          values =
            values * mask.reshaped([n, parts, taps, h * w])[0..<n, part, tap].expandedDims(1)
        }
        columns.append(values)
      }
    }
    // [N, parts, taps, C / parts, P] → [N, groups, C / groups · taps, P]
    let stacked = Tensor.stacked(columns, axis: 1).reshaped([n, parts, taps, c / parts, h * w])
      .permuted([0, 1, 3, 2, 4]).reshaped([n, groups, c / groups * taps, h * w])
    let rows = weight.reshaped([1, groups, weight.shape[0] / groups, c / groups * taps])
    return rows.matmul(stacked).reshaped([n, weight.shape[0], h, w]).plus(call.optional(3))
  }
}
