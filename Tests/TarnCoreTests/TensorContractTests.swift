import TarnCore
import Testing

/// Expected numbers from NumPy 2.4.
@Suite struct TensorContractTests {
  let a = Tensor.arange(6, dtype: .float32).reshaped(2, 3)
  let b = Tensor.arange(24, dtype: .float32).reshaped(4, 3, 2)
  let c = Tensor.arange(12, dtype: .float32).reshaped(2, 2, 3)
  let d = Tensor.arange(12, dtype: .float32).reshaped(2, 3, 2)

  @Test func matrices() {
    #expect(agree(a.matmul(d[0]), [10, 13, 28, 40]))
    #expect(agree(a.matmul(a, transposed: true), [5, 14, 14, 50]))
    #expect(a.matmul(Tensor.zeros([3, 0])).shape == [2, 0])
    #expect(agree(Tensor.zeros([2, 0]).matmul(Tensor.zeros([0, 1])), [0, 0]))
    #expect(Tensor([[1, 2]]).matmul(Tensor([[3], [4]])).integers == [11])
    #expect(Tensor([[1, 2]]).matmul(Tensor([[3], [4]])).dtype == .int64)
  }

  @Test func batches() {
    let product = a.matmul(b)
    #expect(product.shape == [4, 2, 2])
    #expect(
      agree(product, [10, 13, 28, 40, 28, 31, 100, 112, 46, 49, 172, 184, 64, 67, 244, 256]))
    #expect(agree(c.matmul(d), [10, 13, 28, 40, 172, 193, 244, 274]))
    #expect(agree(c.matmul(d[0]), [10, 13, 28, 40, 46, 67, 64, 94]))
    #expect(
      agree(c.matmul(d.transposed(), transposed: true), [10, 13, 28, 40, 172, 193, 244, 274]))
    #expect(c.expandedDims(1).matmul(b).shape == [2, 4, 2, 2])
    #expect(Tensor.zeros([0, 2, 3]).matmul(d[0]).shape == [0, 2, 2])
  }

  @Test func vectors() {
    let v = Tensor([1, 2, 3] as [Float])
    #expect(v.matmul(d).shape == [2, 2])
    #expect(agree(v.matmul(d), [16, 22, 52, 58]))
    #expect(agree(c.matmul(v), [8, 26, 44, 62]))
    #expect(v.matmul(v).shape == [])
    #expect(v.matmul(v).item() == 14)
    #expect(v.dot(v).item() == 14)
    #expect(agree(v.outer(Tensor([1, 10] as [Float])), [1, 10, 2, 20, 3, 30]))
    #expect(agree(a.matmul(v), [8, 26]))
    #expect(agree(Tensor([1, 2] as [Float]).matmul(a), [6, 9, 12]))
  }

  @Test func derivatives() {
    let v = Tensor([1, 2, 3] as [Float])
    #expect(agree(grad({ $0.matmul(v).sum() }, at: a), [1, 2, 3, 1, 2, 3]))
    let right = d
    #expect(agree(grad({ $0.matmul(right).sum() }, at: a), [14, 22, 30, 14, 22, 30]))
  }

  @Test func summation() {
    #expect(agree(einsum("ij,jk->ik", a, d[0]), [10, 13, 28, 40]))
    #expect(agree(einsum("ij,jk,kl->il", a, b[0], a), [39, 62, 85, 120, 188, 256]))
    #expect(agree(einsum("bij,bjk->bik", c, d), [10, 13, 28, 40, 172, 193, 244, 274]))
    #expect(agree(einsum("bij->j", c), [18, 22, 26]))
    #expect(agree(einsum("ij,ji", a, a.transposed()), [55]))
    #expect(einsum("i,j->ij", Tensor([1, 2]), Tensor([3, 4])).integers == [3, 4, 6, 8])
    #expect(einsum("i,i->i", Tensor([1, 2]), Tensor([3, 4])).integers == [3, 8])
    #expect(einsum("ji", Tensor([[1, 2], [3, 4]])).integers == [1, 3, 2, 4])
  }

  @Test func diagonalsAndRest() {
    let square = Tensor.arange(9).reshaped(3, 3)
    #expect(einsum("ii->i", square).integers == [0, 4, 8])
    #expect(einsum("ii->", square).integers == [12])
    #expect(einsum("ii", square).integers == [12])
    #expect(agree(einsum("...ij->...ji", c), [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11]))
    #expect(agree(einsum("...ij,...jk->...ik", c, d), [10, 13, 28, 40, 172, 193, 244, 274]))
    #expect(agree(einsum("...ij,jk->...ik", c, d[0]), [10, 13, 28, 40, 46, 67, 64, 94]))
    let heads = Tensor.arange(8).reshaped(1, 2, 2, 2)
    #expect(einsum("bhqd, bhkd -> bhqk", heads, heads).integers == [1, 3, 3, 13, 41, 59, 59, 85])
  }
}
