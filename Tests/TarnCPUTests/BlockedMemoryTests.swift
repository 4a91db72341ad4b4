import CTarnKernels
import Testing

/// Images whose sizes are divisible by nothing, against plain loops in double.
@Suite struct BlockedMemoryTests {
  /// An f32 image [n, c, h w], plain; `blocked` has NaN in the lanes past c.
  private struct Image {
    var n: Int
    var c: Int
    var pixels: Int
    var values: [Float]

    var blocks: Int { (c + 15) / 16 }
    var blockedCount: Int { n * blocks * pixels * 16 }

    static func random(_ n: Int, _ c: Int, _ pixels: Int, shift: Float = 0) -> Image {
      let values = (0..<n * c * pixels).map { _ in Float.random(in: -2...2) + shift }
      return Image(n: n, c: c, pixels: pixels, values: values)
    }

    func place(_ image: Int, _ channel: Int, _ pixel: Int) -> Int {
      (((image * blocks + channel / 16) * pixels) + pixel) * 16 + channel % 16
    }

    var blocked: [Float] {
      var result = [Float](repeating: .nan, count: blockedCount)
      forEach { image, channel, pixel, at in result[place(image, channel, pixel)] = values[at] }
      return result
    }

    func plain(_ blocked: [Float]) -> [Float] {
      var result = [Float](repeating: 0, count: values.count)
      forEach { image, channel, pixel, at in result[at] = blocked[place(image, channel, pixel)] }
      return result
    }

    func forEach(_ body: (Int, Int, Int, Int) -> Void) {
      for image in 0..<n {
        for channel in 0..<c {
          for pixel in 0..<pixels {
            body(image, channel, pixel, (image * c + channel) * pixels + pixel)
          }
        }
      }
    }
  }

  /// The same call on 1, 2 and 3 threads, into arrays full of NaN; the bits must agree.
  private func run(_ counts: [Int], _ call: ([UnsafeMutablePointer<Float>]) -> Int32) -> [[Float]] {
    let before = tarn_threads()
    defer { tarn_set_threads(before) }
    var first: [[Float]]?
    for threads: Int32 in [1, 2, 3] {
      tarn_set_threads(threads)
      let buffers = counts.map { count in
        let buffer = UnsafeMutablePointer<Float>.allocate(capacity: count + 1)
        buffer.initialize(repeating: .nan, count: count + 1)
        return buffer
      }
      #expect(call(buffers) == 0)
      let results = zip(buffers, counts).map { Array(UnsafeBufferPointer(start: $0, count: $1)) }
      for (buffer, count) in zip(buffers, counts) {
        #expect(buffer[count].isNaN, "written past the end")
        buffer.deallocate()
      }
      guard let one = first else {
        first = results
        continue
      }
      let equal = zip(one, results).allSatisfy { $0.map(\.bitPattern) == $1.map(\.bitPattern) }
      #expect(equal, "\(threads) threads")
    }
    return first ?? []
  }

  private func expectClose(
    _ result: [Float], _ expected: [Double], _ tolerance: Double, _ what: String
  ) {
    #expect(result.count == expected.count)
    for (i, (a, b)) in zip(result, expected).enumerated() {
      if b.isNaN ? a.isNaN : Double(a) == b || abs(Double(a) - b) <= tolerance * max(1, abs(b)) {
        continue
      }
      Issue.record("\(what): element \(i) is \(a), not \(b)")
      return
    }
  }

  // MARK: Layout

  @Test(arguments: [
    (2, 3, 49), (1, 16, 16), (3, 17, 5), (2, 37, 1), (1, 64, 196), (1, 20, 2500), (0, 16, 9),
    (2, 16, 0),
  ])
  func layoutThereAndBack(n: Int, c: Int, pixels: Int) {
    let image = Image.random(n, c, pixels)
    let blocked = run([image.blockedCount]) {
      tarn_block(Int64(n), Int64(c), Int64(pixels), image.values, $0[0])
    }[0]
    #expect(image.plain(blocked) == image.values)
    for i in blocked.indices where i / (pixels * 16) % image.blocks * 16 + i % 16 >= c {
      #expect(blocked[i] == 0)
    }
    let back = run([image.values.count]) {
      tarn_unblock(Int64(n), Int64(c), Int64(pixels), image.blocked, $0[0])
    }[0]
    #expect(back == image.values)
  }

