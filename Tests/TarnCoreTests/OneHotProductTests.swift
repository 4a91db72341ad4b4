import Tarn
import Testing

/// Products with one-hot rows are done without the zeros.
@Suite struct OneHotProductTests {
  private let ids = Tensor([[3, 0, 2], [4, 2, -1]])
  private let table = Tensor.normal([5, 4], key: RandomKey(seed: 1))

  /// The same product where nothing tells that the rows are one-hot.
  private func dense(_ right: Tensor, transposed: Bool) -> Tensor {
    let rows = ids.oneHot(5).evaluate()
    return rows.matmul(right, transposed: transposed)
  }

  private func expectEqual(_ a: Tensor, _ b: Tensor) {
    #expect(a.shape == b.shape)
    for (x, y) in zip(a.array(of: Float.self), b.array(of: Float.self)) {
      #expect(abs(x - y) <= 1e-5)
    }
  }

  @Test func rowsAreTaken() {
    expectEqual(ids.oneHot(5).matmul(table), dense(table, transposed: false))
    let turned = table.transposed().evaluate()
    expectEqual(ids.oneHot(5).matmul(turned, transposed: true), dense(turned, transposed: true))
  }

  @Test func gradientsAreScattered() {
    let weights = Tensor.normal([2, 3, 4], key: RandomKey(seed: 2))
    for transposed in [false, true] {
      let right = transposed ? table.transposed().evaluate() : table
      let found = grad(
        { (self.ids.oneHot(5).matmul($0, transposed: transposed) * weights).sum() }, at: right)
      let expected = grad(
        { (self.dense($0, transposed: transposed) * weights).sum() }, at: right)
      expectEqual(found, expected)
    }
  }

  /// The classes of a product are compared, not what happens to look like them.
  @Test func otherRowsStay() {
    let index = Tensor([0, 1, 2])
    let rows = (index.expandedDims(1) .== Tensor([0, 2, 1])).cast(to: .float32)
    #expect(rows.matmul(Tensor([[1], [2], [3]] as [[Float]])).array(of: Float.self) == [1, 3, 2])
  }
}
