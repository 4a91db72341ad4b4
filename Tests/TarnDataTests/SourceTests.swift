import TarnCore
import Testing

import TarnData

@Suite struct SourceTests {
  let numbers = ArraySource(Array(0..<100))

  /// Rows [i, 10 i] with the label i % 3.
  static func rows(_ count: Int) -> TensorSource {
    TensorSource(
      features: Tensor((0..<count).flatMap { [Float($0), Float(10 * $0)] }, shape: [count, 2]),
      labels: Tensor((0..<count).map { Int64($0 % 3) }))
  }

  @Test func viewsOfViews() throws {
    let view = numbers.drop(10).map { $0 * 2 }.take(5).subset([4, 0, 0])
    #expect(try view.samples(at: [0, 1, 2]) == [28, 20, 20])
    #expect(numbers.take(1000).count == 100)
    #expect(numbers.drop(1000).count == 0)
    let chained = numbers.take(2).followed(by: numbers.drop(98))
    #expect(try chained.samples(at: Array(0..<chained.count)) == [0, 1, 98, 99])
  }

  @Test func shuffledIsAPermutationThatDependsOnTheSeed() throws {
    let order = numbers.shuffled(seed: 1).indices
    #expect(order.sorted() == Array(0..<100))
    #expect(order != Array(0..<100))
    #expect(order == numbers.shuffled(seed: 1).indices)
    #expect(order != numbers.shuffled(seed: 2).indices)
  }

  @Test(arguments: [[0.8, 0.2], [0.7, 0.15, 0.15], [0.333, 0.333, 0.334], [0.5, 0.1], [1]])
  func splitsArePartsOfTheWhole(fractions: [Double]) {
    for count in [0, 1, 2, 7, 97] {
      let parts = numbers.take(count).split(fractions, seed: 5)
      let all = parts.flatMap(\.indices)
      #expect(Set(all).count == all.count)
      #expect(all.count == Int((fractions.reduce(0, +) * Double(count)).rounded()))
      for (part, fraction) in zip(parts, fractions) {
        #expect(abs(Double(part.count) - fraction * Double(count)) <= 1)
      }
    }
  }

  @Test func stratifiedSplitKeepsTheShares() throws {
    let labels = (0..<100).map { $0 < 70 ? "a" : $0 < 90 ? "b" : "c" }
    let parts = numbers.stratifiedSplit([0.8, 0.2], by: labels, seed: 3)
    let histogram = parts.map { part in
      ["a", "b", "c"].map { label in part.indices.count { labels[$0] == label } }
    }
    #expect(histogram == [[56, 16, 8], [14, 4, 2]])
    #expect(parts.flatMap(\.indices).sorted() == Array(0..<100))
    let rows = Self.rows(30).stratifiedSplit([0.5, 0.5], seed: 0)
    for part in rows {
      let batch = try part.all()
      #expect(
        batch.labels.array(of: Int.self).sorted() == [0, 1, 2].flatMap { [$0, $0, $0, $0, $0] })
    }
  }

  @Test func gatheredRowsAreTheSamples() throws {
    let source = Self.rows(20)
    let batch = try source.shuffled(seed: 4).subset([3, 3, 0]).batch(at: [2, 0, 1], epoch: 0)
    let order = source.shuffled(seed: 4).indices
    let expected = [order[0], order[3], order[3]]
    #expect(batch.features.shape == [3, 2])
    #expect(
      batch.features.array(of: Float.self) == expected.flatMap { [Float($0), Float(10 * $0)] })
    #expect(batch.labels.array(of: Int.self) == expected.map { $0 % 3 })
    let one = try source.sample(at: 7)
    #expect(one.features.shape == [2] && one.label.shape == [])
    #expect(one.features.array(of: Float.self) == [7, 70])
  }

  @Test func bytesAreScaledAsTheyAreGathered() throws {
    let pixels = Tensor([0, 51, 255, 102] as [UInt8], shape: [2, 2])
    let rows = Rows(pixels, scale: 1 / 255)
    #expect(rows.dtype == .float32)
    let batch = try rows.batch(at: [1, 0, 1])
    #expect(batch.dtype == .float32)
    #expect(batch.shape == [3, 2])
    for (value, expected) in zip(batch.array(of: Float.self), [1, 0.4, 0, 0.2, 1, 0.4] as [Float]) {
      #expect(abs(value - expected) < 1e-6)
    }
    #expect(rows.tensor.shape == [2, 2])
  }

  @Test func gatheringEqualsStacking() throws {
    let source = Self.rows(10)
    var gathered = source.batched(4).epoch(0)
    var stacked = source.map { $0 }.batched(4).epoch(0)
    for _ in 0..<3 {
      let (a, b) = (try #require(try gathered.next()), try #require(try stacked.next()))
      #expect(a.features.shape == b.features.shape)
      #expect(a.features.bytes() == b.features.bytes())
      #expect(a.labels.bytes() == b.labels.bytes())
    }
    #expect(gathered.remaining == 0 && stacked.remaining == 0)
  }

  @Test func augmentationDependsOnSeedEpochAndIndexOnly() throws {
    let noisy = numbers.augmented(seed: 1) { value, generator in Double(value) + generator.uniform()
    }
    let forwards = try noisy.samples(at: [3, 4], epoch: 2)
    let backwards = try noisy.subset([4, 3]).samples(at: [0, 1], epoch: 2)
    #expect(forwards == backwards.reversed())
    #expect(try noisy.samples(at: [3, 4], epoch: 1) != forwards)
    #expect(try noisy.map { $0 }.sample(at: 3, epoch: 2) == forwards[0])
    let other = numbers.augmented(seed: 2) { value, generator in Double(value) + generator.uniform()
    }
    #expect(try other.sample(at: 3, epoch: 2) != forwards[0])
  }

  @Test func weightsDrawInProportion() {
    let sampler = WeightedSampler(weights: [0, 1, 3, 0], draws: 40_000, seed: 8)
    let drawn = sampler.indices(count: 4, epoch: 0)
    #expect(drawn.count == 40_000)
    #expect(Set(drawn) == [1, 2])
    #expect(abs(Double(drawn.count { $0 == 2 }) / 40_000 - 0.75) < 0.01)
    #expect(drawn != sampler.indices(count: 4, epoch: 1))
  }

  @Test func mistakesAreDiagnosed() {
    #expect(throws: Diagnostic.self) { try Diagnostic.catching { _ = numbers.subset([100]) } }
    #expect(throws: Diagnostic.self) {
      try Diagnostic.catching { _ = numbers.split([0.9, 0.2], seed: 0) }
    }
    #expect(throws: Diagnostic.self) { try Diagnostic.catching { _ = numbers.batched(0) { $0 } } }
    #expect(throws: Diagnostic.self) { try numbers.sample(at: -1) }
    #expect(throws: Diagnostic.self) { try Self.rows(3).batch(at: [0, 3]) }
    #expect(throws: Diagnostic.self) {
      try Diagnostic.catching {
        _ = TensorSource(features: Tensor.zeros([3, 2]), labels: Tensor.zeros([4]))
      }
    }
    #expect(throws: Diagnostic.self) {
      try Diagnostic.catching { _ = WeightedSampler(weights: [0, 0], seed: 0) }
    }
    #expect(throws: Diagnostic.self) {
      try stacked([Tensor.zeros([2]), Tensor.zeros([3])])
    }
  }
}
