import CTarnKernels
import Foundation
import Testing

/// Memory for blocked images, at a multiple of 64 bytes.
private final class Memory {
  let data: UnsafeMutablePointer<Float>
  let count: Int

  init(_ count: Int, filledWith value: Float = 0) {
    self.count = count
    let bytes = max(1, count) * MemoryLayout<Float>.size
    data = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
      .bindMemory(to: Float.self, capacity: max(1, count))
    data.initialize(repeating: value, count: count)
  }
  deinit { data.deallocate() }
}

private struct Generator {
  var state: UInt64
  mutating func next(_ range: ClosedRange<Int>) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return range.lowerBound + Int((state >> 33) % UInt64(range.count))
  }
  mutating func values(_ count: Int) -> [Float] {
    (0..<count).map { _ in Float(next(-1000...1000)) / 1000 }
  }
}

/// Images of [n, c, pixels], with their blocked form.
private struct Images {
  let n: Int, c: Int, pixels: Int
  var blocks: Int { (c + 15) / 16 }

  private func place(_ image: Int, _ channel: Int, _ pixel: Int) -> Int {
    (((image * blocks + channel / 16) * pixels) + pixel) * 16 + channel % 16
  }
  func empty() -> Memory { Memory(n * blocks * pixels * 16, filledWith: .nan) }
  /// Lanes past c are NaN: none may reach a result.
  func blocked(_ x: [Float]) -> Memory {
    let to = empty()
    for i in 0..<n * c * pixels {
      to.data[place(i / (c * pixels), i / pixels % c, i % pixels)] = x[i]
    }
    return to
  }
  func plain(_ x: Memory) -> [Float] {
    (0..<n * c * pixels).map { x.data[place($0 / (c * pixels), $0 / pixels % c, $0 % pixels)] }
  }
}

private func check(
  _ got: [Float], _ want: [Double], within tolerance: Double, _ what: String
) {
  let scale = want.reduce(0) { max($0, abs($1)) }
  let error = zip(got, want).reduce(0.0) { worst, pair in
    let difference = abs(Double(pair.0) - pair.1)
    return difference <= worst ? worst : difference
  }
  #expect(error <= tolerance * scale, "\(what): off by \(error) of \(scale)")
}

private struct Problem {
  var conv: tarn_conv
  let x: [Float], g: [Float], w: [Float]

  init(
    n: Int, c: Int, o: Int, size: (Int, Int), low: (Int, Int), high: (Int, Int),
    using random: inout Generator
  ) {
    conv = tarn_conv(
      n: Int64(n), c: Int64(c), h: Int64(size.0), w: Int64(size.1), o: Int64(o), kh: 3, kw: 3,
      oh: Int64(max(0, size.0 + low.0 + high.0 - 2)),
      ow: Int64(max(0, size.1 + low.1 + high.1 - 2)),
      stride: (1, 1), low: (Int64(low.0), Int64(low.1)), dilation: (1, 1), groups: 1)
    x = random.values(n * c * size.0 * size.1)
    g = random.values(n * o * Int(conv.oh * conv.ow))
    w = random.values(o * c * 9)
  }

  static func random(using random: inout Generator) -> Problem {
    Problem(
      n: random.next(0...3), c: random.next(1...40), o: random.next(1...40),
      size: (random.next(1...15), random.next(1...15)),
      low: (random.next(0...2), random.next(0...2)), high: (random.next(0...2), random.next(0...2)),
      using: &random)
  }

  var inputs: Images { Images(n: Int(conv.n), c: Int(conv.c), pixels: Int(conv.h * conv.w)) }
  var outputs: Images { Images(n: Int(conv.n), c: Int(conv.o), pixels: Int(conv.oh * conv.ow)) }

