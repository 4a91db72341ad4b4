import CTarnDNN
import CTarnKernels
import Foundation
import Tarn
import Testing

/// oneDNN against the plain kernels, on random geometries. Without oneDNN only the last suite runs.
@Suite(.enabled(if: tarn_dnn_works() == 1, "oneDNN is missing: see `tarn doctor`"))
struct DNNTests {
  typealias Floats = [Float]

  // MARK: Random problems

  static func floats(_ count: Int, _ random: inout SeededGenerator) -> Floats {
    (0..<count).map { _ in Float.random(in: -1...1, using: &random) }
  }

  static func wholeBlocks(_ c: Int) -> Int { (c + 15) / 16 * 16 }

  /// [n, c, pixels] in blocks; what lies past c is NaN.
  static func blocked(_ x: Floats, _ n: Int, _ c: Int, _ pixels: Int) -> Floats {
    let wide = wholeBlocks(c)
    var result = Floats(repeating: .nan, count: n * wide * pixels)
    for i in 0..<n {
      for k in 0..<c {
        for p in 0..<pixels {
          result[((i * wide + k / 16 * 16) * pixels + p * 16) + k % 16] =
            x[(i * c + k) * pixels + p]
        }
      }
    }
    return result
  }

  static func plain(_ x: Floats, _ n: Int, _ c: Int, _ pixels: Int) -> Floats {
    let wide = wholeBlocks(c)
    return (0..<n * c * pixels).map { index in
      let (i, k, p) = (index / (c * pixels), index / pixels % c, index % pixels)
      return x[((i * wide + k / 16 * 16) * pixels + p * 16) + k % 16]
    }
  }

  static func distance(_ a: Floats, _ b: Floats) -> Float {
    let most = b.reduce(Float.leastNormalMagnitude) { max($0, abs($1)) }
    return zip(a, b).reduce(0) { $1.0.isNaN ? .infinity : max($0, abs($1.0 - $1.1)) } / most
  }

