import TarnCore

/// Pad, in all its modes.
extension ONNXOperators {
  static func pad(_ call: ONNXCall) throws -> Tensor {
    let x = try call.tensor(0)
    let mode = try call.string("mode", "constant")
    guard let pads = try call.sizes("pads") ?? call.hostInts(1) else {
      throw call.error("it does not say how much to pad")
    }
    let value = try call.opset < 11 ? call.float("value", 0) : call.hostReals(2)?.first ?? 0
    let axes = try call.axes(call.hostInts(3) ?? Array(0..<x.rank), x.rank)
    try call.require(
      pads.count == 2 * axes.count && pads.allSatisfy { (-(1 << 30)...1 << 30).contains($0) },
      "\(pads) are not margins for \(axes.count) axes")
    var margins = x.shape.map { _ in (0, 0) }
    for (i, axis) in axes.enumerated() { margins[axis] = (pads[i], pads[i + axes.count]) }
    try call.checked(zip(margins, x.shape).map { $0.0 + $0.1 + $1 })
    return try x.padded(margins, mode: mode, value: value, call)
  }
}

extension Tensor {
  /// Negative margins crop first.
  fileprivate func padded(
    _ margins: [(Int, Int)], mode: String, value: Double, _ call: ONNXCall
  ) throws -> Tensor {
    let strides = zip(margins, shape).map { margin, length in
      Stride(Swift.max(0, -margin.0), length - Swift.max(0, -margin.1))
    }
    try call.require(
      strides.allSatisfy { $0.start <= $0.stop }, "the margins crop more than there is")
    let x = sliced(strides)
    let rest = margins.map { (Swift.max(0, $0.0), Swift.max(0, $0.1)) }
    switch mode {
    case "constant":
      if dtype == .bool {
        let wide = x.cast(to: .uint8).padded(rest, value: value)
        return wide .!= 0
      }
      return x.padded(rest, value: value)
    case "edge", "reflect", "wrap":
      return try x.shape.indices.reduce(x) { x, axis in
        try x.extended(axis, rest[axis], mode, call)
      }
    default: throw call.error("there is no mode '\(mode)'")
    }
  }

  /// One axis longer on both sides, from its own elements.
  private func extended(
    _ axis: Int, _ margin: (Int, Int), _ mode: String, _ call: ONNXCall
  ) throws -> Tensor {
    if margin == (0, 0) { return self }
    let length = shape[axis]
    try call.require(length > 0, "an empty axis cannot be extended")
    let places = (-margin.0..<length + margin.1).map { place -> Int in
      switch mode {
      case "edge": return Swift.max(0, Swift.min(length - 1, place))
      case "wrap": return ((place % length) + length) % length
      default:
        let period = Swift.max(1, 2 * (length - 1))
        let within = ((place % period) + period) % period
        return Swift.min(within, period - within) % length
      }
    }
    return take(call.constant(places, [places.count]), axis: axis)
  }
}