  // MARK: Pooling

  private struct Pool: CustomStringConvertible {
    var image: Image
    var window: tarn_window
    var results: Image
    var description: String { "\(image.n)x\(image.c), \(window)" }

    /// The image's pixels that a result reaches, in order.
    func pixels(_ i: Int, _ j: Int) -> [Int] {
      var found: [Int] = []
      for r in 0..<window.size.0 {
        for s in 0..<window.size.1 {
          let row = Int64(i) * window.stride.0 - window.low.0 + r * window.dilation.0
          let column = Int64(j) * window.stride.1 - window.low.1 + s * window.dilation.1
          guard row >= 0, row < window.h, column >= 0, column < window.w else { continue }
          found.append(Int(row * window.w + column))
        }
      }
      return found
    }

    /// `body` for each result: its place in the results, and those of its elements in the image.
    func forEach(_ body: (Int, [Int]) -> Void) {
      results.forEach { n, c, pixel, at in
        let first = (n * image.c + c) * image.pixels
        let reached = pixels(pixel / Int(window.ow), pixel % Int(window.ow))
        body(at, reached.map { first + $0 })
      }
    }
  }

  private func randomPool() -> Pool {
    let n = Int.random(in: 1...2)
    let c = [1, 5, 16, 19, 33].randomElement() ?? 16
    let h = Int64.random(in: 1...9)
    let w = Int64.random(in: 1...40)
    func axis(_ size: Int64) -> (k: Int64, stride: Int64, low: Int64, dilation: Int64, out: Int64) {
      let k = Int64.random(in: 1...4)
      let dilation = Int64.random(in: 1...2)
      let stride = Int64.random(in: 1...3)
      let low = Int64.random(in: 0...k + 1)
      let room = size + 2 * low - (k - 1) * dilation - 1
      return (k, stride, low, dilation, room < 0 ? 1 : room / stride + 1)
    }
    let (v, u) = (axis(h), axis(w))
    var image = Image.random(n, c, Int(h * w))
    for i in image.values.indices {
      // Equal elements, infinities and NaN matter to a maximum.
      switch Int.random(in: 0..<40) {
      case 0: image.values[i] = .nan
      case 1: image.values[i] = .infinity
      case 2...4: image.values[i] = -.infinity
      default: image.values[i] = image.values[i].rounded()
      }
    }
    let window = tarn_window(
      planes: Int64(n * image.blocks), h: h, w: w, oh: v.out, ow: u.out, size: (v.k, u.k),
      stride: (v.stride, u.stride), low: (v.low, u.low), dilation: (v.dilation, u.dilation))
    let results = Image.random(n, c, Int(v.out * u.out))
    return Pool(image: image, window: window, results: results)
  }

  @Test func maximaAndTheirGradient() {
    for _ in 0..<60 {
      let pool = randomPool()
      let (x, g) = (pool.image.blocked, pool.results.blocked)
      var window = pool.window
      var largest = [Double](repeating: -.infinity, count: pool.results.values.count)
      var gradient = [Double](repeating: 0, count: pool.image.values.count)
      pool.forEach { at, reached in
        var best: Int?
        for i in reached {
          let (v, old) = (pool.image.values[i], best.map { pool.image.values[$0] })
          if let old, !(v > old || (v.isNaN && !old.isNaN)) { continue }
          best = i
        }
        guard let best else { return }
        largest[at] = Double(pool.image.values[best])
        gradient[best] += Double(pool.results.values[at])
      }
      let y = run([g.count]) { tarn_blocked_max_pool(&window, x, $0[0]) }[0]
      expectClose(pool.results.plain(y), largest, 0, "maximum of \(pool)")
      let dx = run([x.count]) { tarn_blocked_max_pool_gradient(&window, x, g, $0[0]) }[0]
      expectClose(pool.image.plain(dx), gradient, 1e-5, "gradient of the maximum of \(pool)")
    }
  }

