import TarnCore
import Testing

@Suite struct TensorMovementTests {
  let x = Tensor.arange(6).reshaped(2, 3)

  @Test func shapes() {
    #expect(x.reshaped(3, -1).shape == [3, 2])
    #expect(x.reshaped([-1]).integers == [0, 1, 2, 3, 4, 5])
    #expect(x[0, 0].reshaped([]).shape == [])
    #expect(Tensor.zeros([0, 4]).reshaped(2, -1, 2).shape == [2, 0, 2])
    let images = Tensor.zeros([32, 28, 28])
    #expect(images.flattened(from: 1).shape == [32, 784])
    #expect(images.flattened(to: 1).shape == [896, 28])
    #expect(images.flattened().shape == [25088])
    #expect(Tensor(1).flattened().shape == [1])
    #expect(images.expandedDims(1).shape == [32, 1, 28, 28])
    #expect(images.expandedDims(-1).shape == [32, 28, 28, 1])
    #expect(Tensor.zeros([1, 3, 1]).squeezed().shape == [3])
    #expect(Tensor.zeros([1, 3, 1]).squeezed(-1).shape == [1, 3])
  }

  @Test func axes() {
    #expect(x.transposed().integers == [0, 3, 1, 4, 2, 5])
    let cube = Tensor.arange(24).reshaped(2, 3, 4)
    #expect(cube.permuted(2, 0, -2).shape == [4, 2, 3])
    #expect(cube.permuted([2, 0, 1])[1].integers == [1, 5, 9, 13, 17, 21])
    #expect(cube.transposed(0, -1).shape == [4, 3, 2])
    #expect(cube.transposed().shape == [2, 4, 3])
    #expect(x.broadcast(to: [2, 2, 3]).integers == [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5])
    #expect(Tensor([[1], [2]]).broadcast(to: [2, 2]).integers == [1, 1, 2, 2])
  }

  @Test func order() {
    #expect(x.flipped().integers == [5, 4, 3, 2, 1, 0])
    #expect(x.flipped(-1).integers == [2, 1, 0, 5, 4, 3])
    #expect(x.rolled(by: 1, axis: 1).integers == [2, 0, 1, 5, 3, 4])
    #expect(x.rolled(by: -4, axis: 1).integers == [1, 2, 0, 4, 5, 3])
    #expect(x.rolled(by: 2, axis: 0).integers == x.integers)
    #expect(x.repeated(2, axis: 1).integers == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
    #expect(x.repeated(0, axis: 0).shape == [0, 3])
    #expect(Tensor([[1, 2]]).tiled([2, 2]).integers == [1, 2, 1, 2, 1, 2, 1, 2])
  }

  @Test func padding() {
    #expect(x.padded([(0, 0), (1, 2)]).integers == [0, 0, 1, 2, 0, 0, 0, 3, 4, 5, 0, 0])
    #expect(x.padded([(1, 0), (0, -1)], value: 9).integers == [9, 9, 0, 1, 3, 4])
    let row = Tensor([1, 2, 3])
    #expect(row.padded([(2, 2)], mode: .reflect).integers == [3, 2, 1, 2, 3, 2, 1])
    #expect(row.padded([(2, 1)], mode: .edge).integers == [1, 1, 1, 2, 3, 3])
    #expect(x.padded([(1, 1), (1, 0)], mode: .edge).shape == [4, 4])
    #expect(agree(Tensor([1.0]).padded([(1, 1)], value: -.infinity), [-.infinity, 1, -.infinity]))
    let g = grad(
      { ($0.padded([(2, 2)], mode: .reflect) * Tensor.arange(7)).sum() }, at: Tensor([1.0, 2, 3]))
    #expect(agree(g, [8, 9, 4]))
  }

  @Test func joining() {
    let y = Tensor([[6, 7, 8]])
    #expect(Tensor.concatenated([x, y]).integers == Array(0..<9))
    #expect(
      Tensor.concatenated([x, x], axis: -1).integers == [0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5])
    #expect(Tensor.concatenated([x, y.cast(to: .float32)]).dtype == .float32)
    #expect(Tensor.concatenated([x]).shape == [2, 3])
    #expect(Tensor.concatenated([x, Tensor.zeros([0, 3], dtype: .int64)]).shape == [2, 3])
    #expect(Tensor.stacked([Tensor([1, 2]), Tensor([3, 4])], axis: 1).integers == [1, 3, 2, 4])
    #expect(Tensor.stacked([Tensor(1), Tensor(2)]).shape == [2])
  }

  @Test func parting() {
    let parts = x.split(sizes: [1, 2], axis: 1)
    #expect(parts.map(\.shape) == [[2, 1], [2, 2]])
    #expect(parts[1].integers == [1, 2, 4, 5])
    #expect(x.split(2).map(\.integers) == [[0, 1, 2], [3, 4, 5]])
    #expect(Tensor.arange(5).chunked(2).map(\.integers) == [[0, 1], [2, 3], [4]])
  }
}

