import CTarnKernels
import Testing

@Suite struct BlockedDepthwiseTests {
  private func example(_ trial: Int, draws: inout Draws) -> BlockedConvolution {
    let size = trial % 3 == 0 ? 3 : trial % 3 == 1 ? 5 : 1 + draws.below(7)
    let channels = 1 + draws.below(40)
    return BlockedConvolution(
      images: 1 + draws.below(3), channels: channels, outputs: channels, groups: channels,
      kernel: (size, trial % 6 == 2 ? 1 + draws.below(7) : size), dilated: trial % 4 == 0,
      draws: &draws)
  }

  private func packed(_ example: BlockedConvolution) -> AlignedFloats {
    withUnsafePointer(to: example.conv) { conv in
      let result = AlignedFloats(count: Int(tarn_blocked_depthwise_packed_count(conv)))
      #expect(tarn_blocked_depthwise_pack(conv, example.w, result.pointer) == 0)
      return result
    }
  }

  @Test func sumsAreThoseOfThePlainKernels() {
    var draws = Draws(state: 1)
    for trial in 0..<24 {
      let example = example(trial, draws: &draws)
      let (weights, x) = (packed(example), example.xShape.blocked(example.x))
      let y = example.onSeveralThreads { conv in
        #expect(tarn_blocked_depthwise_takes(conv, 0) == 1)
        let y = AlignedFloats(count: example.yShape.blocked(example.g).count)
        let status = tarn_blocked_depthwise_forward(
          conv, x.pointer, weights.pointer, nil, y.pointer)
        return (status, example.yShape.plain(y))
      }
      example.expectClose(y, example.forward(), terms: 49, "y")
    }
  }

  @Test func inputGradientsAreThoseOfThePlainKernels() {
    var draws = Draws(state: 2)
    for trial in 0..<24 {
      let example = example(trial, draws: &draws)
      let (weights, g) = (packed(example), example.yShape.blocked(example.g))
      let dx = example.onSeveralThreads { conv in
        let dx = AlignedFloats(count: example.xShape.blocked(example.x).count)
        let status = tarn_blocked_depthwise_input_gradient(
          conv, g.pointer, weights.pointer, dx.pointer)
        return (status, example.xShape.plain(dx))
      }
      example.expectClose(dx, example.inputGradient(), terms: 49, "dx")
    }
  }

  @Test func weightGradientsAreThoseOfThePlainKernels() {
    var draws = Draws(state: 3)
    for trial in 0..<24 {
      let example = example(trial, draws: &draws)
      let (x, g) = (example.xShape.blocked(example.x), example.yShape.blocked(example.g))
      let dw = example.onSeveralThreads { conv in
        let dw = AlignedFloats(count: example.w.count)
        let status = tarn_blocked_depthwise_weight_gradient(conv, x.pointer, g.pointer, dw.pointer)
        return (status, dw.values)
      }
      let terms = example.g.count / Int(example.conv.c)
      example.expectClose(dw, example.weightGradient(), terms: terms, "dw")
    }
  }

  @Test func largeImagesGoThroughInBands() {
    var draws = Draws(state: 4)
    for stride: Int64 in [1, 2] {
      var example = BlockedConvolution(
        images: 2, channels: 20, outputs: 20, groups: 20, kernel: (3, 3), dilated: false,
        draws: &draws)
      (example.conv.h, example.conv.w) = (61, 120)
      example.conv.stride = (stride, stride)
      example.conv.low = (1, 1)
      (example.conv.oh, example.conv.ow) = stride == 1 ? (61, 120) : (31, 60)
      example.x = draws.floats(2 * 20 * 61 * 120)
      example.g = draws.floats(example.yShape.count)
      let (weights, x) = (packed(example), example.xShape.blocked(example.x))
      let g = example.yShape.blocked(example.g)
      let all = example.onSeveralThreads { conv in
        let (y, dx, dw) = (
          AlignedFloats(count: g.count), AlignedFloats(count: x.count),
          AlignedFloats(count: example.w.count)
        )
        let status =
          tarn_blocked_depthwise_forward(conv, x.pointer, weights.pointer, nil, y.pointer)
          + tarn_blocked_depthwise_input_gradient(conv, g.pointer, weights.pointer, dx.pointer)
          + tarn_blocked_depthwise_weight_gradient(conv, x.pointer, g.pointer, dw.pointer)
        return (status, example.yShape.plain(y) + example.xShape.plain(dx) + dw.values)
      }
      let expected = example.forward() + example.inputGradient() + example.weightGradient()
      example.expectClose(all, expected, terms: example.g.count / 20, "all three")
    }
  }

  @Test func valuesThatAreNotFiniteStayInTheirChannel() {
    var draws = Draws(state: 5)
    for trial in 0..<20 {
      var example = example(trial, draws: &draws)
      example.x[draws.below(example.x.count)] = .infinity
      example.x[draws.below(example.x.count)] = .nan
      example.x[draws.below(example.x.count)] = .leastNonzeroMagnitude
      let (weights, x) = (packed(example), example.xShape.blocked(example.x))
      let y = example.onSeveralThreads { conv in
        let y = AlignedFloats(count: example.yShape.blocked(example.g).count)
        let status = tarn_blocked_depthwise_forward(
          conv, x.pointer, weights.pointer, nil, y.pointer)
        return (status, example.yShape.plain(y))
      }
      example.expectClose(y, example.forward(), terms: 49, "y")
    }
  }

