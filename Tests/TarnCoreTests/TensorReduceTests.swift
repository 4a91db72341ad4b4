import TarnCore
import Testing

/// Expected numbers from NumPy 2.4 and SciPy 1.17.
@Suite struct TensorReduceTests {
  let x = Tensor([[1, 2, 3], [4, 5, 7]] as [[Double]])

  @Test func sums() {
    #expect(x.sum().item() == 22)
    #expect(x.sum().shape == [])
    #expect(agree(x.sum(0), [5, 7, 10]))
    #expect(agree(x.sum(axis: -1), [6, 16]))
    #expect(x.sum(1, keepDims: true).shape == [2, 1])
    #expect(x.sum(keepDims: true).shape == [1, 1])
    #expect(agree(x.sum(axes: []), [1, 2, 3, 4, 5, 7]))
    let cube = Tensor.arange(24).reshaped(2, 3, 4)
    #expect(cube.sum(0, 2).integers == [60, 92, 124])
    #expect(cube.sum(0, -1, keepDims: true).shape == [1, 3, 1])
    #expect(x.product().item() == 840)
    #expect(agree(x.product(0), [4, 10, 21]))
  }

  @Test(arguments: [DType.bool, .uint8, .int8, .int32]) func smallIntegersSumWide(_ dtype: DType) {
    let ones = Tensor.ones([300], dtype: dtype)
    #expect(ones.sum().dtype == .int64)
    #expect(ones.sum().item() == 300)
    #expect(ones.mean().dtype == .float32)
    #expect(ones.mean().item() == 1)
  }

  @Test func means() {
    #expect(agree(x.mean(0), [2.5, 3.5, 5]))
    #expect(agree(x.mean(), [22.0 / 6]))
    #expect(Tensor([1, 2]).mean().item() == 1.5)
    #expect(Tensor.full([4096], 100, dtype: .float16).mean().item() == 100)
    #expect(agree(x.variance(), [3.8888888888888893]))
    #expect(agree(x.variance(1, unbiased: true), [1, 2.3333333333]))
    #expect(agree(x.variance(axes: [0, 1], keepDims: true), [3.8888888888888893]))
    #expect(agree(x.standardDeviation(0), [1.5, 1.5, 2]))
  }

  @Test func extremes() {
    #expect(x.max().item() == 7)
    #expect(agree(x.max(0), [4, 5, 7]))
    #expect(agree(x.min(axis: 1), [1, 4]))
    #expect(agree(Tensor([1, .nan, 3]).max(), [.nan]))
    #expect(Tensor([3, -8, 5]).min().item(as: Int.self) == -8)
    #expect(Tensor([3, -8, 5]).max().dtype == .int64)
    let tied = Tensor([[3, 9, 9], [1, 1, 0]])
    #expect(tied.argMax(axis: 1).integers == [1, 0])
    #expect(tied.argMax().integers == [1])
    #expect(tied.argMin(axis: 0).integers == [1, 1, 1])
    #expect(tied.argMin(axis: -1, keepDims: true).shape == [2, 1])
    #expect(tied.argMax(keepDims: true).shape == [1, 1])
    #expect(tied.argMax().dtype == .int64)
  }

  @Test func quantifiers() {
    let mask = Tensor([[true, false], [true, true]])
    #expect(mask.any(axis: 0).bools == [true, true])
    #expect(mask.all(0).bools == [true, false])
    #expect(Tensor([0, 2]).any().item(as: Bool.self))
    #expect(!Tensor([0, 2]).all().item(as: Bool.self))
  }

  @Test func nothingToReduce() {
    let none = Tensor.zeros([0, 3])
    #expect(agree(none.sum(0), [0, 0, 0]))
    #expect(none.product().item() == 1)
    #expect(agree(none.mean(0), [.nan, .nan, .nan]))
    #expect(none.any(0).bools == [false, false, false])
    #expect(none.all(0).bools == [true, true, true])
    #expect(none.sum(1).shape == [0])
    #expect(none.max(1).shape == [0])
    #expect(none.softmax(axis: 0).shape == [0, 3])
    #expect(Tensor(4).sum().item() == 4)
    #expect(Tensor(4).max().item() == 4)
  }

  @Test func exponentials() {
    #expect(agree(x.logSumExp(1), [3.407605964444, 7.169846019556], 1e-10))
    #expect(agree(x.logSumExp(), [7.1928119148004015], 1e-10))
    #expect(agree((x + 1000).logSumExp(), [1007.1928119148], 1e-10))
    #expect(agree(Tensor([-Double.infinity, -Double.infinity]).logSumExp(), [-.infinity]))
    #expect(agree(Tensor([1, Double.infinity]).logSumExp(), [.infinity]))
    let softmax = [
      0.09003057317, 0.244728471055, 0.665240955775, 0.042010066134, 0.114195199385, 0.843794734481,
    ]
    #expect(agree(x.softmax(), softmax, 1e-10))
    #expect(agree((x + 1000).softmax(axis: 1), softmax, 1e-10))
    #expect(agree(x.transposed().softmax(axis: 0).transposed(), softmax, 1e-10))
    let logSoftmax = [
      -2.407605964444, -1.407605964444, -0.407605964444, -3.169846019556, -2.169846019556,
      -0.169846019556,
    ]
    #expect(agree(x.logSoftmax(axis: -1), logSoftmax, 1e-10))
    #expect(agree((x * 1e6).logSoftmax()[0], [-2e6, -1e6, 0]))
  }

  /// ∂ softmaxᵢ / ∂ xⱼ = yᵢ (δᵢⱼ − yⱼ); ∂ logSoftmaxᵢ / ∂ xⱼ = δᵢⱼ − yⱼ; and once more.
  @Test func softmaxDerivatives() {
    let row = x[0]
    let y = row.softmax()
    let wanted = Tensor.diagonal(of: y) - y.outer(y)
    #expect(jacobian({ $0.softmax() }, at: row).isClose(to: wanted, absolute: 1e-12))
    #expect(
      jacobian({ $0.logSoftmax() }, at: row).isClose(
        to: Tensor.eye(3, dtype: .float64) - y.expandedDims(0), absolute: 1e-12))
    #expect(hessian({ -$0.logSoftmax()[1] }, at: row).isClose(to: wanted, absolute: 1e-12))
    #expect(hessian({ $0.logSumExp() }, at: row).isClose(to: wanted, absolute: 1e-12))
    let tangent = jvp({ $0.softmax() }, at: row, along: Tensor([1, 0, 0] as [Double])).tangent
    #expect(tangent.isClose(to: wanted[0], absolute: 1e-12))
  }

  @Test func norms() {
    #expect(agree(x.norm(), [10.198039027185569]))
    #expect(agree(x.norm(1), [3.741657386774, 9.486832980505]))
    #expect(agree(x.norm(axes: [0], order: 1), [5, 7, 10]))
    #expect(agree((-x).norm(order: .infinity), [7]))
    #expect(agree(x[0].norm(order: 3), [3.3019272488946267]))
    #expect(agree(grad({ $0.norm() }, at: Tensor([3, 4] as [Double])), [0.6, 0.8]))
    #expect(agree(grad({ $0.norm() }, at: Tensor([0, 0] as [Double])), [0, 0]))
  }

  @Test func runningSums() {
    #expect(agree(x.cumulativeSum(axis: 1), [1, 3, 6, 4, 9, 16]))
    #expect(agree(x.cumulativeSum(axis: 0), [1, 2, 3, 5, 7, 10]))
    #expect(Tensor([true, true, false]).cumulativeSum().integers == [1, 2, 2])
  }
}
