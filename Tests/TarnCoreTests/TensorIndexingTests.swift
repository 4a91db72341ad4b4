import TarnCore
import Testing

@Suite struct TensorIndexingTests {
  let x = Tensor([[1, 2, 3], [4, 5, 6]])

  @Test func taking() {
    #expect(x[Tensor([1, 0, 1])].integers == [4, 5, 6, 1, 2, 3, 4, 5, 6])
    #expect(x.take(Tensor([-1, 0]), axis: 1).integers == [3, 1, 6, 4])
    #expect(x.take(Tensor([[0], [2]]), axis: -1).shape == [2, 2, 1])
    #expect(x.take(Tensor(1, dtype: .int32)).integers == [4, 5, 6])
    #expect(x.take(Tensor([] as [Int])).shape == [0, 3])
  }

  @Test func takingAlong() {
    #expect(x.takeAlong(Tensor([[2], [0]]), axis: 1).integers == [3, 4])
    #expect(x.takeAlong(Tensor([[0, 1, -1]]), axis: 0).integers == [1, 5, 6])
    #expect(x.takeAlong(x.argMax(axis: 1, keepDims: true), axis: 1).integers == [3, 6])
    let cube = Tensor.arange(24).reshaped(2, 3, 4)
    let index = Tensor([[[3, 2, 1, 0]], [[0, 0, 2, 2]]]) % 3
    #expect(cube.takeAlong(index, axis: 1).integers == [0, 9, 6, 3, 12, 13, 22, 23])
    let g = grad(
      { $0.takeAlong(Tensor([[2], [2]]), axis: 1).sum() }, at: Tensor([[1.0, 2, 3], [4, 5, 6]]))
    #expect(agree(g, [0, 0, 1, 0, 0, 1]))
  }

  @Test func scattering() {
    let y = x.scatterAdded(Tensor([[10, 10, 10], [1, 2, 3], [1, 1, 1]]), at: Tensor([0, 1, 0]))
    #expect(y.integers == [12, 13, 14, 5, 7, 9])
    #expect(x.scatterAdded(Tensor(1), at: Tensor([2, 2]), axis: 1).integers == [1, 2, 5, 4, 5, 8])
    let z = Tensor.scatterAdd(Tensor([5, 6, 7]), at: Tensor([3, 0, 3]), into: [4])
    #expect(z.integers == [6, 0, 0, 12])
  }

  @Test func masks() {
    #expect(x[x .> 2].integers == [3, 4, 5, 6])
    #expect(x[Tensor([false, true])].integers == [4, 5, 6])
    #expect(x[Tensor([false, true])].shape == [1, 3])
    #expect(x[x .> 9].shape == [0])
    #expect((x .> 4).nonZero().integers == [1, 1, 1, 2])
    #expect(x.nonZero().shape == [6, 2])
    #expect(Tensor([0, 0]).nonZero().shape == [0, 1])
    #expect(Tensor(5).nonZero().shape == [1, 0])
  }

  @Test func matrices() {
    let square = Tensor.arange(9).reshaped(3, 3) + 1
    #expect(square.lowerTriangle().integers == [1, 0, 0, 4, 5, 0, 7, 8, 9])
    #expect(square.lowerTriangle(k: 1).integers == [1, 2, 0, 4, 5, 6, 7, 8, 9])
    #expect(square.upperTriangle().integers == [1, 2, 3, 0, 5, 6, 0, 0, 9])
    #expect(square.upperTriangle(k: 1).integers == [0, 2, 3, 0, 0, 6, 0, 0, 0])
    #expect(square.diagonal().integers == [1, 5, 9])
    #expect(x.diagonal().integers == [1, 5])
    #expect(x.transposed().diagonal().integers == [1, 5])
    #expect(Tensor.zeros([2, 0, 3]).diagonal().shape == [2, 0])
    #expect(Tensor.diagonal(of: Tensor([1, 2])).integers == [1, 0, 0, 2])
    #expect(Tensor.diagonal(of: x).shape == [2, 3, 3])
    #expect(Tensor.diagonal(of: x).diagonal().integers == x.integers)
  }
}
