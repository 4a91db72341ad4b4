import Foundation
import TarnCore
import TarnInterop

/// Fourier transforms and windows.
extension ONNXOperators {
  static let signals: [ONNXOperator] = [
    ONNXOperator("DFT", [17, 20], dft),
    ONNXOperator("STFT", [17], stft),
    window("HannWindow") { 0.5 - 0.5 * cos($0) },
    window("HammingWindow") { 25.0 / 46 - 21.0 / 46 * cos($0) },
    window("BlackmanWindow") { 0.42 - 0.5 * cos($0) + 0.08 * cos(2 * $0) },
    ONNXOperator("MelWeightMatrix", [17], melWeights),
  ]

  /// The longest transform; a transform is a product with a matrix.
  private static let longest = 1 << 12

  private static func dft(_ call: ONNXCall) throws -> Tensor {
    let x = try call.tensor(0)
    try call.require(
      x.rank >= 2 && [1, 2].contains(x.shape[x.rank - 1]), "\(x.shape) is no signal")
    let named = try call.opset < 20 ? call.int("axis", 1) : call.hostInt(2) ?? -2
    let axis = try call.axis(named, x.rank)
    try call.require(axis < x.rank - 1, "the last axis has real and imaginary parts")
    let length = try call.hostInt(1) ?? x.shape[axis]
    let inverse = try call.flag("inverse", false), onesided = try call.flag("onesided", false)
    try call.require((1...longest).contains(length), "a transform of \(length) is too long")
    try call.checkTable(length, length)
    let lines = x.movedAxis(axis, to: x.rank - 2)
    let kept = Swift.min(length, x.shape[axis])
    let cut = lines.narrowed(x.rank - 2, from: 0, to: kept)
      .padded((0..<x.rank).map { $0 == x.rank - 2 ? (0, length - kept) : (0, 0) })
    return transformed(call, cut, length, inverse: inverse, onesided: onesided)
      .movedAxis(x.rank - 2, to: axis)
  }

  /// Along the last axis but one; the last has the real and, if it is 2 long, the imaginary part.
  private static func transformed(
    _ call: ONNXCall, _ x: Tensor, _ n: Int, inverse: Bool, onesided: Bool
  ) -> Tensor {
    let count = onesided ? n / 2 + 1 : n
    let sign = inverse ? 1.0 : -1.0, scale = inverse ? 1 / Double(n) : 1
    var cosines: [Double] = []
    var sines: [Double] = []
    for k in 0..<count {
      for t in 0..<n {
        let angle = 2 * Double.pi * Double(k * t % n) / Double(n)
        cosines.append(scale * cos(angle))
        sines.append(sign * scale * sin(angle))
      }
    }
    let c = call.constant(cosines, [count, n], x.dtype),
      s = call.constant(sines, [count, n], x.dtype)
    let last = x.rank - 1
    let real = x.narrowed(last, from: 0, to: 1)
    guard x.shape[last] == 2 else {
      return .concatenated([c.matmul(real), s.matmul(real)], axis: last)
    }
    let imaginary = x.narrowed(last, from: 1, to: 2)
    return .concatenated(
      [c.matmul(real) - s.matmul(imaginary), s.matmul(real) + c.matmul(imaginary)], axis: last)
  }

  private static func stft(_ call: ONNXCall) throws -> Tensor {
    var x = try call.tensor(0)
    if x.rank == 2 { x = x.expandedDims(2) }
    let window = call.optional(2)
    guard x.rank == 3, let step = try call.hostInt(1), (1..<1 << 30).contains(step),
      let length = try call.hostInt(3) ?? window?.count, (1...longest).contains(length),
      length <= x.shape[1], window.map({ $0.shape == [length] }) ?? true
    else { throw call.error("its frames do not fit \(x.shape)") }
    let frames = (x.shape[1] - length) / step + 1
    try call.checked([x.shape[0], frames, length, x.shape[2]])
    try call.checkTable(length, length)
    let start = Tensor.iota([frames, 1], axis: 0, device: x.device) * step
    let places = start + Tensor.iota([1, length], axis: 1, device: x.device)
    var parts = x.take(places, axis: 1)
    if let window { parts = parts * window.reshaped([length, 1]) }
    let onesided = try call.flag("onesided", true)
    return transformed(call, parts, length, inverse: false, onesided: onesided)
  }

  /// A window of a number of samples; a periodic one repeats after them, a symmetric one ends as it begins.
  private static func window(
    _ name: String, _ value: @escaping @Sendable (Double) -> Double
  ) -> ONNXOperator {
    ONNXOperator(
      name, [17],
      values: { call in
        guard let size = try call.hostInt(0), (0..<1 << 30).contains(size) else {
          throw call.error("it has no size")
        }
        try call.checkTable(size)
        let element = try call.elementAttribute("output_datatype") ?? .float32
        let period = try call.flag("periodic", true) ? size : Swift.max(1, size - 1)
        let values = (0..<size).map { value(2 * Double.pi * Double($0) / Double(period)) }
        return [.tensor(call.constant(values, [size], try call.carrier(element)), element)]
      })
  }

  /// Triangles over the frequencies of a spectrum, evenly spaced on the mel scale.
  private static func melWeights(_ call: ONNXCall) throws -> Tensor {
    guard let bins = try call.hostInt(0), let length = try call.hostInt(1),
      let rate = try call.hostInt(2), let low = try call.hostReals(3)?.first,
      let high = try call.hostReals(4)?.first, (1..<1 << 16).contains(bins),
      (1..<1 << 20).contains(length), (1..<1 << 30).contains(rate), low >= 0, high > low, high < 1e9
    else { throw call.error("its numbers are absurd") }
    let rows = length / 2 + 1
    try call.checkTable(rows, bins)
    func mel(_ f: Double) -> Double { 2595 * log10(1 + f / 700) }
    func hertz(_ m: Double) -> Double { 700 * (pow(10, m / 2595) - 1) }
    let step = (mel(high) - mel(low)) / Double(bins + 2)
    let points = (0..<bins + 2).map { i -> Int in
      Int((Double(length + 1) * hertz(mel(low) + Double(i) * step) / Double(rate)).rounded(.down))
    }
    var weights = [Double](repeating: 0, count: rows * bins)
    for bin in 0..<bins {
      let (from, top, to) = (points[bin], points[bin + 1], points[bin + 2])
      if top == from {
        if top < rows { weights[top * bins + bin] = 1 }
      } else {
        for f in from..<Swift.max(from, Swift.min(rows, top + 1)) {
          weights[f * bins + bin] = Double(f - from) / Double(top - from)
        }
      }
      if to > top {
        for f in top..<Swift.max(top, Swift.min(rows, to)) {
          weights[f * bins + bin] = Double(to - f) / Double(to - top)
        }
      }
    }
    let element = try call.elementAttribute("output_datatype") ?? .float32
    return call.constant(weights, [rows, bins], try call.carrier(element))
  }
}
