import CTarnKernels
import Foundation
import Testing

/// Direct convolution of blocked images against the plain kernels in double, over random geometries.
@Suite struct BlockedDirectTests {
  @Test(arguments: UInt64(0)..<80) func forwardAndInputGradient(seed: UInt64) {
    var draws = Draws(state: seed)
    let grouped = draws.below(4) == 0
    let groups = grouped ? 2 + draws.below(2) : 1
    let problem = BlockedConvolution(
      images: 1 + draws.below(3), channels: grouped ? 16 * groups : 1 + draws.below(70),
      outputs: grouped ? 32 * groups : 1 + draws.below(100), groups: groups,
      kernel: draws.kernel(), dilated: draws.below(3) == 0, draws: &draws)
    checkForward(problem, stem: false, &draws)
    checkInputGradient(problem)
  }

  @Test(arguments: UInt64(0)..<40) func stem(seed: UInt64) {
    var draws = Draws(state: seed)
    let problem = BlockedConvolution(
      images: 1 + draws.below(3), channels: 1 + draws.below(4), outputs: 1 + draws.below(70),
      groups: 1, kernel: draws.kernel(), dilated: draws.below(3) == 0, draws: &draws)
    checkForward(problem, stem: true, &draws)
  }

  /// So many channels that sums are left in memory and taken up again.
  @Test func sumsInParts() {
    var draws = Draws(state: 7)
    let problem = BlockedConvolution(
      images: 2, channels: 650, outputs: 40, groups: 1, kernel: (3, 3), dilated: false,
      draws: &draws)
    checkForward(problem, stem: false, &draws)
  }

  /// So large that results pass by the caches.
  @Test func largeImages() {
    var draws = Draws(state: 8)
    var problem = BlockedConvolution(
      images: 0, channels: 3, outputs: 32, groups: 1, kernel: (1, 1), dilated: false,
      draws: &draws)
    problem.conv.n = 1
    problem.conv.stride = (1, 1)
    problem.conv.low = (0, 0)
    (problem.conv.h, problem.conv.w) = (512, 700)
    (problem.conv.oh, problem.conv.ow) = (512, 700)
    problem.x = draws.floats(3 * 512 * 700)
    problem.g = [Float](repeating: 0, count: 32 * 512 * 700)
    checkForward(problem, stem: false, &draws)
    checkForward(problem, stem: true, &draws)
  }

  @Test func whatIsTaken() {
    var draws = Draws(state: 1)
    var conv =
      BlockedConvolution(
        images: 1, channels: 32, outputs: 48, groups: 1, kernel: (3, 3), dilated: false,
        draws: &draws
      ).conv
    #expect(tarn_direct_takes(&conv, 0) == 1 && tarn_direct_takes(&conv, 2) == 1)
    #expect(tarn_stem_takes(&conv, 0) == 0)
    conv.groups = 2
    #expect(tarn_direct_takes(&conv, 0) == 0, "24 outputs a group are not whole blocks")
    conv.o = 64
    #expect(tarn_direct_takes(&conv, 1) == 1)
    (conv.groups, conv.c) = (1, 3)
    #expect(tarn_stem_takes(&conv, 0) == 1 && tarn_stem_takes(&conv, 2) == 1)
    #expect(tarn_stem_takes(&conv, 1) == 0, "an image is the end of the way back")
  }

  /// NaN, infinities and denormals reach the outputs that read them, and no others.
  @Test func specialValues() {
    var draws = Draws(state: 3)
    for stem in [false, true] {
      var problem = BlockedConvolution(
        images: 2, channels: stem ? 3 : 19, outputs: 21, groups: 1, kernel: (3, 3), dilated: false,
        draws: &draws)
      let last = problem.x.count - 1
      (problem.x[0], problem.x[last / 2], problem.x[last]) = (
        .nan, .infinity, Float.leastNormalMagnitude / 4
      )
      problem.w = problem.w.map { abs($0) + 0.25 }
      expectClose(problem, run(problem, stem: stem, nil), problem.forward(), problem.x)
    }
  }

  @Test func noImages() {
    var draws = Draws(state: 4)
    var problem = BlockedConvolution(
      images: 0, channels: 16, outputs: 16, groups: 1, kernel: (3, 3), dilated: false,
      draws: &draws)
    #expect(run(problem, stem: false, nil).isEmpty)
    problem.conv.c = 3
    problem.w = draws.floats(16 * 3 * 9)
    #expect(run(problem, stem: true, nil).isEmpty)
  }

  // MARK: Checks

  private func checkForward(_ problem: BlockedConvolution, stem: Bool, _ draws: inout Draws) {
    expectClose(problem, run(problem, stem: stem, nil), problem.forward(), problem.x)
    let end = Epilogue(problem, &draws)
    expectClose(
      problem, run(problem, stem: stem, end), end.applied(to: problem.forward()), problem.x)
  }