@Suite struct TensorSlicingTests {
  let x = Tensor.arange(24).reshaped(2, 3, 4)

  @Test func indices() {
    #expect(x[0].shape == [3, 4])
    #expect(x[1, 2, 3].item(as: Int.self) == 23)
    #expect(x[-1, -1, -1].item(as: Int.self) == 23)
    #expect(x[1, 0].integers == [12, 13, 14, 15])
    let place = 2
    #expect(x[0, place].integers == [8, 9, 10, 11])
  }

  @Test func ranges() {
    #expect(x[0, 1..<3, 0].integers == [4, 8])
    #expect(x[0, 1...2, 0].integers == [4, 8])
    #expect(x[0, 1..., 0].integers == [4, 8])
    #expect(x[0, ..<2, 0].integers == [0, 4])
    #expect(x[0, (-2)..., 0].integers == [4, 8])
    #expect(x[0, ..<(-1), 0].integers == [0, 4])
    #expect(x[0, ...(-1), 0].integers == [0, 4, 8])
    #expect(x[0, 1..<1].shape == [0, 4])
    #expect(x[0, 0, (0..<4).by(2)].integers == [0, 2])
    #expect(x[0, 0, (1...).by(2)].integers == [1, 3])
    #expect(x[0, .all, 1].integers == [1, 5, 9])
  }

  @Test func steps() {
    #expect(x[0, 0, .stride(by: -1)].integers == [3, 2, 1, 0])
    #expect(x[0, 0, .stride(by: -2)].integers == [3, 1])
    #expect(x[0, 0, .stride(from: 2, to: 0, by: -1)].integers == [2, 1])
    #expect(x[0, 0, .stride(from: -1, to: -3, by: -1)].integers == [3, 2])
    #expect(x[0, 0, .stride(from: 0, to: 2, by: -1)].shape == [0])
    #expect(x[0, 0, .stride(from: 1, by: 2)].integers == [1, 3])
  }

  @Test func restAndNewAxes() {
    #expect(x[..., 2].shape == [2, 3])
    #expect(x[..., 2].integers == [2, 6, 10, 14, 18, 22])
    #expect(x[1, ..., 0].integers == [12, 16, 20])
    #expect(x[.ellipsis, 1, 0].integers == [4, 16])
    #expect(x[.newAxis].shape == [1, 2, 3, 4])
    #expect(x[0, .newAxis, 1..<2].shape == [1, 1, 4])
    #expect(x[..., .newAxis].shape == [2, 3, 4, 1])
    #expect(x[0, 0, ..., 0].shape == [])
    #expect(x[0, 0, ...].integers == [0, 1, 2, 3])
  }

  @Test func replacing() {
    let y = Tensor.zeros([2, 3], dtype: .int64)
    #expect(y.replacing([0, 1...], with: Tensor([7, 8])).integers == [0, 7, 8, 0, 0, 0])
    #expect(y.replacing([.all, 1], with: Tensor(5)).integers == [0, 5, 0, 0, 5, 0])
    #expect(
      y.replacing([1, .stride(by: -2)], with: Tensor([1, 2])).integers == [0, 0, 0, 2, 0, 1])
    #expect(y.replacing([], with: Tensor([1, 2, 3])).integers == [1, 2, 3, 1, 2, 3])
    #expect(y.replacing([0..<0], with: Tensor(5)).integers == y.integers)
    let z = Tensor([.nan, 2])
    #expect(agree(z.replacing([0], with: Tensor(1)), [1, 2]))
    #expect(
      agree(grad({ ($0.replacing([0], with: $0[1]) * 3).sum() }, at: Tensor([1.0, 2])), [0, 6]))
  }

  @Test func derivative() {
    let g = grad({ ($0[.stride(by: -2)] * Tensor([1.0, 10])).sum() }, at: Tensor([1.0, 2, 3, 4]))
    #expect(agree(g, [0, 10, 0, 1]))
  }
}