  @Test(arguments: [
    TARN_ACTIVATION_NONE, TARN_ACTIVATION_RELU, TARN_ACTIVATION_CLIP, TARN_ACTIVATION_SILU,
  ])
  func epiloguesComeAfterTheSum(_ activation: tarn_activation) {
    var draws = Draws(state: 6)
    for trial in 0..<8 {
      let example = example(trial, draws: &draws)
      let (weights, x) = (packed(example), example.xShape.blocked(example.x))
      let channels = BlockedShape(n: 1, c: Int(example.conv.c), pixels: 1)
      let (scale, shift) = (draws.floats(channels.c), draws.floats(channels.c))
      let residual = draws.floats(example.g.count)
      let (scales, shifts) = (channels.blocked(scale), channels.blocked(shift))
      let y = example.onSeveralThreads { conv in
        // The residual lies where the result goes.
        let y = example.yShape.blocked(residual)
        var epilogue = tarn_epilogue(
          scale: trial % 2 == 0 ? UnsafePointer(scales.pointer) : nil,
          shift: trial % 4 < 2 ? UnsafePointer(shifts.pointer) : nil,
          residual: trial % 8 < 4 ? UnsafePointer(y.pointer) : nil,
          activation: Int32(activation.rawValue), low: -0.25, high: 0.5)
        let status = tarn_blocked_depthwise_forward(
          conv, x.pointer, weights.pointer, &epilogue, y.pointer)
        return (status, example.yShape.plain(y))
      }
      let expected = example.forward().enumerated().map { i, sum in
        let channel = i / example.yShape.pixels % channels.c
        var a = trial % 2 == 0 ? sum * Double(scale[channel]) : sum
        if trial % 4 < 2 { a += Double(shift[channel]) }
        if trial % 8 < 4 { a += Double(residual[i]) }
        return activated(a, activation)
      }
      example.expectClose(y, expected, terms: 49, "y")
    }
  }

  @Test func epiloguesKeepNaN() {
    var draws = Draws(state: 7)
    for activation in [TARN_ACTIVATION_RELU, TARN_ACTIVATION_CLIP, TARN_ACTIVATION_SILU] {
      var example = example(0, draws: &draws)
      example.x = example.x.map { _ in .nan }
      let sums = example.forward()
      let (weights, x) = (packed(example), example.xShape.blocked(example.x))
      let y = example.onSeveralThreads { conv in
        let y = AlignedFloats(count: example.yShape.blocked(example.g).count)
        var epilogue = tarn_epilogue()
        epilogue.activation = Int32(activation.rawValue)
        let status = tarn_blocked_depthwise_forward(
          conv, x.pointer, weights.pointer, &epilogue, y.pointer)
        return (status, example.yShape.plain(y))
      }
      #expect(zip(y, sums).allSatisfy { $0.isNaN == $1.isNaN })
    }
  }

  private func activated(_ a: Double, _ activation: tarn_activation) -> Double {
    switch activation {
    case TARN_ACTIVATION_RELU: max(a, 0)
    case TARN_ACTIVATION_CLIP: min(max(a, -0.25), 0.5)
    case TARN_ACTIVATION_SILU: a * Double(1 / (1 + exponential(-a)))
    default: a
    }
  }

  /// e^a from its series, after halving a until it is small.
  private func exponential(_ a: Double) -> Double {
    var (term, sum) = (1.0, 1.0)
    for k in 1..<24 {
      term *= a / 64 / Double(k)
      sum += term
    }
    return (0..<6).reduce(sum) { value, _ in value * value }
  }

  @Test func noImagesGiveNoSums() {
    var draws = Draws(state: 8)
    let example = BlockedConvolution(
      images: 0, channels: 5, outputs: 5, groups: 5, kernel: (3, 3), dilated: false, draws: &draws)
    let weights = packed(example)
    let dw = example.onSeveralThreads { conv in
      let (none, dw) = (AlignedFloats(count: 0), AlignedFloats(count: example.w.count))
      let status =
        tarn_blocked_depthwise_forward(conv, none.pointer, weights.pointer, nil, none.pointer)
        + tarn_blocked_depthwise_input_gradient(conv, none.pointer, weights.pointer, none.pointer)
        + tarn_blocked_depthwise_weight_gradient(conv, none.pointer, none.pointer, dw.pointer)
      return (status, dw.values)
    }
    #expect(dw.allSatisfy { $0 == 0 })
  }

  @Test func otherConvolutionsAreNotTaken() {
    var draws = Draws(state: 9)
    let example = BlockedConvolution(
      images: 1, channels: 6, outputs: 12, groups: 6, kernel: (3, 3), dilated: false, draws: &draws)
    withUnsafePointer(to: example.conv) { conv in
      #expect(tarn_blocked_depthwise_takes(conv, 0) == 0)
      let x = AlignedFloats(count: 1)
      let status = tarn_blocked_depthwise_forward(conv, x.pointer, x.pointer, nil, x.pointer)
      #expect(status == Int32(TARN_BAD_ARGUMENT.rawValue))
    }
  }
}
