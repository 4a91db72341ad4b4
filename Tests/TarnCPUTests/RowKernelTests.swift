import CTarnKernels
import Foundation
import Tarn
import Testing

/// Rows of any length, and matrices too large for the caches, against plain loops in double.
@Suite struct RowKernelTests {
  /// The same call on 1, 2 and 3 threads; the bits must agree.
  private func run(_ count: Int, _ call: (UnsafeMutablePointer<Float>) -> Int32) -> [Float] {
    let before = tarn_threads()
    defer { tarn_set_threads(before) }
    var first: [Float]?
    for threads: Int32 in [1, 2, 3] {
      tarn_set_threads(threads)
      var result = [Float](repeating: .nan, count: count)
      let status = result.withUnsafeMutableBufferPointer { call($0.baseAddress!) }
      #expect(status == 0)
      if let first {
        #expect(zip(first, result).allSatisfy { $0.bitPattern == $1.bitPattern }, "\(threads)")
      }
      first = first ?? result
    }
    return first ?? []
  }

  private func largestError(_ result: [Float], _ expected: [Double]) -> Double {
    zip(result, expected).reduce(0) { max($0, abs(Double($1.0) - $1.1) / max(1, abs($1.1))) }
  }

  private func numbers(_ count: Int, around shift: Float = 0) -> [Float] {
    (0..<count).map { _ in Float.random(in: -3...3) + shift }
  }

  /// The last one does not fit into the caches.
  private static let shapes = [(3, 1), (2, 5), (4, 17), (3, 63), (2, 64), (5, 768), (2200, 1001)]

  @Test(arguments: shapes) func softmaxes(rows: Int, n: Int) {
    let x = numbers(rows * n)
    var expected: [Double] = []
    for r in 0..<rows {
      let row = x[r * n..<(r + 1) * n].map(Double.init)
      let most = row.max() ?? 0
      let powers = row.map { exp($0 - most) }
      let total = powers.reduce(0, +)
      expected += powers.map { $0 / total }
    }
    let dtype = Int32(TARN_DTYPE_F32.rawValue)
    let y = run(rows * n) { tarn_softmax(dtype, Int64(rows), Int64(n), x, $0, 0) }
    #expect(largestError(y, expected) < 1e-6)
    let logarithms = run(rows * n) { tarn_softmax(dtype, Int64(rows), Int64(n), x, $0, 1) }
    #expect(largestError(logarithms, expected.map { log($0) }) < 2e-6)
  }

  @Test func softmaxKeepsNaNInItsRow() {
    var x = numbers(3 * 70)
    x[75] = .nan
    x[150] = -.infinity
    let y = run(x.count) { tarn_softmax(Int32(TARN_DTYPE_F32.rawValue), 3, 70, x, $0, 0) }
    for i in y.indices { #expect(y[i].isNaN == (i / 70 == 1)) }
    #expect(y[150] == 0)
  }

  @Test(arguments: shapes) func layerNormalisation(rows: Int, n: Int) {
    for shift: Float in [0, 500] {
      let (x, gamma, beta) = (numbers(rows * n, around: shift), numbers(n), numbers(n))
      let g = numbers(rows * n)
      var (plain, affine, dx): ([Double], [Double], [Double]) = ([], [], [])
      for r in 0..<rows {
        let row = x[r * n..<(r + 1) * n].map(Double.init)
        let mean = row.reduce(0, +) / Double(n)
        let variance = row.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(n)
        let rstd = 1 / (variance + 1e-3).squareRoot()
        let z = row.map { ($0 - mean) * rstd }
        let h = (0..<n).map { Double(g[r * n + $0]) * Double(gamma[$0]) }
        let a = h.reduce(0, +) / Double(n)
        let b = zip(h, z).map(*).reduce(0, +) / Double(n)
        plain += z
        affine += (0..<n).map { z[$0] * Double(gamma[$0]) + Double(beta[$0]) }
        dx += (0..<n).map { (h[$0] - a - z[$0] * b) * rstd }
      }
      let dtype = Int32(TARN_DTYPE_F32.rawValue)
      let (count, length) = (Int64(rows), Int64(n))
      // A row of one element, or far from 0, loses what its mean is rounded by.
      let tolerance = shift == 0 ? 2e-5 : 2e-3
      let y = run(rows * n) { tarn_layer_norm(dtype, count, length, x, nil, nil, 1e-3, $0) }
      #expect(largestError(y, plain) < tolerance)
      let scaled = run(rows * n) { tarn_layer_norm(dtype, count, length, x, gamma, beta, 1e-3, $0) }
      #expect(largestError(scaled, affine) < 3 * tolerance)
      let gradient = run(rows * n) {
        tarn_layer_norm_gradient(dtype, count, length, x, g, gamma, 1e-3, $0)
      }
      #expect(largestError(gradient, dx) < 30 * tolerance)
    }
  }

  @Test(arguments: [(3, 5), (200, 700), (70, 5000), (300, 4100), (4, 3000), (600, 1500)])
  func columns(rows: Int, columns: Int) {
    let x = numbers(rows * columns)
    let tensor = Tensor(x).reshaped([rows, columns]).evaluate()
    var (sums, most) = (
      [Double](repeating: 0, count: columns), [Double](repeating: -.infinity, count: columns)
    )
    for r in 0..<rows {
      for c in 0..<columns {
        sums[c] += Double(x[r * columns + c])
        most[c] = max(most[c], Double(x[r * columns + c]))
      }
    }
    let found = run(columns) { pointer in
      let result = tensor.sum(0).array(of: Float.self)
      pointer.update(from: result, count: columns)
      return 0
    }
    // Terms of both signs: what counts is their size.
    let tolerance = 1e-6 * Double(rows).squareRoot()
    #expect(largestError(found, sums) < tolerance)
    #expect(tensor.max(0).array(of: Float.self).map(Double.init) == most)
    // Computed on the way.
    let computed = (tensor * 2 - tensor).sum(0).array(of: Float.self)
    #expect(largestError(computed, sums) < tolerance)
  }

  @Test func chainsOverMoreThanTheCachesHold() {
    let n = 2_100_011
    let (x, z) = (numbers(n), numbers(n))
    let (a, b) = (Tensor(x).evaluate(), Tensor(z).evaluate())
    let y = run(n) { pointer in
      pointer.update(from: ((a * 1.5 + 0.25).relu() + b).array(of: Float.self), count: n)
      return 0
    }
    let expected = zip(x, z).map { max($0 * 1.5 + 0.25, 0) + $1 }
    #expect(y == expected)
  }
}
