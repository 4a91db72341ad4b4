import CTarnKernels
import Testing

/// Products of whole numbers are exact whatever the order of the sums: every way of packing must give them.
@Suite struct MatrixProductTests {
  struct Shape: Sendable, CustomTestStringConvertible {
    let m, n, k: Int
    var testDescription: String { "\(m) × \(n) × \(k)" }
  }

  /// Around the sizes of panels (4 to 32), of blocks of k (384), and of what is packed at a time (2,016 rows and 4,096
  /// columns).
  static let shapes = [
    Shape(m: 14, n: 32, k: 16), Shape(m: 28, n: 64, k: 37), Shape(m: 31, n: 95, k: 401),
    Shape(m: 141, n: 129, k: 385), Shape(m: 2017, n: 33, k: 18), Shape(m: 2048, n: 5, k: 3),
    Shape(m: 43, n: 4097, k: 19), Shape(m: 3, n: 4160, k: 7), Shape(m: 70, n: 65, k: 800),
    Shape(m: 96, n: 61, k: 390), Shape(m: 128, n: 150, k: 770), Shape(m: 2, n: 331, k: 401),
    Shape(m: 9, n: 500, k: 385), Shape(m: 17, n: 345, k: 800),
  ]

  private func entry(_ row: Int, _ column: Int, _ seed: Int) -> Int {
    (row &* 31 &+ column &* 17 &+ row &* column &* 7 &+ seed) % 13 - 6
  }

  /// [rows, columns], stored across if `transposed`.
  private func matrix<T: BinaryFloatingPoint>(
    _ rows: Int, _ columns: Int, transposed: Bool, seed: Int
  ) -> [T] {
    (0..<(rows * columns)).map { index in
      transposed
        ? T(entry(index % rows, index / rows, seed))
        : T(entry(index / columns, index % columns, seed))
    }
  }

  private func product<T: BinaryFloatingPoint>(
    _ shape: Shape, dtype: Int32, transposed: (Bool, Bool), _: T.Type
  ) -> [T] {
    let a: [T] = matrix(shape.m, shape.k, transposed: transposed.0, seed: 1)
    let b: [T] = matrix(shape.k, shape.n, transposed: transposed.1, seed: 2)
    return [T](unsafeUninitializedCapacity: shape.m * shape.n) { buffer, count in
      let status = a.withUnsafeBytes { a in
        b.withUnsafeBytes { b in
          tarn_matmul(
            dtype, transposed.0 ? 1 : 0, transposed.1 ? 1 : 0, 1, Int64(shape.m), Int64(shape.n),
            Int64(shape.k), a.baseAddress, 0, b.baseAddress, 0, buffer.baseAddress)
        }
      }
      #expect(status == 0)
      count = shape.m * shape.n
    }
  }

  private func firstWrong<T: BinaryFloatingPoint>(_ c: [T], _ shape: Shape) -> Int? {
    // Every row and every column is met; all elements would take long.
    (0..<max(shape.m, shape.n)).first { step in
      [(step % shape.m, step % shape.n), (step % shape.m, (step * 7 + shape.n - 1) % shape.n)]
        .contains { row, column in
          let sum = (0..<shape.k).reduce(0) { $0 + entry(row, $1, 1) * entry($1, column, 2) }
          return c[row * shape.n + column] != T(sum)
        }
    }
  }

  @Test(arguments: shapes, [0, 1, 2, 3])
  func sumsAreExact(_ shape: Shape, _ layout: Int) {
    let transposed = (layout & 1 != 0, layout & 2 != 0)
    let single = product(shape, dtype: 7, transposed: transposed, Float.self)
    #expect(firstWrong(single, shape) == nil, "float32")
    let double = product(shape, dtype: 8, transposed: transposed, Double.self)
    #expect(firstWrong(double, shape) == nil, "float64")
  }
}