  /// Calls `body` with the index of x, of y and of w for every product of the convolution.
  private func forEachProduct(_ body: (Int, Int, Int) -> Void) {
    let (c, h, w, o) = (Int(conv.c), Int(conv.h), Int(conv.w), Int(conv.o))
    let (oh, ow) = (Int(conv.oh), Int(conv.ow))
    for image in 0..<Int(conv.n) {
      for out in 0..<o * c * 9 {
        let (k, q, p, r) = (out / (c * 9), out / 9 % c, out % 9 / 3, out % 3)
        for i in 0..<oh {
          let y = i - Int(conv.low.0) + p
          guard y >= 0, y < h else { continue }
          for j in 0..<ow {
            let x = j - Int(conv.low.1) + r
            guard x >= 0, x < w else { continue }
            body(((image * c + q) * h + y) * w + x, ((image * o + k) * oh + i) * ow + j, out)
          }
        }
      }
    }
  }

  /// y, dx and dw in double precision.
  func reference() -> (y: [Double], dx: [Double], dw: [Double]) {
    var y = [Double](repeating: 0, count: g.count)
    var dx = [Double](repeating: 0, count: x.count)
    var dw = [Double](repeating: 0, count: w.count)
    forEachProduct { i, j, k in
      y[j] += Double(x[i]) * Double(w[k])
      dx[i] += Double(g[j]) * Double(w[k])
      dw[k] += Double(x[i]) * Double(g[j])
    }
    return (y, dx, dw)
  }

  /// y, dx and dw by the kernels on plain images.
  func plainKernels() -> [[Float]] {
    let dtype = Int32(TARN_DTYPE_F32.rawValue)
    var conv = conv
    var y = g, dx = x, dw = w
    #expect(tarn_conv2d_forward(dtype, &conv, x, w, &y) == 0)
    #expect(tarn_conv2d_input_gradient(dtype, &conv, g, w, &dx) == 0)
    #expect(tarn_conv2d_weight_gradient(dtype, &conv, x, g, &dw) == 0)
    return [y, dx, dw]
  }

  func packed(_ pass: tarn_pass, _ tile: Int32) -> Memory {
    withUnsafePointer(to: conv) { conv in
      let count = tarn_winograd_packed_count(conv, Int32(pass.rawValue), tile)
      let memory = Memory(Int(count), filledWith: .nan)
      #expect(tarn_winograd_pack(conv, Int32(pass.rawValue), tile, w, memory.data) == 0)
      return memory
    }
  }

  func forward(_ tile: Int32, _ epilogue: tarn_epilogue = tarn_epilogue(), into y: Memory? = nil)
    -> Memory
  {
    let (from, to) = (inputs.blocked(x), y ?? outputs.empty())
    let weights = packed(TARN_PASS_FORWARD, tile)
    var (conv, epilogue) = (conv, epilogue)
    #expect(tarn_winograd_forward(&conv, tile, from.data, weights.data, &epilogue, to.data) == 0)
    return to
  }

  /// From weights in the order of the direct kernels.
  func forwardFromDirect(_ tile: Int32, _ epilogue: tarn_epilogue = tarn_epilogue()) -> Memory {
    let (from, to) = (inputs.blocked(x), outputs.empty())
    var (conv, epilogue) = (conv, epilogue)
    let forward = Int32(TARN_PASS_FORWARD.rawValue)
    let packed = Memory(Int(tarn_direct_packed_count(&conv, forward)), filledWith: .nan)
    #expect(tarn_direct_pack(&conv, forward, w, packed.data) == 0)
    #expect(
      tarn_winograd_forward_direct(&conv, tile, from.data, packed.data, &epilogue, to.data) == 0)
    return to
  }

  func inputGradient(_ tile: Int32) -> Memory {
    let (from, to) = (outputs.blocked(g), inputs.empty())
    let weights = packed(TARN_PASS_INPUT_GRADIENT, tile)
    var conv = conv
    #expect(tarn_winograd_input_gradient(&conv, tile, from.data, weights.data, to.data) == 0)
    return to
  }

  func weightGradient(_ tile: Int32) -> Memory {
    let (left, right, to) = (inputs.blocked(x), outputs.blocked(g), Memory(w.count))
    var conv = conv
    #expect(tarn_winograd_weight_gradient(&conv, tile, left.data, right.data, to.data) == 0)
    return to
  }
}

