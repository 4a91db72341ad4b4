import TarnCore
import Testing

@Suite struct TensorOperatorTests {
  let a = Tensor([[1, 2, 3], [4, 5, 6]] as [[Float]])
  let i = Tensor([7, -7, 8])

  @Test func arithmetic() {
    #expect(agree(a + a, [2, 4, 6, 8, 10, 12]))
    #expect(agree(a - 1, [0, 1, 2, 3, 4, 5]))
    #expect(agree(1 - a, [0, -1, -2, -3, -4, -5]))
    #expect(agree(a * a, [1, 4, 9, 16, 25, 36]))
    #expect(agree(6 / a, [6, 3, 2, 1.5, 1.2, 1]))
    #expect(agree(-a, [-1, -2, -3, -4, -5, -6]))
    var sum = a
    sum += a
    sum *= 2
    sum -= Tensor([4, 8, 12] as [Float])
    sum /= 2
    #expect(agree(sum, [0, 0, 0, 6, 6, 6]))
  }

  @Test func broadcasting() {
    let column = Tensor([[10], [20]] as [[Float]])
    #expect(agree(a + column, [11, 12, 13, 24, 25, 26]))
    #expect(agree(Tensor([1, 0, 2] as [Float]) * a, [1, 0, 6, 4, 0, 12]))
    let cube = column.expandedDims(0) + Tensor([1, 2, 3] as [Float])
    #expect(cube.shape == [1, 2, 3])
    #expect((a + Tensor.zeros([0, 1, 1])).shape == [0, 2, 3])
    #expect((Tensor(2) * Tensor(3)).item() == 6)
  }

  @Test func numbersKeepTheType() {
    let (n, f, d) = (2, Float(0.5), 0.5)
    #expect((i * 2).dtype == .int64)
    #expect((2 * i + 1 - n).dtype == .int64)
    #expect((i * 2.5).dtype == .float32)
    #expect((i * f).dtype == .float32)
    #expect((a * d).dtype == .float32)
    #expect((a.cast(to: .float16) * d + 1).dtype == .float16)
    #expect((i.cast(to: .uint8) + 1).dtype == .uint8)
    #expect((Tensor([true]) + 1).dtype == .int64)
    #expect((Tensor([true, true]) + Tensor([true, false])).integers == [2, 1])
    #expect(agree(i * f, [3.5, -3.5, 4]))
  }

  @Test func promotion() {
    #expect((i + a[0]).dtype == .float32)
    #expect((i.cast(to: .uint8) + i.cast(to: .int8)).dtype == .int32)
    #expect((a.cast(to: .float16) + a.cast(to: .bfloat16)).dtype == .float32)
    #expect((i.cast(to: .int32) * Tensor([true, false, true])).integers == [7, 0, 8])
  }

  @Test func division() {
    #expect((i / 2).dtype == .float32)
    #expect(agree(i / 2, [3.5, -3.5, 4]))
    #expect((i / i).dtype == .float32)
    #expect((i % 3).integers == [1, 2, 2])
    #expect((i % -3).integers == [-2, -1, -1])
    #expect(i.floorDivided(by: 2).integers == [3, -4, 4])
    #expect(i.floorDivided(by: 2).dtype == .int64)
    #expect(agree(Tensor([5.5, -5.5]) % 2, [1.5, 0.5]))
    #expect(agree(Tensor([5.5, -5.5]).floorDivided(by: Tensor([2.0, 2.0])), [2, -3]))
  }

  @Test func comparisons() {
    let x = Tensor([1, 2, .nan])
    #expect((x .== 2).bools == [false, true, false])
    #expect((x .!= 2).bools == [true, false, true])
    #expect((x .< 2).bools == [true, false, false])
    #expect((x .<= 2).bools == [true, true, false])
    #expect((x .> 1).bools == [false, true, false])
    #expect((x .>= 1).bools == [true, true, false])
    #expect((a .> Tensor([2, 2, 2] as [Float])).bools == [false, false, true, true, true, true])
    #expect((i .>= Tensor([6.5, -7, 9])).bools == [true, true, false])
    #expect((i .== i).dtype == .bool)
  }

  @Test func logic() {
    let (p, q) = (Tensor([true, true, false]), Tensor([true, false, false]))
    #expect((p .& q).bools == [true, false, false])
    #expect((p .| q).bools == [true, true, false])
    #expect((p .^ q).bools == [false, true, false])
    #expect((.!p).bools == [false, false, true])
    #expect((Tensor([6]) .& Tensor([3])).integers == [2])
    #expect((Tensor([6]) .^ Tensor([3])).integers == [5])
    #expect((.!Tensor([0, 5])).integers == [-1, -6])
  }

  @Test func choosing() {
    let mask = Tensor([true, false, true])
    #expect(agree(which(mask, a, 0), [1, 0, 3, 4, 0, 6]))
    #expect(agree(which(mask, -1, a), [-1, 2, -1, -1, 5, -1]))
    #expect(which(mask, i, 0).dtype == .int64)
    #expect(mask.select(a, a * 2).shape == [2, 3])
    #expect(which(Tensor([[true], [false]]), i, a[0]).dtype == .float32)
    #expect(agree(maximum(a, 3), [3, 3, 3, 4, 5, 6]))
    #expect(agree(minimum(3.5, a), [1, 2, 3, 3.5, 3.5, 3.5]))
    #expect(maximum(i, Tensor(0, dtype: .int64)).integers == [7, 0, 8])
    #expect(agree(maximum(Tensor([1, .nan]), 0), [1, .nan]))
    #expect(i.clamped(min: -2.5, max: 7.5).integers == [7, -2, 7])
    #expect(agree(a.clamped(min: 2), [2, 2, 3, 4, 5, 6]))
    #expect(agree(atan2(Tensor([1, -1, 0]), Tensor([1, -1, -1])), [.pi / 4, -3 * .pi / 4, .pi]))
  }

  @Test func powers() {
    #expect(agree(a[0].pow(2), [1, 4, 9]))
    #expect(agree(a[0].pow(0.5), [1, 1.41421356, 1.73205081]))
    #expect(agree(a[0].pow(-1), [1, 0.5, 1 / 3]))
    #expect(agree(a[0].pow(-2.5), [1, 0.1767767, 0.06415003]))
    #expect(agree(a[0].pow(0), [1, 1, 1]))
    #expect(agree(a[0].pow(a[0]), [1, 4, 27]))
    #expect(Tensor([2, 3]).pow(5).integers == [32, 243])
    #expect(Tensor([2, 3]).pow(3).dtype == .int64)
    #expect(Tensor([2, 3]).pow(2.0).dtype == .float32)
  }
}