  /// 64-byte aligned memory for as long as `body` runs.
  static func aligned(_ values: Floats, _ body: (UnsafeMutablePointer<Float>) -> Void) -> Floats {
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: max(64, values.count * 4), alignment: 64)
    defer { memory.deallocate() }
    let pointer = memory.bindMemory(to: Float.self, capacity: max(16, values.count))
    for (i, value) in values.enumerated() { pointer[i] = value }
    body(pointer)
    return (0..<values.count).map { pointer[$0] }
  }

  /// The result of `run` on copies of the operands; the same bits at 1 and 2 threads.
  static func result(
    _ operands: [Floats], count: Int,
    _ run: ([UnsafeMutablePointer<Float>], UnsafeMutablePointer<Float>) -> Int32
  ) -> Floats {
    let before = tarn_threads()
    defer { tarn_set_threads(before) }
    let results = [Int32(1), 2].map { threads in
      tarn_set_threads(threads)
      func given(_ rest: ArraySlice<Floats>, _ pointers: [UnsafeMutablePointer<Float>]) -> Floats {
        guard let first = rest.first else {
          return aligned(Floats(repeating: 0, count: count)) { output in
            let status = run(pointers, output)
            #expect(status == 0, "\(String(cString: tarn_dnn_status_text(status)))")
          }
        }
        var answer: Floats = []
        _ = aligned(first) { answer = given(rest.dropFirst(), pointers + [$0]) }
        return answer
      }
      return given(operands[...], [])
    }
    #expect(results[0].map(\.bitPattern) == results[1].map(\.bitPattern), "differs between threads")
    return results[0]
  }

  struct Problem: CustomStringConvertible {
    var conv: tarn_conv
    var x, w, g: Floats
    var inputs: Int { Int(conv.n * conv.c) }
    var description: String { "\(conv)" }

    init?(_ random: inout SeededGenerator) {
      conv = tarn_conv()
      let sizes: [Int64] = [16, 32, 48, 64, 128, 20, 24]
      conv.n = Bool.random(using: &random) ? 1 : .random(in: 2...6, using: &random)
      (conv.c, conv.o) = (
        sizes.randomElement(using: &random)!, sizes.randomElement(using: &random)!
      )
      conv.groups = 1
      switch Int.random(in: 0..<4, using: &random) {
      case 0: conv.c = .random(in: 1...4, using: &random)
      case 1: (conv.o, conv.groups) = (conv.c, conv.c)
      case 2: (conv.c, conv.o, conv.groups) = (64, 96, 2)
      default: break
      }
      func axis(_ random: inout SeededGenerator) -> (
        h: Int64, k: Int64, s: Int64, d: Int64, low: Int64, out: Int64
      )? {
        let h = Int64.random(in: 1...13, using: &random)
        let k = [Int64(1), 3, 3, 5].randomElement(using: &random)!
        let s = Int64.random(in: 1...2, using: &random)
        let d: Int64 = Int.random(in: 0..<4, using: &random) == 0 ? 2 : 1
        let low = Bool.random(using: &random) ? k / 2 : 0
        let high = Bool.random(using: &random) ? k / 2 : 0
        let room = h + low + high - (k - 1) * d - 1
        return room < 0 ? nil : (h, k, s, d, low, room / s + 1)
      }
      guard let v = axis(&random), let u = axis(&random) else { return nil }
      (conv.h, conv.kh, conv.oh) = (v.h, v.k, v.out)
      (conv.w, conv.kw, conv.ow) = (u.h, u.k, u.out)
      (conv.stride, conv.dilation, conv.low) = ((v.s, u.s), (v.d, u.d), (v.low, u.low))
      x = floats(Int(conv.n * conv.c * conv.h * conv.w), &random)
      w = floats(Int(conv.o * (conv.c / conv.groups) * conv.kh * conv.kw), &random)
      g = floats(Int(conv.n * conv.o * conv.oh * conv.ow), &random)
    }

    var isStem: Bool { conv.c <= 4 && conv.groups == 1 }
    var blockedX: Floats {
      isStem ? x : DNNTests.blocked(x, Int(conv.n), Int(conv.c), Int(conv.h * conv.w))
    }
    var blockedG: Floats { DNNTests.blocked(g, Int(conv.n), Int(conv.o), Int(conv.oh * conv.ow)) }

    func expected(_ pass: Int32) -> Floats {
      var (shape, result) = (conv, Floats(repeating: 0, count: [g, x, w][Int(pass)].count))
      let code = Int32(TARN_DTYPE_F32.rawValue)
      let status =
        switch pass {
        case 0: tarn_conv2d_forward(code, &shape, x, w, &result)
        case 1: tarn_conv2d_input_gradient(code, &shape, g, w, &result)
        default: tarn_conv2d_weight_gradient(code, &shape, x, g, &result)
        }
      #expect(status == 0)
      return result
    }
  }

  static func packed(_ op: OpaquePointer, _ w: Floats) -> Floats {
    aligned(Floats(repeating: 0, count: Int(tarn_dnn_packed_count(op)))) {
      #expect(tarn_dnn_pack(op, w, $0) == 0)
    }
  }

  // MARK: Convolution

  @Test func convolutionsOfAllPasses() {
    var random = SeededGenerator(seed: 5)
    var taken: Set<[Int32]> = []
    for _ in 0..<60 {
      guard var problem = Problem(&random) else { continue }
      for pass in Int32(0)..<3 {
        for algorithm in Int32(0)..<3 {
          var options = tarn_dnn_options()
          options.algorithm = algorithm
          options.constant_weights = Bool.random(using: &random) ? 1 : 0
          guard let op = tarn_dnn_convolution(&problem.conv, pass, &options) else { continue }
          defer { tarn_dnn_release(op) }
          taken.insert([pass, algorithm])
          let found = run(problem, pass, op)
          #expect(
            Self.distance(found, problem.expected(pass)) < 5e-5,
            "pass \(pass), \(String(cString: tarn_dnn_name(op))): \(problem)")
        }
      }
    }
    #expect(taken.contains([0, 0]) && taken.contains([1, 0]) && taken.contains([2, 0]))
  }

  private func run(_ problem: Problem, _ pass: Int32, _ op: OpaquePointer) -> Floats {
    let conv = problem.conv
    let (n, c, o) = (Int(conv.n), Int(conv.c), Int(conv.o))
    let (inner, outer) = (Int(conv.h * conv.w), Int(conv.oh * conv.ow))
    switch pass {
    case 0:
      let y = Self.result(
        [problem.blockedX, Self.packed(op, problem.w)], count: n * Self.wholeBlocks(o) * outer
      ) { tarn_dnn_forward(op, $0[0], $0[1], nil, $1) }
      return Self.plain(y, n, o, outer)
    case 1:
      let dx = Self.result(
        [problem.blockedG, Self.packed(op, problem.w)], count: n * Self.wholeBlocks(c) * inner
      ) { tarn_dnn_input_gradient(op, $0[0], $0[1], $1) }
      return Self.plain(dx, n, c, inner)
    default:
      return Self.result([problem.blockedX, problem.blockedG], count: problem.w.count) {
        tarn_dnn_weight_gradient(op, $0[0], $0[1], $1)
      }
    }
  }

  /// y = activation(sum * scale + shift + residual)
  @Test func epilogues() {
    var random = SeededGenerator(seed: 6)
    for (extras, activation) in [(2, 1), (6, 2), (1, 3), (7, 1), (4, 0), (3, 2)] as [(Int32, Int32)]
    {
      for _ in 0..<6 {
        guard var problem = Problem(&random) else { continue }
        let conv = problem.conv
        let (n, o, outer) = (Int(conv.n), Int(conv.o), Int(conv.oh * conv.ow))
        var options = tarn_dnn_options()
        (options.extras, options.activation, options.low, options.high) = (
          extras, activation, -0.5, 0.75
        )
        guard let op = tarn_dnn_convolution(&problem.conv, 0, &options) else { continue }
        defer { tarn_dnn_release(op) }
        let wide = Self.wholeBlocks(o)
        let (scale, shift) = (Self.floats(wide, &random), Self.floats(wide, &random))
        let residual = Self.floats(n * o * outer, &random)
        let operands = [
          problem.blockedX, Self.packed(op, problem.w), scale, shift,
          Self.blocked(residual, n, o, outer),
        ]
        let y = Self.result(operands, count: n * wide * outer) { pointers, output in
          var epilogue = tarn_epilogue()
          if extras & 1 != 0 { epilogue.scale = UnsafePointer(pointers[2]) }
          if extras & 2 != 0 { epilogue.shift = UnsafePointer(pointers[3]) }
          if extras & 4 != 0 { epilogue.residual = UnsafePointer(pointers[4]) }
          (epilogue.activation, epilogue.low, epilogue.high) = (activation, -0.5, 0.75)
          return tarn_dnn_forward(op, pointers[0], pointers[1], &epilogue, output)
        }
        let expected = problem.expected(0).enumerated().map { index, sum in
          let k = index / outer % o
          var value = extras & 1 != 0 ? sum * scale[k] : sum
          if extras & 2 != 0 { value += shift[k] }
          if extras & 4 != 0 { value += residual[index] }
          switch activation {
          case 1: return max(0, value)
          case 2: return min(0.75, max(-0.5, value))
          case 3: return Float(Double(value) / (1 + exp(-Double(value))))
          default: return value
          }
        }
        #expect(
          Self.distance(Self.plain(y, n, o, outer), expected) < 5e-5,
          "\(extras) \(activation) \(problem)")
        #expect(
          tarn_dnn_forward(op, operands[0], operands[1], nil, nil) == TARN_DNN_MISMATCH.rawValue,
          "an epilogue that the operation was not made for")
      }
    }
  }

  // MARK: The rest

  @Test func matrixProducts() {
    var random = SeededGenerator(seed: 7)
    var taken = 0
    for round in 0..<40 {
      let (ta, tb) = (Int32(round & 1), Int32(round >> 1 & 1))
      let batch = Int64(round % 3 == 0 ? Int.random(in: 2...5, using: &random) : 1)
      let (m, n, k) = (
        Int64.random(in: 1...150, using: &random), Int64.random(in: 1...150, using: &random),
        Int64.random(in: 1...80, using: &random)
      )
      let constant = Int32(round >> 2 & 1)
      let strideB = constant == 1 ? 0 : n * k
      guard let op = tarn_dnn_matmul(ta, tb, batch, m, n, k, m * k, strideB, constant) else {
        continue
      }
      defer { tarn_dnn_release(op) }
      taken += 1
      let (a, b) = (
        Self.floats(Int(batch * m * k), &random), Self.floats(Int(batch * n * k), &random)
      )
      let c = Self.result([a, constant == 1 ? Self.packed(op, b) : b], count: Int(batch * m * n)) {
        tarn_dnn_multiply(op, $0[0], $0[1], $1)
      }
      var expected = Floats(repeating: 0, count: c.count)
      let code = Int32(TARN_DTYPE_F32.rawValue)
      #expect(tarn_matmul(code, ta, tb, batch, m, n, k, a, m * k, b, strideB, &expected) == 0)
      #expect(Self.distance(c, expected) < 2e-5, "\(batch) \(m) \(n) \(k) \(ta) \(tb)")
    }
    #expect(taken > 20)
  }

  @Test func poolingOfBlockedImages() throws {
    var random = SeededGenerator(seed: 8)
    for planes in [1, 3, 6] {
      var window = tarn_window()
      (window.planes, window.h, window.w, window.oh, window.ow) = (Int64(planes), 7, 5, 4, 3)
      (window.size, window.stride, window.low, window.dilation) = ((3, 3), (2, 2), (1, 1), (1, 1))
      let x = Self.floats(planes * 35 * 16, &random)
      // Blocked planes are images of sixteen channels.
      let image = Self.plain(x, planes, 16, 35)
      var plainWindow = window
      plainWindow.planes *= 16
      var expected = Floats(repeating: 0, count: planes * 12 * 16)
      let code = Int32(TARN_DTYPE_F32.rawValue)
      #expect(tarn_max_pool(code, &plainWindow, image, &expected) == 0)
      let op = try #require(tarn_dnn_pool(&window, Int32(TARN_DNN_MAX.rawValue)))
      defer { tarn_dnn_release(op) }
      let y = Self.result([x], count: expected.count) { tarn_dnn_pool_run(op, $0[0], $1) }
      #expect(Self.plain(y, planes, 16, 12) == expected)

      #expect(tarn_window_sum(code, &plainWindow, image, &expected) == 0)
      let average = try #require(tarn_dnn_pool(&window, Int32(TARN_DNN_AVERAGE.rawValue)))
      defer { tarn_dnn_release(average) }
      let means = Self.result([x], count: expected.count) { tarn_dnn_pool_run(average, $0[0], $1) }
      #expect(Self.distance(Self.plain(means, planes, 16, 12), expected.map { $0 / 9 }) < 1e-5)

      let g = Self.floats(planes * 12 * 16, &random)
      var spread = Floats(repeating: 0, count: x.count)
      #expect(tarn_window_spread(code, &plainWindow, Self.plain(g, planes, 16, 12), &spread) == 0)
      let gradient = try #require(tarn_dnn_pool_gradient(&window, Int32(TARN_DNN_AVERAGE.rawValue)))
      defer { tarn_dnn_release(gradient) }
      let dx = Self.result([g], count: x.count) { tarn_dnn_pool_gradient_run(gradient, $0[0], $1) }
      #expect(Self.distance(Self.plain(dx, planes, 16, 35), spread.map { $0 / 9 }) < 1e-5)
    }
  }

  @Test func batchNormalisation() throws {
    var random = SeededGenerator(seed: 9)
    let (n, c, pixels) = (3, 32, 20)
    let image = Self.floats(n * c * pixels, &random)
    let x = Self.blocked(image, n, c, pixels)
    let (scale, shift) = (Self.floats(c, &random), Self.floats(c, &random))
    let op = try #require(tarn_dnn_batch_norm(3, 32, 4, 5, 1e-3, 1, 0))
    defer { tarn_dnn_release(op) }
    var (mean, variance) = (Floats(repeating: 0, count: c), Floats(repeating: 0, count: c))
    let y = Self.result([x, scale, shift], count: x.count) {
      tarn_dnn_batch_norm_run(op, $0[0], $0[1], $0[2], &mean, &variance, $1)
    }
    var expected = image
    for k in 0..<c {
      let places = (0..<n).flatMap { i in (0..<pixels).map { (i * c + k) * pixels + $0 } }
      let centre = places.reduce(0) { $0 + Double(image[$1]) } / Double(places.count)
      let spread =
        places.reduce(0) { $0 + pow(Double(image[$1]) - centre, 2) } / Double(places.count)
      #expect(abs(Double(mean[k]) - centre) < 1e-5 && abs(Double(variance[k]) - spread) < 1e-5)
      for place in places {
        let normal = (Double(image[place]) - centre) / (spread + 1e-3).squareRoot()
        expected[place] = Float(normal * Double(scale[k]) + Double(shift[k]))
      }
    }
    #expect(Self.distance(Self.plain(y, n, c, pixels), expected) < 1e-5)
  }

  @Test func operationsAreSharedAndBounded() throws {
    for m in 0..<(Int64(TARN_DNN_MOST_CACHED) + 50) {
      tarn_dnn_release(tarn_dnn_matmul(0, 0, 1, 2 + m, 3, 4, 0, 0, 0))
    }
    #expect(tarn_dnn_cached() <= Int32(TARN_DNN_MOST_CACHED))
    let first = try #require(tarn_dnn_matmul(0, 0, 1, 64, 64, 64, 0, 0, 0))
    let second = tarn_dnn_matmul(0, 0, 1, 64, 64, 64, 0, 0, 0)
    #expect(first == second)
    tarn_dnn_release(first)
    tarn_dnn_release(second)
  }
}

@Suite struct DNNStateTests {
  @Test func aStateInWords() {
    let state = String(cString: tarn_dnn_state())
    #expect(state.contains("oneDNN"))
    #expect((tarn_dnn_works() == 1) == (Machine.oneDNNVersion != nil))
    #expect(Machine.oneDNN == state)
    var conv = tarn_conv()
    var options = tarn_dnn_options()
    #expect(tarn_dnn_convolution(&conv, 0, &options) == nil, "a convolution of nothing")
  }

  @Test func statusesInWords() {
    for status in [0, 2, 3, 32, 33, 41, 43] as [Int32] {
      #expect(!String(cString: tarn_dnn_status_text(status)).isEmpty)
    }
    #expect(String(cString: tarn_dnn_status_text(43)).contains("not implemented"))
  }
}
