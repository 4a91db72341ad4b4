import Foundation
import TarnCore
import Testing

import TarnData

@Suite struct BatchesTests {
  static func batches(
    _ count: Int, _ size: Int, dropLast: Bool = false, sampler: any Sampler = .sequential
  ) -> Batches<[Int]> {
    ArraySource(Array(0..<count)).batched(size, sampler: sampler, dropLast: dropLast) { $0 }
  }

  static func all(_ epoch: Epoch<[Int]>) throws -> [[Int]] {
    var result: [[Int]] = []
    try epoch.forEach { result.append($0) }
    return result
  }

  @Test func sizes() throws {
    #expect(try Self.all(Self.batches(7, 3).epoch(0)) == [[0, 1, 2], [3, 4, 5], [6]])
    #expect(try Self.all(Self.batches(7, 3, dropLast: true).epoch(0)) == [[0, 1, 2], [3, 4, 5]])
    #expect(try Self.all(Self.batches(6, 3).epoch(0)).count == 2)
    #expect(try Self.all(Self.batches(0, 3).epoch(0)).isEmpty)
    #expect(Self.batches(7, 3).epoch(0).count == 3)
    #expect(Self.batches(7, 3).stepsPerEpoch == 3)
    #expect(
      Self.batches(7, 3, sampler: .weighted([1, 2, 0, 0, 0, 0, 0], draws: 13, seed: 0))
        .stepsPerEpoch == 5)
  }

  @Test func everyEpochVisitsAllInItsOwnOrder() throws {
    let batches = Self.batches(50, 8, sampler: .shuffled(seed: 9))
    let (first, second) = (try Self.all(batches.epoch(0)), try Self.all(batches.epoch(1)))
    #expect(first.flatMap { $0 }.sorted() == Array(0..<50))
    #expect(second.flatMap { $0 }.sorted() == Array(0..<50))
    #expect(first != second)
    #expect(try Self.all(batches.epoch(0)) == first)
  }

  @Test func aStoredPositionGoesOnWithTheSameBatches() throws {
    let batches = Self.batches(50, 8, sampler: .shuffled(seed: 9))
    let whole = try Self.all(batches.epoch(3))
    for stop in 0...whole.count {
      var epoch = batches.epoch(3)
      for _ in 0..<stop { _ = try epoch.next() }
      let stored = try JSONEncoder().encode(epoch.position)
      let position = try JSONDecoder().decode(DataPosition.self, from: stored)
      let rest = try Self.all(batches.epoch(at: position))
      if stop < whole.count {
        #expect(rest == Array(whole[stop...]))
      } else {
        #expect(position == DataPosition(epoch: 4, step: 0))
        #expect(rest == (try Self.all(batches.epoch(4))))
      }
    }
  }

  @Test func asynchronousIterationGivesTheSame() async throws {
    let batches = Self.batches(20, 6, sampler: .shuffled(seed: 1)).map { $0.reduce(0, +) }
    var sums: [Int] = []
    for try await sum in batches.epoch(0, from: 1) { sums.append(sum) }
    #expect(sums == batches.epoch(0, from: 1).indices.map { $0.reduce(0, +) })
    #expect(sums.count == 3)
  }
}
