import CTarnKernels
import Testing
import Tarn

/// The gradient of maximum pooling and its adjoint, against windows gone through one by one.
@Suite struct MaxPoolingKernelTests {
  private func window(
    _ h: Int64, _ w: Int64, size: Int64 = 2, stride: Int64 = 2, low: Int64 = 0
  ) -> tarn_window {
    func count(_ length: Int64) -> Int64 { (length + 2 * low - size) / stride + 1 }
    return tarn_window(
      planes: 3, h: h, w: w, oh: count(h), ow: count(w), size: (size, size),
      stride: (stride, stride), low: (low, low), dilation: (1, 1))
  }

  /// Of every window, the place of its largest element in x: the first of equals, NaN before all.
  private func places(_ window: tarn_window, _ x: [Float]) -> [Int] {
    var places: [Int] = []
    for plane in 0..<window.planes {
      for i in 0..<window.oh {
        for j in 0..<window.ow {
          var best: Int?
          for r in 0..<window.size.0 {
            for s in 0..<window.size.1 {
              let y = i * window.stride.0 - window.low.0 + r
              let z = j * window.stride.1 - window.low.1 + s
              guard (0..<window.h).contains(y), (0..<window.w).contains(z) else { continue }
              let place = Int((plane * window.h + y) * window.w + z)
              guard let held = best else {
                best = place
                continue
              }
              if !x[held].isNaN, x[place].isNaN || x[place] > x[held] { best = place }
            }
          }
          places.append(best ?? 0)
        }
      }
    }
    return places
  }

  private static let cases: [(h: Int64, w: Int64, size: Int64, stride: Int64, low: Int64)] = [
    (2, 2, 2, 2, 0), (5, 7, 2, 2, 0), (6, 10, 2, 2, 0), (4, 28, 2, 2, 0), (7, 39, 2, 2, 0),
    (8, 75, 2, 2, 0), (9, 11, 3, 2, 1), (6, 6, 3, 1, 0), (7, 7, 2, 3, 0),
  ]

  @Test(arguments: cases)
  func gradientsGoToTheLargest(_ test: (h: Int64, w: Int64, size: Int64, stride: Int64, low: Int64))
  {
    let window = window(test.h, test.w, size: test.size, stride: test.stride, low: test.low)
    let count = Int(window.planes * window.h * window.w)
    var generator = SeededGenerator(seed: UInt64(test.w))
    // Few different numbers, so that there are equals; some NaN.
    let x = (0..<count).map { _ in
      let pick = generator.integer(below: 9)
      return pick == 8 ? Float.nan : Float(pick)
    }
    let t = (0..<count).map { Float($0 + 1) }
    let places = places(window, x)
    let g = places.indices.map { Float($0 % 13 + 1) }
    var expected = [Float](repeating: 0, count: count)
    for (place, g) in zip(places, g) { expected[place] += g }
    var dx = [Float](repeating: .nan, count: count)
    var y = [Float](repeating: .nan, count: places.count)
    withUnsafePointer(to: window) { window in
      #expect(tarn_max_pool_gradient(7, window, x, g, &dx) == 0)
      #expect(tarn_max_pool_choice(7, window, x, t, &y) == 0)
    }
    #expect(dx == expected)
    #expect(y == places.map { t[$0] })
    let (x64, g64, t64) = (x.map(Double.init), g.map(Double.init), t.map(Double.init))
    var dx64 = [Double](repeating: .nan, count: count)
    var y64 = [Double](repeating: .nan, count: places.count)
    withUnsafePointer(to: window) { window in
      #expect(tarn_max_pool_gradient(8, window, x64, g64, &dx64) == 0)
      #expect(tarn_max_pool_choice(8, window, x64, t64, &y64) == 0)
    }
    #expect(dx64 == dx.map(Double.init))
    #expect(y64 == y.map(Double.init))
  }
}