/// Tiles of two and of four, against sums in double precision.
@Suite struct BlockedWinogradTests {
  @Test(arguments: [Int32(2), 4]) func randomGeometries(tile: Int32) {
    var random = Generator(state: UInt64(tile))
    for _ in 0..<25 {
      let problem = Problem.random(using: &random)
      let want = problem.reference()
      check(problem.outputs.plain(problem.forward(tile)), want.y, within: 1e-5, "forward")
      check(problem.inputs.plain(problem.inputGradient(tile)), want.dx, within: 1e-5, "input")
      let dw = problem.weightGradient(tile)
      check((0..<dw.count).map { dw.data[$0] }, want.dw, within: 2e-5, "weights")
    }
  }

  @Test(arguments: [Int32(2), 4]) func epilogues(tile: Int32) {
    var random = Generator(state: 77)
    let problem = Problem(
      n: 2, c: 17, o: 35, size: (9, 6), low: (1, 1), high: (1, 1), using: &random)
    let (o, pixels) = (problem.outputs.c, problem.outputs.pixels)
    let channels = Images(n: 1, c: o, pixels: 1)
    let (scale, shift) = (random.values(o), random.values(o))
    let residual = random.values(problem.g.count)
    let (scales, shifts) = (channels.blocked(scale), channels.blocked(shift))
    let sums = problem.reference().y.enumerated().map { i, sum in
      sum * Double(scale[i / pixels % o]) + Double(shift[i / pixels % o]) + Double(residual[i])
    }
    let activations: [(tarn_activation, (Double) -> Double)] = [
      (TARN_ACTIVATION_NONE, { $0 }), (TARN_ACTIVATION_RELU, { max(0, $0) }),
      (TARN_ACTIVATION_CLIP, { min(1.5, max(-0.5, $0)) }),
      (TARN_ACTIVATION_SILU, { $0 / (1 + exp(-$0)) }),
    ]
    for (activation, function) in activations {
      // The residual is y itself.
      let y = problem.outputs.blocked(residual)
      let epilogue = tarn_epilogue(
        scale: scales.data, shift: shifts.data, residual: y.data,
        activation: Int32(activation.rawValue), low: -0.5, high: 1.5)
      let got = problem.outputs.plain(problem.forward(tile, epilogue, into: y))
      check(got, sums.map(function), within: 1e-5, "activation \(activation.rawValue)")
    }
  }

  /// Enough tiles that threads take groups of their own; few, and enough channels that they share large groups.
  @Test(arguments: [(n: 3, channels: 20, size: 60), (n: 1, channels: 200, size: 9)])
  func theSameBitsAtAnyThreadCount(n: Int, channels: Int, size: Int) {
    var random = Generator(state: 5)
    let problem = Problem(
      n: n, c: channels, o: channels, size: (size, size + 1), low: (1, 1), high: (1, 1),
      using: &random)
    let want = problem.plainKernels()
    let before = tarn_threads()
    defer { tarn_set_threads(before) }
    for tile: Int32 in [2, 4] {
      var first: [[Float]] = []
      for threads: Int32 in [1, 2, 5] {
        tarn_set_threads(threads)
        let dw = problem.weightGradient(tile)
        let results = [
          problem.outputs.plain(problem.forward(tile)),
          problem.inputs.plain(problem.inputGradient(tile)), (0..<dw.count).map { dw.data[$0] },
        ]
        if first.isEmpty { first = results }
        #expect(results == first, "\(threads) threads, tile \(tile)")
      }
      for (got, want) in zip(first, want) { check(got, want.map(Double.init), within: 2e-5, "all") }
    }
  }

