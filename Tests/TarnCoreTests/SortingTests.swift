import Testing

import TarnCore

@Suite("Orders") struct SortingTests {
  let withNaN = Tensor([3, .nan, 1, -2] as [Double])

  @Test func notANumberIsTheLargest() {
    expect(withNaN.argSort(), [3, 2, 0, 1])
    expect(withNaN.argSort(descending: true), [1, 0, 2, 3])
    expect(withNaN.argMax(axis: 0), [1])
    expect(withNaN.argMin(axis: 0), [1])
  }

  @Test func equalElementsKeepTheirOrder() {
    let x = integers([2, 1, 2, 1, 2])
    expect(x.argSort(), [1, 3, 0, 2, 4])
    expect(x.argSort(descending: true), [0, 2, 4, 1, 3])
    expect(x.argMax(axis: 0), [0])
    expect(x.argMin(axis: 0), [1])
  }

  @Test func integersBeyondDoublePrecisionAreToldApart() {
    expect(integers([(1 << 60) + 1, 1 << 60]).argSort(), [1, 0])
  }

  @Test func sortsAlongAnyAxis() {
    let x = pattern([2, 3])
    expect(x.sorted(), [-5, -2, 2, -3, 1, 5], shape: [2, 3])
    expect(x.sorted(axis: 0, descending: true), [5, 2, -2, -5, 1, -3])
  }

  @Test func largestFirst() {
    let (values, indices) = pattern([2, 3]).topK(2)
    expect(values, [2, -2, 5, 1], shape: [2, 2])
    expect(indices, [1, 2, 0, 1], shape: [2, 2])
    #expect(diagnosed { pattern([2, 3]).topK(4).values }.contains("cannot take 4 of 3 elements"))
    #expect(diagnosed { pattern([2, 3]).sorted(axis: 2) }.contains("there is no axis 2"))
  }

  private static func running(_ x: Tensor, _ axis: Int, reverse: Bool) -> Tensor {
    Tensor.record(.cumulativeSum(axis: axis, reverse: reverse), x, x.shape, x.dtype)
  }

  @Test func runningSums() {
    let x = integers([1, 2, 3, 4, 5, 6], [2, 3])
    expect(Self.running(x, 1, reverse: false), [1, 3, 6, 4, 9, 15])
    expect(Self.running(x, 1, reverse: true), [6, 5, 3, 15, 11, 6])
    expect(Self.running(x, 0, reverse: false), [1, 2, 3, 5, 7, 9])
  }

  @Test func derivatives() {
    let x = [sample([3, 4])]
    checkDerivatives(x) { $0[0].sorted(axis: 0).squared() * sample([3, 4], 9) }
    checkDerivatives(x) { $0[0].topK(2).values.squared() * sample([3, 2], 9) }
    checkDerivatives(x) { Self.running($0[0], 1, reverse: true).squared() }
  }

  @Test func batching() {
    let x = [sample([3, 4])]
    checkBatching(x) { $0[0].sorted(axis: 0) }
    checkBatching(x) { $0[0].argSort(axis: 1, descending: true) }
    checkBatching(x) { $0[0].argMin(axis: 0) }
    checkBatching(x) { Self.running($0[0], 0, reverse: true) }
  }
}