  private func checkInputGradient(_ problem: BlockedConvolution) {
    let g = problem.yShape.blocked(problem.g)
    let dx = problem.onSeveralThreads { conv in
      let packed = AlignedFloats(count: Int(tarn_direct_packed_count(conv, 1)))
      let into = AlignedFloats(count: problem.xShape.blockedCount)
      var status = tarn_direct_pack(conv, 1, problem.w, packed.pointer)
      if status == 0 {
        status = tarn_direct_input_gradient(conv, g.pointer, packed.pointer, into.pointer)
      }
      return (status, problem.xShape.plain(into))
    }
    expectClose(problem, dx, problem.inputGradient(), problem.g)
  }

  private func expectClose(
    _ problem: BlockedConvolution, _ result: [Float], _ expected: [Double], _ source: [Float]
  ) {
    let conv = problem.conv, channels = source.count == problem.x.count ? conv.c : conv.o
    problem.expectClose(
      result, expected, terms: Int(channels / conv.groups * conv.kh * conv.kw), "direct")
  }

  private func run(_ problem: BlockedConvolution, stem: Bool, _ end: Epilogue?) -> [Float] {
    let x = stem ? AlignedFloats(problem.x) : problem.xShape.blocked(problem.x)
    return problem.onSeveralThreads { conv in
      let count = stem ? tarn_stem_packed_count(conv) : tarn_direct_packed_count(conv, 0)
      let packed = AlignedFloats(count: Int(count))
      var status =
        stem
        ? tarn_stem_pack(conv, problem.w, packed.pointer)
        : tarn_direct_pack(conv, 0, problem.w, packed.pointer)
      // What is added lies in y itself, or beside it.
      let residual = problem.yShape.blocked(end?.residual ?? [])
      let y = end?.inPlace == true ? residual : problem.yShape.blocked([])
      var epilogue = tarn_epilogue()
      end?.fill(&epilogue, residual)
      withUnsafePointer(to: epilogue) {
        guard status == 0 else { return }
        let epilogue = end == nil ? nil : $0
        status =
          stem
          ? tarn_stem_forward(conv, x.pointer, packed.pointer, epilogue, y.pointer)
          : tarn_direct_forward(conv, x.pointer, packed.pointer, epilogue, y.pointer)
      }
      return (status, problem.yShape.plain(y))
    }
  }
}

extension Draws {
  fileprivate mutating func kernel() -> (Int, Int) {
    below(3) == 0 ? (1, 1) : (1 + below(below(3) == 0 ? 7 : 3), 1 + below(below(3) == 0 ? 7 : 3))
  }
}

extension BlockedShape {
  fileprivate var blockedCount: Int { n * blocks * pixels * 16 }
}

/// What follows the sum, drawn at random.
private struct Epilogue {
  let scale: AlignedFloats?, shift: AlignedFloats?
  let residual: [Float], adds: Bool, inPlace: Bool
  let activation: tarn_activation
  let low: Float = -0.5, high: Float = 0.75
  let shape: BlockedShape

  init(_ problem: BlockedConvolution, _ draws: inout Draws) {
    shape = problem.yShape
    let channel = BlockedShape(n: 1, c: shape.c, pixels: 1)
    scale = draws.below(2) == 0 ? nil : channel.blocked(draws.floats(shape.c))
    shift = draws.below(2) == 0 ? nil : channel.blocked(draws.floats(shape.c))
    residual = draws.floats(shape.count)
    adds = draws.below(3) > 0
    inPlace = adds && draws.below(2) == 0
    activation =
      [
        TARN_ACTIVATION_NONE, TARN_ACTIVATION_RELU, TARN_ACTIVATION_CLIP, TARN_ACTIVATION_SILU,
      ][draws.below(4)]
  }

  func fill(_ epilogue: inout tarn_epilogue, _ blocked: AlignedFloats) {
    epilogue.scale = scale.map { UnsafePointer($0.pointer) }
    epilogue.shift = shift.map { UnsafePointer($0.pointer) }
    epilogue.residual = adds ? UnsafePointer(blocked.pointer) : nil
    epilogue.activation = Int32(activation.rawValue)
    (epilogue.low, epilogue.high) = (low, high)
  }

  func applied(to sums: [Double]) -> [Double] {
    sums.indices.map { i in
      let channel = i / shape.pixels % shape.c
      var a = sums[i] * Double(scale?.pointer[channel] ?? 1)
      a += Double(shift?.pointer[channel] ?? 0) + (adds ? Double(residual[i]) : 0)
      switch activation {
      case TARN_ACTIVATION_RELU: return max(a, 0)
      case TARN_ACTIVATION_CLIP: return min(max(a, Double(low)), Double(high))
      case TARN_ACTIVATION_SILU: return a / (1 + exp(-a))
      default: return a
      }
    }
  }
}
