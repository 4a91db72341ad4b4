import CTarnKernels
import Testing

@Suite struct BlockedWeightGradientTests {
  private func direct(_ example: BlockedConvolution) -> [Float] {
    let (x, g) = (example.xShape.blocked(example.x), example.yShape.blocked(example.g))
    return example.onSeveralThreads { conv in
      let dw = AlignedFloats(count: example.w.count)
      return (tarn_direct_weight_gradient(conv, x.pointer, g.pointer, dw.pointer), dw.values)
    }
  }

  private func stem(_ example: BlockedConvolution) -> [Float] {
    let (x, g) = (AlignedFloats(example.x), example.yShape.blocked(example.g))
    return example.onSeveralThreads { conv in
      let dw = AlignedFloats(count: example.w.count)
      return (tarn_stem_weight_gradient(conv, x.pointer, g.pointer, dw.pointer), dw.values)
    }
  }

  private func expectRight(_ dw: [Float], _ example: BlockedConvolution) {
    let terms = Int(example.conv.n * example.conv.oh * example.conv.ow)
    example.expectClose(dw, example.weightGradient(), terms: terms, "dw")
  }

  @Test func gradientsAreThoseOfThePlainKernels() {
    var draws = Draws(state: 11)
    for trial in 0..<24 {
      let size = trial % 3 == 0 ? (3, 3) : (1 + draws.below(5), 1 + draws.below(5))
      let example = BlockedConvolution(
        images: 1 + draws.below(4), channels: 1 + draws.below(50), outputs: 1 + draws.below(70),
        groups: 1, kernel: size, dilated: trial % 4 == 0, draws: &draws)
      expectRight(direct(example), example)
    }
  }

  @Test func groupsOfWholeBlocksStayApart() {
    var draws = Draws(state: 12)
    for _ in 0..<6 {
      let groups = 2 + draws.below(3)
      let example = BlockedConvolution(
        images: 2, channels: groups * 16 * (1 + draws.below(2)),
        outputs: groups * 16 * (1 + draws.below(3)), groups: groups, kernel: (3, 2), dilated: false,
        draws: &draws)
      expectRight(direct(example), example)
    }
  }

  /// Many blocks: several pieces along inputs and outputs, and kernels of one element over whole images.
  @Test func manyChannelsAreCutIntoPieces() {
    var draws = Draws(state: 13)
    for size in [1, 3] {
      var example = BlockedConvolution(
        images: 3, channels: 200, outputs: 170, groups: 1, kernel: (size, size), dilated: false,
        draws: &draws)
      example.conv.stride = (1, 1)
      example.conv.low = (Int64(size / 2), Int64(size / 2))
      (example.conv.h, example.conv.w) = (7, 8)
      (example.conv.oh, example.conv.ow) = (7, 8)
      example.x = draws.floats(example.xShape.count)
      example.g = draws.floats(example.yShape.count)
      expectRight(direct(example), example)
    }
  }

  /// Positions are gone through in several slabs along rows, columns and images.
  @Test func largeImagesAreCutIntoSlabs() {
    var draws = Draws(state: 14)
    for (h, w): (Int64, Int64) in [(40, 30), (9, 150)] {
      var example = BlockedConvolution(
        images: 2, channels: 18, outputs: 33, groups: 1, kernel: (3, 3), dilated: false,
        draws: &draws)
      (example.conv.h, example.conv.w, example.conv.oh, example.conv.ow) = (h, w, h, w)
      example.conv.stride = (1, 1)
      example.conv.low = (1, 1)
      example.x = draws.floats(example.xShape.count)
      example.g = draws.floats(example.yShape.count)
      expectRight(direct(example), example)
    }
  }

  @Test func stemGradientsAreThoseOfThePlainKernels() {
    var draws = Draws(state: 15)
    for trial in 0..<20 {
      let size = trial % 5 == 0 ? (7, 7) : (1 + draws.below(5), 1 + draws.below(5))
      let example = BlockedConvolution(
        images: 1 + draws.below(4), channels: 1 + draws.below(4), outputs: 1 + draws.below(100),
        groups: 1, kernel: size, dilated: trial % 4 == 0, draws: &draws)
      expectRight(stem(example), example)
    }
  }

  @Test func valuesThatAreNotFiniteStayInTheirRow() {
    var draws = Draws(state: 16)
    for _ in 0..<5 {
      var example = BlockedConvolution(
        images: 2, channels: 20, outputs: 20, groups: 1, kernel: (3, 3), dilated: false,
        draws: &draws)
      example.x[draws.below(example.x.count)] = .infinity
      example.x[draws.below(example.x.count)] = .nan
      example.x[draws.below(example.x.count)] = .leastNonzeroMagnitude
      expectRight(direct(example), example)
    }
  }

  @Test func noImagesGiveZeros() {
    var draws = Draws(state: 17)
    let example = BlockedConvolution(
      images: 0, channels: 3, outputs: 5, groups: 1, kernel: (3, 3), dilated: false, draws: &draws)
    #expect(direct(example).allSatisfy { $0 == 0 })
    #expect(stem(example).allSatisfy { $0 == 0 })
  }
}
