import TarnCore
import Testing

/// The texts are part of the interface: each says what was asked, what was found, and what to type.
@Suite struct ErrorTextTests {
  let matrix = Tensor.zeros([2, 3])

  @Test func matmul() {
    #expect(
      mistake { _ = Tensor.zeros([32, 28, 28]).matmul(Tensor.zeros([784, 128])) } == """
        matmul: inner dimensions differ
          left  [32, 28, 28]
          right [784, 128]
          hint: 28 × 28 = 784, so call .flattened(from: 1) first
        """)
    #expect(
      mistake { _ = matrix.matmul(Tensor.zeros([4, 3])) } == """
        matmul: inner dimensions differ
          left  [2, 3]
          right [4, 3]
          hint: the right operand fits the other way round: call .transposed() on it
        """)
    #expect(
      mistake { _ = Tensor.zeros([5, 2, 3]).matmul(Tensor.zeros([4, 3, 2])) } == """
        matmul: batch axes do not broadcast
          left  [5, 2, 3]
          right [4, 3, 2]
        """)
    #expect(
      mistake { _ = Tensor(2).matmul(matrix) } == """
        matmul: operands must have axes
          left  []
          right [2, 3]
          hint: for a number times a tensor, use *
        """)
  }

  @Test func broadcasting() {
    #expect(
      mistake { _ = matrix + Tensor.zeros([2]) } == """
        +: shapes do not broadcast
          left  [2, 3]
          right [2]
          hint: shapes line up at the last axis: call .expandedDims(-1) on the right operand
        """)
    #expect(
      mistake { _ = matrix .< Tensor.zeros([3, 2]) } == """
        .<: shapes do not broadcast
          left  [2, 3]
          right [3, 2]
          hint: they are transposes: call .transposed() on one of them
        """)
    #expect(
      mistake { _ = matrix * Tensor.zeros([4]) } == """
        *: shapes do not broadcast
          left  [2, 3]
          right [4]
        """)
    #expect(
      mistake { _ = matrix.broadcast(to: [3, 3]) } == """
        broadcast: the tensor does not stretch to the shape
          tensor [2, 3]
          shape  [3, 3]
        """)
  }

  @Test func types() {
    #expect(
      mistake { _ = matrix .& matrix } == """
        .&: operands must be bool or integers
          left  [2, 3] of float32
          right [2, 3] of float32
          hint: compare first, e.g. x .!= 0
        """)
    #expect(
      mistake { _ = which(matrix, matrix, 0) } == """
        which: the condition must be bool
          condition [2, 3] of float32
          hint: compare first, e.g. x .!= 0
        """)
    #expect(
      mistake { _ = Tensor([0.0, 1]).oneHot(2) } == """
        oneHot: labels must be integers
          labels [2] of float64
          hint: labels are class numbers: call .cast(to: .int64), or .argMax(axis: -1) if they are one-hot
        """)
    #expect(
      mistake { _ = matrix.take(Tensor([0.0])) } == """
        take: indices must be integers
          tensor  [2, 3]
          indices [1] of float64
          hint: call .cast(to: .int64)
        """)
  }

  @Test func axes() {
    #expect(
      mistake { _ = matrix.sum(2) } == """
        sum: there is no axis 2
          tensor [2, 3]
          hint: axes run from 0 to 1, or from -2 to -1
        """)
    #expect(
      mistake { _ = matrix.mean(0, -2) } == """
        mean: axis 0 is named twice
          tensor [2, 3]
          axes   [0, -2]
        """)
    #expect(
      mistake { _ = Tensor(1).softmax() } == """
        softmax: there is no axis -1
          tensor []
          hint: a scalar has no axes
        """)
    #expect(
      mistake { _ = Tensor.zeros([0, 3]).max(0) } == """
        max: no elements to choose from
          tensor [0, 3]
        """)
  }

  @Test func shapes() {
    #expect(
      mistake { _ = Tensor.zeros([24]).reshaped(3, 4) } == """
        reshaped: 24 elements do not fill the new shape
          tensor [24]
          shape  [3, 4]
          hint: 24 = 2 × 12: .reshaped([-1, 3, 4]) would do
        """)
    #expect(
      mistake { _ = Tensor([1, 2, 3], shape: [2, 2]) } == """
        Tensor: 3 values do not fill the shape
          shape [2, 2]
        """)
    #expect(
      mistake { _ = Tensor([[1, 2], [3]]) } == """
        Tensor: nested arrays of different lengths
          lengths [2, 1]
        """)
    #expect(
      mistake { _ = Tensor.zeros([-1]) } == """
        Tensor: no tensor has this shape
          shape [-1]
          hint: lengths are 0 or more, and their product fits 64 bits
        """)
    #expect(
      mistake { _ = matrix.squeezed(0) } == """
        squeezed: axis 0 has length 2, not 1
          tensor [2, 3]
          hint: to take one element of it, write x[…, i]
        """)
    #expect(
      mistake { _ = matrix.item() } == """
        item: there are 6 elements, not one
          tensor [2, 3]
          hint: use .array(of: Double.self), or reduce first with .mean() or .sum()
        """)
  }

  @Test func indices() {
    #expect(
      mistake { _ = matrix[2] } == """
        subscript: there is no element 2 on an axis of length 2
          tensor [2, 3]
          index  2 of axis 0
        """)
    #expect(
      mistake { _ = matrix[0, 1..<5] } == """
        subscript: the range reaches past an axis of length 3
          tensor [2, 3]
          index  1..<5 of axis 1
        """)
    #expect(
      mistake { _ = matrix[0, 0, .all] } == """
        subscript: too many indices
          tensor  [2, 3]
          indices [0, 0, ..<]
        """)
    #expect(
      mistake { _ = matrix[Tensor([true, false, true])] } == """
        subscript: the mask does not have the first lengths of the tensor's shape
          tensor [2, 3]
          mask   [3]
        """)
    #expect(
      mistake { _ = matrix.takeAlong(Tensor([0, 1]), axis: 1) } == """
        takeAlong: indices must have the tensor's lengths, but along axis 1
          tensor  [2, 3]
          indices [2]
          hint: for one element a row, call .expandedDims(1) on the indices
        """)
    #expect(
      mistake { _ = matrix.replacing([0], with: Tensor.zeros([2])) } == """
        replacing: the new values do not fit the part they replace
          part   [3]
          values [2]
        """)
  }

  @Test func joining() {
    #expect(
      mistake { _ = Tensor.concatenated([matrix, Tensor.zeros([3])]) } == """
        concatenated: shapes differ elsewhere than along axis 0
          tensor 0 [2, 3]
          tensor 1 [3]
          hint: to make a new axis of single tensors, use Tensor.stacked
        """)
    #expect(
      mistake { _ = Tensor.stacked([]) } == "stacked: no tensors were given")
    #expect(
      mistake { _ = matrix.split(2, axis: 1) } == """
        split: axis 1 does not divide into 2 equal pieces
          tensor [2, 3]
          hint: use .chunked(size) for pieces with a shorter last one
        """)
    #expect(
      mistake { _ = matrix.padded([(1, 1)]) } == """
        padded: 1 margins given for 2 axes
          tensor  [2, 3]
          margins [(1, 1)]
        """)
  }

  @Test func summation() {
    #expect(
      mistake { _ = einsum("ij,jk->ik", matrix, matrix) } == """
        einsum: axis j is 3 long in one place and 2 in another
          equation ij,jk->ik
          operand 0 [2, 3]
          operand 1 [2, 3]
        """)
    #expect(
      mistake { _ = einsum("ijk->i", matrix) } == """
        einsum: "ijk" does not name the axes of [2, 3]
          equation ijk->i
          operand 0 [2, 3]
        """)
    #expect(
      mistake { _ = einsum("ij->ik", matrix) }.hasPrefix("einsum: the result names the axis k"))
    #expect(
      mistake { _ = einsum("ij->ii", matrix) }.hasPrefix("einsum: the result names an axis twice"))
    #expect(mistake { _ = einsum("ij,jk", matrix) }.hasPrefix("einsum: 2 terms for 1 operands"))
    #expect(mistake { _ = einsum("i1->i", matrix) }.hasPrefix("einsum: cannot read \"i1\""))
  }

  @Test func firstMistakeIsTold() {
    let text = mistake { _ = (matrix + Tensor.zeros([4])).sum(7) }
    #expect(text.hasPrefix("+: shapes do not broadcast"))
    #expect(mistake { _ = matrix + 1 } == "")
  }
}