  @Test func sumsAndTheirAdjoint() {
    for _ in 0..<60 {
      var pool = randomPool()
      pool.image.values = pool.image.values.map { $0.isFinite ? $0 : 0.3 }
      let (x, g) = (pool.image.blocked, pool.results.blocked)
      var window = pool.window
      var sums = [Double](repeating: 0, count: pool.results.values.count)
      var spread = [Double](repeating: 0, count: pool.image.values.count)
      pool.forEach { at, reached in
        for i in reached {
          sums[at] += Double(pool.image.values[i])
          spread[i] += Double(pool.results.values[at])
        }
      }
      let y = run([g.count]) { tarn_blocked_window_sum(&window, x, $0[0]) }[0]
      expectClose(pool.results.plain(y), sums, 1e-5, "sum of \(pool)")
      let dx = run([x.count]) { tarn_blocked_window_spread(&window, g, $0[0]) }[0]
      expectClose(pool.image.plain(dx), spread, 1e-5, "spread of \(pool)")
    }
  }

  // MARK: Batch normalisation

  private static let images = [
    (1, 1, 1), (2, 3, 7), (3, 16, 49), (16, 20, 49), (2, 33, 700), (1, 17, 5000), (2, 5, 2049),
  ]

  private func statistics(_ image: Image) -> (mean: [Double], variance: [Double]) {
    var mean = [Double](repeating: 0, count: image.c)
    var variance = mean
    let count = Double(image.n * image.pixels)
    image.forEach { _, c, _, at in mean[c] += Double(image.values[at]) / count }
    image.forEach { _, c, _, at in
      variance[c] +=
        (Double(image.values[at]) - mean[c]) * (Double(image.values[at]) - mean[c]) / count
    }
    return (mean, variance)
  }

  @Test(arguments: images) func momentsWithoutCancellation(n: Int, c: Int, pixels: Int) {
    for shift: Float in [0, 1000] {
      let image = Image.random(n, c, pixels, shift: shift)
      let x = image.blocked
      let found = run([image.blocks * 16, image.blocks * 16]) {
        tarn_blocked_moments(Int64(n), Int64(image.blocks), Int64(pixels), x, $0[0], $0[1])
      }
      let (mean, variance) = statistics(image)
      expectClose(Array(found[0].prefix(c)), mean, 2e-7, "mean")
      expectClose(Array(found[1].prefix(c)), variance, 2e-6, "variance")
    }
  }

  @Test(arguments: images) func sumsForTheGradientOfNormalisation(n: Int, c: Int, pixels: Int) {
    let (x, g) = (Image.random(n, c, pixels, shift: 3), Image.random(n, c, pixels))
    let (bx, bg) = (x.blocked, g.blocked)
    let lanes = x.blocks * 16
    func channel() -> [Float] {
      (0..<lanes).map { $0 < c ? Float.random(in: 0.5...2) : .nan }
    }
    let (mean, rstd) = (channel(), channel())
    var sums = [Double](repeating: 0, count: c)
    var products = sums
    x.forEach { _, c, _, at in
      let from = Double(g.values[at])
      sums[c] += from
      products[c] += from * (Double(x.values[at]) - Double(mean[c])) * Double(rstd[c])
    }
    let found = run([lanes, lanes]) { out in
      tarn_blocked_gradient_sums(
        Int64(n), Int64(x.blocks), Int64(pixels), bg, bx, mean, rstd, out[0], out[1])
    }
    // Sums of terms of both signs: what counts is the size of the terms.
    let scale = 1e-6 * Double(n * pixels).squareRoot()
    expectClose(Array(found[0].prefix(c)), sums, scale, "sum")
    expectClose(Array(found[1].prefix(c)), products, 20 * scale, "sum of products")
  }
}
