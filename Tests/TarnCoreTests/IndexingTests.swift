import Testing

import TarnCore

@Suite("Taking and scattering") struct IndexingTests {
  private func take(_ x: Tensor, _ indices: Tensor, _ axis: Int) -> Tensor {
    let shape = x.shape.prefix(axis) + indices.shape + x.shape.dropFirst(axis + 1)
    return Tensor.record(.take(axis: axis), x, indices, Array(shape), x.dtype)
  }

  private func scatter(_ updates: Tensor, _ indices: Tensor, _ axis: Int, _ length: Int) -> Tensor {
    let shape = updates.shape.prefix(axis) + [length] + updates.shape.dropFirst(axis + indices.rank)
    return Tensor.record(.scatterAdd(axis: axis), updates, indices, Array(shape), updates.dtype)
  }

  @Test func takesAlongAnyAxis() {
    let x = integers(Array(0..<6), [2, 3])
    expect(take(x, integers([2, -1, 0]), 1), [2, 2, 0, 5, 5, 3], shape: [2, 3])
    expect(
      take(x, integers([1, -2, 0, 1], [2, 2]), 0), [3, 4, 5, 0, 1, 2, 0, 1, 2, 3, 4, 5],
      shape: [2, 2, 3])
    expect(take(x, integers([1], []), 1), [1, 4], shape: [2])
  }

  @Test func addsWhatMeets() {
    let updates = integers([1, 2, 3, 4, 5, 6], [2, 3])
    expect(
      scatter(updates, integers([0, -1, 0]), 1, 4), [4, 0, 0, 2, 10, 0, 0, 5], shape: [2, 4])
    expect(scatter(updates, integers([1, 1]), 0, 2), [0, 0, 0, 5, 7, 9], shape: [2, 3])
  }

  @Test func derivatives() {
    let indices = integers([2, 0, -1, 2], [2, 2])
    checkDerivatives([sample([2, 3, 2])]) { take($0[0], indices, 1).squared() }
    checkDerivatives([sample([2, 2, 2])]) { scatter($0[0], indices, 1, 4).squared() }
    checkDerivatives([sample([2, 2])]) { scatter($0[0], indices, 0, 4).squared() }
  }

  @Test(arguments: [0, 1, 2]) func batching(_ axis: Int) {
    let indices = integers([2, 0, -1, -3, 1, 2], [3, 2])
    checkBatching([sample([3, 3, 3]), indices]) { take($0[0], $0[1], axis) }
    let updates = sample([4, 4].replacing(at: 0, with: axis == 0 ? [3, 2, 4] : [4, 3, 2]), 5)
    if axis < 2 { checkBatching([updates, indices]) { scatter($0[0], $0[1], axis, 3) } }
  }

  @Test func anIndexOutOfRangeIsNamed() {
    let x = sample([10, 2])
    #expect(
      diagnosed { take(x, integers([3, 12]), 0) }
        .contains("take: index 12 is out of range for axis 0 of length 10"))
    #expect(diagnosed { take(x, integers([-11]), 0) }.contains("index -11 is out of range"))
    #expect(
      diagnosed { scatter(sample([1, 2]), integers([2]), 0, 2) }
        .contains("scatterAdd: index 2 is out of range for axis 0 of length 2"))
  }

  @Test func batchedIndicesDoNotReachIntoOtherExamples() {
    let x = sample([2, 3])
    #expect(
      diagnosed {
        vmap(over: [x, integers([0, 3], [2, 1])]) { take($0[0], $0[1], 0) }
      }.contains("out of range"))
  }
}
