import CTarnKernels
import Testing

/// The same draws in every run.
struct Draws: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
  mutating func floats(_ count: Int) -> [Float] {
    (0..<count).map { _ in Float.random(in: -1...1, using: &self) }
  }
}

/// Memory at a multiple of 64 bytes, full of NaN at first.
final class AlignedFloats {
  let pointer: UnsafeMutablePointer<Float>
  let count: Int

  init(count: Int) {
    self.count = count
    pointer = UnsafeMutableRawPointer.allocate(byteCount: 4 * max(count, 1), alignment: 64)
      .bindMemory(to: Float.self, capacity: max(count, 1))
    pointer.initialize(repeating: .nan, count: max(count, 1))
  }

  convenience init(_ values: [Float]) {
    self.init(count: values.count)
    for (i, value) in values.enumerated() { pointer[i] = value }
  }

  deinit { UnsafeMutableRawPointer(pointer).deallocate() }

  var values: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
}

/// The shape of an image [n, c, pixels] and how it lies in blocks of sixteen channels.
struct BlockedShape {
  var n: Int
  var c: Int
  var pixels: Int

  var blocks: Int { (c + 15) / 16 }
  var count: Int { n * c * pixels }

  private func place(_ at: Int) -> Int {
    let channel = at / pixels % c
    return ((at / pixels / c * blocks + channel / 16) * pixels + at % pixels) * 16 + channel % 16
  }

  /// Blocked, with NaN in the lanes past c.
  func blocked(_ plain: [Float]) -> AlignedFloats {
    let result = AlignedFloats(count: n * blocks * pixels * 16)
    for (i, value) in plain.enumerated() { result.pointer[place(i)] = value }
    return result
  }

  func plain(_ blocked: AlignedFloats) -> [Float] {
    (0..<count).map { blocked.pointer[place($0)] }
  }
}

/// A convolution, its operands, and what the plain kernels make of them in double precision.
struct BlockedConvolution {
  var conv: tarn_conv
  var x: [Float]
  var w: [Float]
  var g: [Float]

  var xShape: BlockedShape {
    BlockedShape(n: Int(conv.n), c: Int(conv.c), pixels: Int(conv.h * conv.w))
  }
  var yShape: BlockedShape {
    BlockedShape(n: Int(conv.n), c: Int(conv.o), pixels: Int(conv.oh * conv.ow))
  }

  /// Images of random size with random stride, padding (also more than the kernel reaches, or less than none) and
  /// dilation.
  init(
    images: Int, channels: Int, outputs: Int, groups: Int, kernel: (Int, Int), dilated: Bool,
    draws: inout Draws
  ) {
    conv = tarn_conv()
    conv.n = Int64(images)
    conv.c = Int64(channels)
    conv.o = Int64(outputs)
    conv.groups = Int64(groups)
    let stride = [1 + draws.below(2), 1 + draws.below(2)]
    let dilation = dilated ? [1 + draws.below(3), 1 + draws.below(3)] : [1, 1]
    let low = [draws.below(5) - 1, draws.below(5) - 1]
    let sizes = [kernel.0, kernel.1]
    var image = [0, 0]
    var positions = [0, 0]
    for axis in 0..<2 {
      let reach = (sizes[axis] - 1) * dilation[axis] + 1
      let high = draws.below(4)
      image[axis] = max(1 + draws.below(axis == 0 ? 9 : 19), reach - low[axis] - high)
      positions[axis] = (image[axis] + low[axis] + high - reach) / stride[axis] + 1
    }
    (conv.kh, conv.kw) = (Int64(sizes[0]), Int64(sizes[1]))
    (conv.h, conv.w) = (Int64(image[0]), Int64(image[1]))
    (conv.oh, conv.ow) = (Int64(positions[0]), Int64(positions[1]))
    conv.stride = (Int64(stride[0]), Int64(stride[1]))
    conv.dilation = (Int64(dilation[0]), Int64(dilation[1]))
    conv.low = (Int64(low[0]), Int64(low[1]))
    x = draws.floats(images * channels * image[0] * image[1])
    w = draws.floats(outputs * channels / groups * sizes[0] * sizes[1])
    g = draws.floats(images * outputs * positions[0] * positions[1])
  }

  private typealias Kernel = (
    Int32, UnsafePointer<tarn_conv>?, UnsafeRawPointer?, UnsafeRawPointer?,
    UnsafeMutableRawPointer?
  ) -> Int32

  private func reference(_ kernel: Kernel, _ a: [Float], _ b: [Float], _ count: Int) -> [Double] {
    var result = [Double](repeating: 0, count: count)
    let status = withUnsafePointer(to: conv) { conv in
      kernel(Int32(TARN_DTYPE_F64.rawValue), conv, a.map(Double.init), b.map(Double.init), &result)
    }
    #expect(status == 0)
    return result
  }

  func forward() -> [Double] { reference(tarn_conv2d_forward, x, w, g.count) }
  func inputGradient() -> [Double] { reference(tarn_conv2d_input_gradient, g, w, x.count) }
  func weightGradient() -> [Double] { reference(tarn_conv2d_weight_gradient, x, g, w.count) }

  /// The values of a call on 1, 2 and 3 threads, whose bits must agree.
  func onSeveralThreads(_ call: (UnsafePointer<tarn_conv>) -> (status: Int32, values: [Float]))
    -> [Float]
  {
    let before = tarn_threads()
    defer { tarn_set_threads(before) }
    var results: [[Float]] = []
    for threads: Int32 in [1, 2, 3] {
      tarn_set_threads(threads)
      let (status, values) = withUnsafePointer(to: conv, call)
      #expect(status == 0, "\(conv)")
      results.append(values)
      let same = zip(results[0], values).allSatisfy { $0.bitPattern == $1.bitPattern }
      #expect(same, "\(threads) threads, \(conv)")
    }
    return results[0]
  }

  /// Relative to sums of `terms` numbers of about 1; infinities and NaN must be the same.
  func expectClose(_ result: [Float], _ expected: [Double], terms: Int, _ what: String) {
    #expect(result.count == expected.count)
    let tolerance = 1e-6 * (4 + Double(terms).squareRoot())
    let worst = zip(result, expected).first { value, wanted in
      if wanted.isNaN { return !value.isNaN }
      if wanted.isInfinite { return Double(value) != wanted }
      return !(abs(Double(value) - wanted) <= tolerance * max(1, abs(wanted)))
    }
    #expect(worst == nil, "\(what): \(conv)")
  }
}
