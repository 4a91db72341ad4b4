import Testing

import TarnCore

@Suite struct TensorCreationTests {
  @Test func scalars() {
    #expect(Tensor(3.5).shape == [])
    #expect(Tensor(3.5).dtype == .float32)
    #expect(Tensor(3).item() == 3)
    #expect(Tensor(7, dtype: .int64).item(as: Int.self) == 7)
    let number: Float = 0.25
    #expect(Tensor(number).item() == 0.25)
  }

  @Test func nestedArrays() {
    let x = Tensor([[1, 2, 3], [4, 5, 6]] as [[Float]])
    #expect(x.shape == [2, 3])
    #expect(x.dtype == .float32)
    #expect(x.array(of: Float.self) == [1, 2, 3, 4, 5, 6])
    let planes = Tensor([[[1, 2]], [[3, 4]], [[5, 6]]])
    #expect(planes.shape == [3, 1, 2])
    #expect(planes.dtype == .int64)
    #expect(planes.integers == [1, 2, 3, 4, 5, 6])
    #expect(Tensor([] as [Double]).shape == [0])
  }

  @Test func bytes() {
    let values: [Int32] = [1, -2, 3]
    let x = values.withUnsafeBytes { Tensor(bytes: $0, shape: [3], dtype: .int32) }
    #expect(x.integers == [1, -2, 3])
    #expect(x.bytes() == values.withUnsafeBytes(Array.init))
    let flags: [UInt8] = [0, 7, 1]
    let mask = flags.withUnsafeBytes { Tensor(bytes: $0, shape: [3], dtype: .bool) }
    #expect(mask.bytes() == [0, 1, 1])
  }

  @Test(arguments: DType.allCases) func bytesComeBack(_ dtype: DType) {
    let x = Tensor([0, 1, 1, 0]).cast(to: dtype)
    let again = x.bytes().withUnsafeBytes { Tensor(bytes: $0, shape: [4], dtype: dtype) }
    #expect(again.dtype == dtype)
    #expect(again.integers == [0, 1, 1, 0])
    #expect(again.bytes().count == 4 * dtype.byteCount)
  }

  @Test func filled() {
    #expect(Tensor.zeros([2, 2]).array(of: Float.self) == [0, 0, 0, 0])
    #expect(Tensor.ones([3], dtype: .uint8).array(of: UInt8.self) == [1, 1, 1])
    #expect(Tensor.full([2], 0.5).array(of: Float.self) == [0.5, 0.5])
    #expect(Tensor.full([2], 3, dtype: .int32).dtype == .int32)
    #expect(Tensor.zeros(like: Tensor([1, 2, 3])).dtype == .int64)
    #expect(Tensor.ones(like: Tensor([[1.5]])).shape == [1, 1])
    #expect(Tensor.zeros([0, 3]).array(of: Float.self) == [])
  }

  @Test func ranges() {
    #expect(Tensor.arange(4).integers == [0, 1, 2, 3])
    #expect(Tensor.arange(4).dtype == .int64)
    #expect(Tensor.arange(from: 2, to: 8, by: 3).integers == [2, 5])
    #expect(Tensor.arange(from: 5, to: 0, by: -2).integers == [5, 3, 1])
    #expect(Tensor.arange(from: 5, to: 0).shape == [0])
    let halves = Tensor.arange(from: 0.0, to: 2.0, by: 0.5)
    #expect(halves.array(of: Float.self) == [0, 0.5, 1, 1.5])
    #expect(
      Tensor.linspace(from: 0, to: 1, count: 5).array(of: Float.self) == [0, 0.25, 0.5, 0.75, 1])
    #expect(Tensor.linspace(from: 3, to: 9, count: 1).array(of: Float.self) == [3])
    #expect(
      Tensor.linspace(from: 0, to: 0.7, count: 8, dtype: .float64).array(of: Double.self).last
        == 0.7)
  }

  @Test func identityAndOneHot() {
    #expect(Tensor.eye(2).array(of: Float.self) == [1, 0, 0, 1])
    #expect(Tensor.eye(2, 3).array(of: Float.self) == [1, 0, 0, 0, 1, 0])
    let rows = Tensor([2, 0, 7]).oneHot(3)
    #expect(rows.shape == [3, 3])
    #expect(rows.array(of: Float.self) == [0, 0, 1, 1, 0, 0, 0, 0, 0])
    #expect(Tensor([[1]]).oneHot(2, dtype: .int32).shape == [1, 1, 2])
  }
}

@Suite struct TensorHostTests {
  @Test func castsAsItReads() {
    let x = Tensor([-1.7, 0, 2.9] as [Double])
    #expect(x.array(of: Int.self) == [-1, 0, 2])
    #expect(x.array(of: Bool.self) == [true, false, true])
    #expect(x.array(of: Float.self) == [-1.7, 0, 2.9])
    #expect(Tensor([1, 0, 1]).cast(to: .bool).array(of: Double.self) == [1, 0, 1])
    #expect(Tensor([300, -1]).cast(to: .uint8).integers == [44, 255])
  }

  @Test func item() {
    #expect(Tensor([[4.5]]).item() == 4.5)
    #expect(Tensor([9]).item(as: Int.self) == 9)
    #expect(Tensor([true]).item(as: Bool.self))
  }

  @Test func closeness() {
    let x = Tensor([1, 2, .infinity])
    #expect(x.isClose(to: Tensor([1.000001, 2, .infinity])))
    #expect(!x.isClose(to: Tensor([1.001, 2, .infinity])))
    #expect(!x.isClose(to: Tensor([1, 2, 5e300])))
    #expect(!Tensor([5e300]).isClose(to: Tensor([Double.infinity])))
    #expect(!Tensor([Double.nan]).isClose(to: Tensor([Double.nan])))
    #expect(Tensor([1, 1]).isClose(to: Tensor(1)))
    #expect(Tensor([1.0, 2]).isClose(to: Tensor([1.05, 2.05]), absolute: 0.06))
  }
}
