import CTarnKernels
import Tarn
import Testing

/// Convolutions of few channels against plain sums, over geometries made by chance.
@Suite struct SmallConvolutionTests {
  private struct Case {
    var conv = tarn_conv()
    var x: [Float] = []
    var w: [Float] = []
    var g: [Float] = []

    init(seed: UInt64) {
      var generator = SeededGenerator(seed: seed)
      func pick(_ range: ClosedRange<Int>) -> Int64 {
        Int64(range.lowerBound + generator.integer(below: range.count))
      }
      (conv.kh, conv.kw) = (pick(1...5), pick(1...5))
      (conv.h, conv.w) = (conv.kh + pick(0...12), conv.kw + pick(0...30))
      (conv.n, conv.groups) = (pick(1...19), pick(1...6) == 1 ? 2 : 1)
      (conv.c, conv.o) = (conv.groups * pick(1...5), conv.groups * pick(1...19))
      conv.stride = (1, 1)
      conv.dilation = (pick(1...6) == 1 ? 2 : 1, 1)
      conv.low = (pick(0...2) + conv.kh, pick(0...2))
      (conv.oh, conv.ow) = (
        conv.h + 2 * conv.low.0 - conv.dilation.0 * (conv.kh - 1),
        conv.w + 2 * conv.low.1 - conv.kw + 1
      )
      func numbers(_ count: Int64) -> [Float] {
        (0..<count).map { _ in Float(generator.integer(below: 2001) - 1000) / 1000 }
      }
      x = numbers(conv.n * conv.c * conv.h * conv.w)
      w = numbers(conv.o * conv.c / conv.groups * conv.kh * conv.kw)
      g = numbers(conv.n * conv.o * conv.oh * conv.ow)
    }

    /// Calls `body` with the places in x, w and y of every product.
    func forEachProduct(_ body: (Int, Int, Int) -> Void) {
      let (inputs, outputs) = (conv.c / conv.groups, conv.o / conv.groups)
      for image in 0..<conv.n {
        for o in 0..<conv.o {
          for c in 0..<inputs {
            for i in 0..<conv.oh {
              for j in 0..<conv.ow {
                for r in 0..<conv.kh {
                  for s in 0..<conv.kw {
                    let y = i - conv.low.0 + r * conv.dilation.0
                    let x = j - conv.low.1 + s
                    guard (0..<conv.h).contains(y), (0..<conv.w).contains(x) else { continue }
                    let channel = image * conv.c + o / outputs * inputs + c
                    body(
                      Int((channel * conv.h + y) * conv.w + x),
                      Int(((o * inputs + c) * conv.kh + r) * conv.kw + s),
                      Int(((image * conv.o + o) * conv.oh + i) * conv.ow + j))
                  }
                }
              }
            }
          }
        }
      }
    }

    /// y, dx and dw by plain sums in double precision.
    var expected: [[Double]] {
      var y = [Double](repeating: 0, count: g.count)
      var dx = [Double](repeating: 0, count: x.count)
      var dw = [Double](repeating: 0, count: w.count)
      forEachProduct { a, b, c in
        y[c] += Double(x[a]) * Double(w[b])
        dx[a] += Double(g[c]) * Double(w[b])
        dw[b] += Double(x[a]) * Double(g[c])
      }
      return [y, dx, dw]
    }

    /// y, dx and dw by the kernels for single precision.
    var single: [[Double]] {
      var y = [Float](repeating: .nan, count: g.count)
      var dx = [Float](repeating: .nan, count: x.count)
      var dw = [Float](repeating: .nan, count: w.count)
      withUnsafePointer(to: conv) { conv in
        #expect(tarn_conv2d_forward(7, conv, x, w, &y) == 0)
        #expect(tarn_conv2d_input_gradient(7, conv, g, w, &dx) == 0)
        #expect(tarn_conv2d_weight_gradient(7, conv, x, g, &dw) == 0)
      }
      return [y, dx, dw].map { $0.map(Double.init) }
    }

    /// The same by those for double precision.
    var double: [[Double]] {
      let (x, w, g) = (x.map(Double.init), w.map(Double.init), g.map(Double.init))
      var y = [Double](repeating: .nan, count: g.count)
      var dx = [Double](repeating: .nan, count: x.count)
      var dw = [Double](repeating: .nan, count: w.count)
      withUnsafePointer(to: conv) { conv in
        #expect(tarn_conv2d_forward(8, conv, x, w, &y) == 0)
        #expect(tarn_conv2d_input_gradient(8, conv, g, w, &dx) == 0)
        #expect(tarn_conv2d_weight_gradient(8, conv, x, g, &dw) == 0)
      }
      return [y, dx, dw]
    }
  }

  private func expectClose(
    _ found: [[Double]], _ wanted: [[Double]], _ bound: Double, _ seed: UInt64
  ) {
    for (name, pair) in zip(["y", "dx", "dw"], zip(found, wanted)) {
      let error = zip(pair.0, pair.1).map { abs($0 - $1) / (1 + abs($1)) }.max() ?? 0
      #expect(error < bound, "\(name), seed \(seed)")
      #expect(!pair.0.contains { $0.isNaN }, "\(name), seed \(seed)")
    }
  }

  @Test(arguments: UInt64(0)..<40)
  func sumsArePlainSums(_ seed: UInt64) {
    let test = Case(seed: seed)
    let expected = test.expected
    expectClose(test.single, expected, 3e-5, seed)
    expectClose(test.double, expected, 1e-12, seed)
  }

  /// An infinite pixel reaches the weights that meet it, and no others.
  @Test func infinitiesStayWhereTheyBelong() {
    var test = Case(seed: 1)
    test.conv = tarn_conv(
      n: 3, c: 1, h: 6, w: 7, o: 2, kh: 3, kw: 3, oh: 4, ow: 5, stride: (1, 1), low: (0, 0),
      dilation: (1, 1), groups: 1)
    test.x = (0..<126).map { $0 == 0 ? .infinity : Float($0 % 5) }
    test.w = (0..<18).map { Float($0 % 3) }
    test.g = (0..<120).map { Float($0 % 7 + 1) }
    let dw = test.single[2]
    let wanted = test.expected[2]
    #expect(dw.map(\.isFinite) == wanted.map(\.isFinite))
    #expect(dw.filter(\.isFinite) == wanted.filter(\.isFinite))
  }
}
