import Foundation
import Testing

import TarnData

@Suite struct SeededGeneratorTests {
  /// The known answers published with the generator (Random123, `kat_vectors`).
  @Test func philoxKnownAnswers() {
    let ones = UInt32.max
    #expect(
      Philox.block(counter: SIMD4(0, 0, 0, 0), key: SIMD2(0, 0))
        == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    #expect(
      Philox.block(counter: SIMD4(ones, ones, ones, ones), key: SIMD2(ones, ones))
        == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    #expect(
      Philox.block(
        counter: SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344),
        key: SIMD2(0xa409_3822, 0x299f_31d0))
        == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
  }

  /// Numbers of an independent implementation in Python integers.
  @Test func sequencesAndOrders() {
    var generator = SeededGenerator(seed: 0x1234_5678_9abc_def0, stream: 5)
    #expect(
      (0..<3).map { _ in generator.next() } == [
        0x70bb_c61f_aead_3422, 0x27d5_5add_c86a_83d9, 0xfa2f_013f_72f0_3c2c,
      ])
    var order = SeededGenerator(seed: 42)
    #expect(order.permutation(10) == [0, 9, 1, 7, 5, 6, 8, 2, 3, 4])
    var fork = SeededGenerator(seed: 42).forked(3)
    #expect(fork.permutation(10) == [7, 5, 1, 9, 4, 6, 2, 8, 0, 3])
  }

  @Test func aForkDoesNotDependOnWhatWasDrawn() {
    var generator = SeededGenerator(seed: 1)
    let before = generator.forked(7)
    _ = generator.normal()
    #expect(generator.forked(7) == before)
    #expect(generator.forked(8) != before)
    #expect(generator.forked(7 | 1 << 63) != before)
  }

  @Test func storedGeneratorGoesOn() throws {
    var generator = SeededGenerator(seed: 3)
    for _ in 0..<5 { _ = generator.next() }
    var copy = try JSONDecoder().decode(
      SeededGenerator.self, from: JSONEncoder().encode(generator))
    for _ in 0..<9 { #expect(copy.next() == generator.next()) }
  }

  @Test func integersAreUniform() {
    var generator = SeededGenerator(seed: 11)
    var counts = [Double](repeating: 0, count: 7)
    for _ in 0..<70_000 { counts[generator.integer(below: 7)] += 1 }
    let chiSquared = counts.reduce(0) { $0 + ($1 - 10_000) * ($1 - 10_000) / 10_000 }
    // The 99.9 % point for 6 degrees of freedom.
    #expect(chiSquared < 22.5)
    #expect(generator.integer(below: 1) == 0)
    #expect(generator.integer(below: -4) == 0)
  }

  @Test func normalMoments() {
    var generator = SeededGenerator(seed: 12)
    let values = (0..<100_000).map { _ in generator.normal() }
    let mean = values.reduce(0, +) / 100_000
    let fourth = values.reduce(0) { $0 + $1 * $1 * $1 * $1 } / 100_000
    let variance = values.reduce(0) { $0 + $1 * $1 } / 100_000
    #expect(abs(mean) < 0.015)
    #expect(abs(variance - 1) < 0.02)
    #expect(abs(fourth - 3) < 0.15)
  }
}
