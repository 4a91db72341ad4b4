import TarnCore
import Testing

@Suite struct TensorDescriptionTests {
  @Test func scalars() {
    #expect("\(Tensor(3.5))" == "Tensor(3.5, shape: [], dtype: float32)")
    #expect("\(Tensor([true, false]))" == "Tensor([ true, false], shape: [2], dtype: bool)")
    #expect("\(Tensor.zeros([0, 3]))" == "Tensor([], shape: [0, 3], dtype: float32)")
  }

  @Test func columnsLineUp() {
    let x = Tensor([[1, -20], [300, 4]])
    #expect(
      "\(x)" == """
        Tensor([[  1, -20],
                [300,   4]], shape: [2, 2], dtype: int64)
        """)
    let cube = Tensor.arange(4).reshaped(2, 1, 2)
    #expect(
      "\(cube)" == """
        Tensor([[[0, 1]],

                [[2, 3]]], shape: [2, 1, 2], dtype: int64)
        """)
  }

  @Test func decimals() {
    #expect("\(Tensor([1.0, 2]))" == "Tensor([1.0, 2.0], shape: [2], dtype: float64)")
    #expect(
      "\(Tensor([0.5, -1.25, .nan, .infinity]))"
        == "Tensor([ 0.50, -1.25,   nan,   inf], shape: [4], dtype: float64)")
    #expect("\(Tensor([1.0 / 3]))" == "Tensor([0.3333], shape: [1], dtype: float64)")
    #expect(
      "\(Tensor([1e-9, -3.5]))" == "Tensor([ 1.0000e-09, -3.5000e+00], shape: [2], dtype: float64)")
    #expect("\(Tensor([9.99999e12]))" == "Tensor([1.0000e+13], shape: [1], dtype: float64)")
  }

  @Test func longOnesAreCut() {
    #expect(
      "\(Tensor.arange(1001))"
        == "Tensor([   0,    1,    2, …,  998,  999, 1000], shape: [1001], dtype: int64)")
    let x = Tensor.arange(2000).reshaped(1000, 2)
    #expect(
      "\(x)" == """
        Tensor([[   0,    1],
                [   2,    3],
                [   4,    5],
                …,
                [1994, 1995],
                [1996, 1997],
                [1998, 1999]], shape: [1000, 2], dtype: int64)
        """)
  }
}
