import Testing

import TarnCore

/// Values of `convolved` and `convolvedTransposed` were computed with PyTorch 2.15 (`conv2d`,
/// `conv_transpose2d`, …).
@Suite("Convolution") struct ConvolutionTests {
  @Test func groupsStridesAndPadding() {
    let y = pattern([1, 4, 5, 5]).convolved(
      pattern([4, 2, 3, 3]), strides: [2, 2], padding: [(1, 1), (1, 1)], groups: 2)
    expect(
      y,
      [
        -8, 39, 7, 14, -30, 4, 20, -12, 10, 18, -18, 26, 2, 6, -13, -22, 60, -6, -35, 17, 34, 41,
        19, -20, 39, -53,
        -5, 10, -50, -16, -3, 40, 41, -6, 31, -24,
      ], shape: [1, 4, 3, 3])
  }

  @Test func dilationAndOneSidedPadding() {
    let y = pattern([1, 2, 5, 6]).convolved(
      pattern([1, 2, 2, 3]), strides: [2, 1], padding: [(2, 0), (0, 1)], dilations: [1, 2])
    expect(y, [0, 0, 0, 32, 63, -22, 63, -71, -25], shape: [1, 1, 3, 3])
  }

  @Test func oneSpatialAxis() {
    let y = pattern([2, 3, 6]).convolved(pattern([2, 3, 3]), strides: [2], padding: [(1, 1)])
    expect(y, [-2, -49, 0, -27, -7, 38, -21, 95, -32, 73, -31, -41], shape: [2, 2, 3])
  }

  @Test func threeSpatialAxes() {
    let y = pattern([1, 1, 3, 3, 3]).convolved(pattern([1, 1, 2, 2, 2]))
    expect(y, [38, -25, -19, -60, -23, -9, -25, 55], shape: [1, 1, 2, 2, 2])
  }

  @Test func transposed() {
    let y = pattern([1, 2, 3, 2]).convolvedTransposed(
      pattern([2, 2, 3, 2]), strides: [2, 2], padding: [(1, 1), (0, 0)], outputPadding: [1, 1],
      groups: 2)
    expect(
      y.cut([0, 1, 0, 0], [1, 2, 6, 5]),
      [
        20, -15, -8, 6, 0, -3, 25, 18, -10, 0, 8, -6, -20, 15, 0, 6, 10, -17, -25, 0, -4, 3, 12, -9,
        0, -1, -5, 3,
        15, 0,
      ])
    #expect(y.shape == [1, 4, 6, 5])
    #expect(y.sum().item() == 23)
  }

  @Test func transposedInOneAxisWithDilation() {
    let y = pattern([1, 2, 3]).convolvedTransposed(
      pattern([2, 1, 3]), strides: [2], padding: [(1, 1)], dilations: [2])
    expect(y, [0, -10, 0, -5, 0, -14, 0], shape: [1, 1, 7])
  }

  @Test func integersAreConvolvedInFloat32() {
    let y = integers([1, 2, 3, 4], [1, 1, 4]).convolved(integers([1, -1], [1, 1, 2]))
    #expect(y.dtype == .float32)
    expect(y, [-1, -1, -1])
  }

  static let geometries = [
    Convolution(strides: [1, 2], low: [1, 0], high: [0, 2], dilations: [2, 1], groups: 1),
    Convolution(strides: [2, 1], low: [1, 1], high: [1, 1], dilations: [1, 1], groups: 2),
  ]

  /// The operands of a pass and the shape of its result.
  private func operands(_ pass: ConvolutionPass, _ spec: Convolution) -> (x: [Tensor], shape: [Int])
  {
    let x = [2, 4, 5, 4], w = [6, 4 / spec.groups, 2, 3]
    let y =
      [2, 6]
      + (0..<2).map { axis -> Int in
        let room = x[axis + 2] + spec.low[axis] + spec.high[axis]
        return (room - spec.dilations[axis] * (w[axis + 2] - 1) - 1) / spec.strides[axis] + 1
      }
    return switch pass {
    case .forward: ([sample(x, 1), sample(w, 2)], y)
    case .inputGradient: ([sample(y, 3), sample(w, 2)], x)
    case .weightGradient: ([sample(x, 1), sample(y, 3)], w)
    }
  }

  @Test(arguments: geometries, [ConvolutionPass.forward, .inputGradient, .weightGradient])
  func derivativesOfEachPass(_ spec: Convolution, _ pass: ConvolutionPass) {
    let (x, shape) = operands(pass, spec)
    checkDerivatives(x) { Tensor.record(.convolution(pass, spec), $0, shape, .float64) }
  }

  @Test(arguments: geometries, [ConvolutionPass.forward, .inputGradient, .weightGradient])
  func batchingOfEachPass(_ spec: Convolution, _ pass: ConvolutionPass) {
    let (x, shape) = operands(pass, spec)
    checkBatching(x) { Tensor.record(.convolution(pass, spec), $0, shape, .float64) }
  }

  @Test func mistakesAreNamed() {
    let image = sample([2, 3, 8, 8]), kernel = sample([4, 3, 3, 3])
    #expect(
      diagnosed { image.permuted([0, 2, 3, 1]).convolved(kernel) }
        .contains("the input has 8 channels, the weight takes 3"))
    #expect(
      diagnosed { image.permuted([0, 2, 3, 1]).convolved(kernel) }.contains(".permuted(0, 3, 1, 2)")
    )
    #expect(
      diagnosed { image.convolved(kernel, groups: 2) }.contains("2 groups do not divide 3 channels")
    )
    #expect(
      diagnosed { sample([2, 3, 2, 8]).convolved(kernel) }.contains(
        "the kernel is larger than the padded input"))
    #expect(diagnosed { sample([3, 8, 8]).convolved(kernel) }.contains("[1, 3, 8, 8]"))
    #expect(
      diagnosed { image.convolved(kernel, strides: [0, 1]) }.contains(
        "strides and dilations are 1 or more"))
    #expect(
      diagnosed { image.convolvedTransposed(kernel, outputPadding: [1, 0]) }.contains(
        "channels, the weight takes 4"))
    #expect(
      diagnosed { image.convolvedTransposed(sample([3, 4, 3, 3]), outputPadding: [1, 0]) }
        .contains("less than the stride"))
  }
}

extension Tensor {
  /// Elements `from ..< to` of every axis.
  fileprivate func cut(_ from: [Int], _ to: [Int]) -> Tensor {
    Tensor.record(
      .slice(zip(from, to).map { Stride($0, $1) }), self, zip(from, to).map { $1 - $0 }, dtype)
  }
}