  /// Weights that are transformed as they are needed are the same weights.
  @Test(arguments: [Int32(2), 4]) func theSameBitsFromDirectWeights(tile: Int32) {
    var random = Generator(state: 21)
    let before = tarn_threads()
    defer { tarn_set_threads(before) }
    for (n, c, o, size) in [(1, 3, 5, 7), (2, 37, 70, 14), (1, 96, 64, 28), (5, 16, 33, 9)] {
      let problem = Problem(
        n: n, c: c, o: o, size: (size, size + 1), low: (1, 1), high: (1, 0), using: &random)
      let shift = Images(n: 1, c: o, pixels: 1).blocked(random.values(o))
      let epilogue = tarn_epilogue(
        scale: nil, shift: shift.data, residual: nil,
        activation: Int32(TARN_ACTIVATION_RELU.rawValue), low: 0, high: 0)
      let want = problem.outputs.plain(problem.forward(tile, epilogue))
      for threads: Int32 in [1, 2, 3] {
        tarn_set_threads(threads)
        let got = problem.outputs.plain(problem.forwardFromDirect(tile, epilogue))
        #expect(got == want, "\(n) x \(c) -> \(o), \(size), \(threads) threads")
      }
    }
  }

  /// Few tiles and many weights suit it, not the other way about.
  @Test func directWeightsSuitFewTiles() {
    func suits(_ n: Int, _ channels: Int, _ size: Int, _ tile: Int32) -> Bool {
      var random = Generator(state: 1)
      var conv = Problem(
        n: 1, c: 1, o: 1, size: (size, size), low: (1, 1), high: (1, 1), using: &random
      ).conv
      (conv.n, conv.c, conv.o) = (Int64(n), Int64(channels), Int64(channels))
      return tarn_winograd_suits_direct(&conv, tile) == 1
    }
    #expect(suits(1, 256, 14, 2))
    #expect(suits(16, 512, 7, 4))
    #expect(!suits(16, 256, 14, 4))
    #expect(!suits(1, 64, 14, 2))
    #expect(!suits(1, 256, 14, 3))
  }

  /// Tiles overlap their neighbours' inputs alone: what lies further off stays untouched.
  @Test(arguments: [Int32(2), 4]) func notANumberStaysNearby(tile: Int32) {
    var random = Generator(state: 9)
    let clean = Problem(
      n: 2, c: 3, o: 5, size: (20, 20), low: (1, 1), high: (1, 1), using: &random)
    let images = clean.inputs
    let x = images.blocked(clean.x)
    x.data[0] = .nan
    let (y, weights) = (clean.outputs.empty(), clean.packed(TARN_PASS_FORWARD, tile))
    var conv = clean.conv
    #expect(tarn_winograd_forward(&conv, tile, x.data, weights.data, nil, y.data) == 0)
    let (got, want) = (clean.outputs.plain(y), clean.outputs.plain(clean.forward(tile)))
    for i in got.indices {
      let (row, column) = (i / 20 % 20, i % 20)
      if i / 400 < 5, row < 2, column < 2 {
        #expect(got[i].isNaN)
      } else if i / 400 >= 5 || row >= tile || column >= tile {
        #expect(got[i] == want[i])
      }
    }
  }

  @Test func takesOnlyWhatItComputes() {
    var random = Generator(state: 1)
    var conv = Problem(
      n: 1, c: 4, o: 4, size: (5, 5), low: (1, 1), high: (1, 1), using: &random
    ).conv
    for pass: Int32 in 0..<3 {
      #expect(tarn_winograd_takes(&conv, pass, 2) == 1)
      #expect(tarn_winograd_takes(&conv, pass, 4) == 1)
      #expect(tarn_winograd_takes(&conv, pass, 3) == 0)
    }
    var others = [tarn_conv](repeating: conv, count: 4)
    others[0].stride = (2, 1)
    others[1].dilation = (1, 2)
    others[2].groups = 2
    others[3].kw = 1
    for i in others.indices { #expect(tarn_winograd_takes(&others[i], 0, 4) == 0) }
  }

  /// No images: gradients of the weights are 0, whatever the memory held.
  @Test func noImages() {
    var random = Generator(state: 2)
    let problem = Problem(
      n: 0, c: 5, o: 6, size: (7, 7), low: (1, 1), high: (1, 1), using: &random)
    let dw = Memory(problem.w.count, filledWith: .nan)
    var conv = problem.conv
    #expect(tarn_winograd_weight_gradient(&conv, 4, dw.data, dw.data, dw.data) == 0)
    for i in 0..<dw.count { #expect(dw.data[i] == 0) }
  }
}
