import CTarnKernels
import Testing

/// Products of a column and a row are written once: also those that go past the caches.
@Suite struct OuterProductTests {
  @Test(arguments: [(3, 5, 7), (2, 1100, 1024), (1, 1500, 1441)])
  func everyElementIsOneProduct(_ batch: Int, _ rows: Int, _ columns: Int) {
    let a = (0..<(batch * rows)).map { Float($0 % 101) / 64 - 1 }
    let b = (0..<(batch * columns)).map { Float($0 % 97) / 32 - 1 }
    let count = batch * rows * columns
    let memory = UnsafeMutableRawPointer.allocate(byteCount: count * 4, alignment: 64)
    defer { memory.deallocate() }
    let status = tarn_matmul(
      7, 1, 0, Int64(batch), Int64(rows), Int64(columns), 1, a, Int64(rows), b, Int64(columns),
      memory)
    #expect(status == 0)
    let c = memory.assumingMemoryBound(to: Float.self)
    let wrong = (0..<count).first { index in
      let (row, column) = (index / columns, index % columns)
      return c[index] != a[row] * b[row / rows * columns + column]
    }
    #expect(wrong == nil)
  }
}
