import Testing

import TarnCore

@Suite("Random numbers") struct RandomTests {
  /// The known answers published with Random123, `philox4x32` with 10 rounds.
  @Test func philoxGivesThePublishedWords() {
    #expect(
      Philox(key: 0, stream: 0).block(0) == [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8])
    #expect(
      Philox(key: .max, stream: .max).block(.max) == [
        0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd,
      ])
    #expect(
      Philox(key: 0x299f_31d0_a409_3822, stream: 0x0370_7344_1319_8a2e).block(0x85a3_08d3_243f_6a88)
        == [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1])
  }

  private func draw(_ kind: RandomKind, _ shape: [Int], _ dtype: DType) -> Tensor {
    Tensor.record(.random(kind), RandomKey(seed: 0).tensor, shape, dtype)
  }

  @Test func elementsComeFromTheWordsOfTheirPlace() {
    let words: [UInt32] = [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
    let single = draw(.uniform, [5], .float32).array(of: Double.self)
    #expect(single.prefix(4).elementsEqual(words.map { Double($0 >> 8) * 0x1p-24 }))
    #expect(single[4] == Double(Philox(key: 0, stream: 0).block(1)[0] >> 8) * 0x1p-24)
    let long: [UInt64] = [0x6627_e8d5_e169_c58d, 0xbc57_ac4c_9b00_dbd8]
    #expect(
      draw(.uniform, [2], .float64).array(of: Double.self)
        == long.map { Double($0 >> 11) * 0x1p-53 })
    #expect(draw(.bits, [2], .int64).array(of: Int.self) == long.map { Int(Int64(bitPattern: $0)) })
  }

  @Test(arguments: [DType.float16, .bfloat16, .float32, .float64]) func uniformStaysBelowOne(
    _ dtype: DType
  ) {
    let x = Tensor.uniform([20_000], key: RandomKey(seed: 1), dtype: dtype).array(of: Double.self)
    #expect(x.allSatisfy { $0 >= 0 && $0 < 1 })
    #expect(abs(x.reduce(0, +) / 20_000 - 0.5) < 0.01)
  }

  /// Mean, variance, skewness and excess kurtosis.
  private func moments(_ x: Tensor) -> (Double, Double, Double, Double) {
    let values = x.array(of: Double.self), n = Double(values.count)
    func mean(_ f: (Double) -> Double) -> Double { values.reduce(0) { $0 + f($1) } / n }
    let m = mean { $0 }, v = mean { ($0 - m) * ($0 - m) }
    let third = mean { ($0 - m) * ($0 - m) * ($0 - m) }
    let fourth = mean { ($0 - m) * ($0 - m) * ($0 - m) * ($0 - m) }
    return (m, v, third / (v * v.squareRoot()), fourth / (v * v) - 3)
  }

  @Test func normalHasItsMoments() {
    let (mean, variance, skewness, kurtosis) = moments(
      .normal([40_000], mean: 2, deviation: 3, key: RandomKey(seed: 2)))
    #expect(abs(mean - 2) < 0.06 && abs(variance - 9) < 0.25)
    #expect(abs(skewness) < 0.05 && abs(kurtosis) < 0.1)
  }

  /// Cut at two deviations, the variance is 1 − 4 φ(2) / (Φ(2) − Φ(−2)) = 0.7737413.
  @Test func truncatedNormalStaysWithin() {
    let x = Tensor.truncatedNormal([40_000], key: RandomKey(seed: 3))
    let (mean, variance, _, _) = moments(x)
    #expect(abs(mean) < 0.02 && abs(variance - 0.7737413) < 0.02)
    #expect(x.abs().max().item() <= 2)
  }

  @Test func bernoulliAndCategoricalHaveTheirFrequencies() {
    let coin = Tensor.bernoulli([20_000], probability: 0.3, key: RandomKey(seed: 4))
    #expect(coin.dtype == .bool)
    #expect(abs(coin.cast(to: .float64).mean().item() - 0.3) < 0.015)
    let logits = Tensor([0.1, 0.2, 0.7] as [Double]).log().broadcast(to: [20_000, 3])
    let drawn = Tensor.categorical(logits: logits, key: RandomKey(seed: 5)).array(of: Int.self)
    for (number, probability) in [0.1, 0.2, 0.7].enumerated() {
      let share = Double(drawn.filter { $0 == number }.count) / 20_000
      #expect(abs(share - probability) < 0.015)
    }
  }

  @Test func permutationsHoldEveryNumberOnce() {
    let order = Tensor.permutation(100, key: RandomKey(seed: 6)).array(of: Int.self)
    #expect(order.sorted() == Array(0..<100))
    #expect(order != Array(0..<100))
  }

  @Test func integersFillTheirRange() {
    let x = Tensor.randomIntegers([2000], in: -3..<4, key: RandomKey(seed: 7)).array(of: Int.self)
    #expect(Set(x) == Set(-3..<4))
  }

  @Test func derivedKeysDiffer() {
    let key = RandomKey(seed: 8)
    let keys = key.split(3) + [key, key.folded(in: 0), key.folded(in: 1), key.folded(in: -1)]
    #expect(Set(keys.map { $0.tensor.array(of: Int.self) }).count == keys.count)
    let draws = keys.map { Tensor.uniform([4], key: $0).array(of: Float.self) }
    #expect(Set(draws).count == keys.count)
    #expect(
      key.folded(in: 1).tensor.array(of: Int.self)
        == key.folded(in: integers([1])).tensor.array(of: Int.self))
    #expect(
      key.split(2)[1].tensor.array(of: Int.self) == key.split(3)[1].tensor.array(of: Int.self))
  }

  @Test func aBatchOfKeysDrawsWhatEachWould() {
    let keys = RandomKey(seed: 9).split(3)
    for dtype in [DType.float32, .float64] {
      let mapped = vmap(over: Tensor.stacked(keys.map(\.tensor), axis: 0)) {
        Tensor.uniform([2, 5], key: RandomKey(tensor: $0), dtype: dtype)
      }
      #expect(mapped.dtype == dtype)
      let looped = Tensor.stacked(keys.map { .uniform([2, 5], key: $0, dtype: dtype) }, axis: 0)
      #expect(mapped.array(of: Double.self) == looped.array(of: Double.self))
    }
  }

  @Test func mistakesAreNamed() {
    let key = RandomKey(seed: 0)
    #expect(
      diagnosed { .uniform([2], key: key, dtype: .int32) }.contains("the type must be floating"))
    #expect(diagnosed { .bernoulli([2], probability: 1.5, key: key) }.contains("between 0 and 1"))
    #expect(diagnosed { .randomIntegers([2], in: 3..<3, key: key) }.contains("the range must hold"))
    #expect(diagnosed { RandomKey(tensor: sample([2])).tensor }.contains("a key is int64 [2]"))
  }
}
