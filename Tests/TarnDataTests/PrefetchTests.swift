import Foundation
import Synchronization
import TarnCore
import Testing

import TarnData

/// Gives its index, and counts what is asked of it.
private final class Probe: Source {
  let count: Int
  let failing: Int?
  let delay: @Sendable (Int) -> Double
  let made = Atomic<Int>(0)
  let taken = Atomic<Int>(0)
  let mostAhead = Atomic<Int>(0)

  init(_ count: Int, failing: Int? = nil, delay: @escaping @Sendable (Int) -> Double = { _ in 0 }) {
    (self.count, self.failing, self.delay) = (count, failing, delay)
  }

  func sample(at index: Int) throws -> Int {
    Thread.sleep(forTimeInterval: delay(index))
    let ahead =
      made.add(1, ordering: .sequentiallyConsistent).newValue
      - taken.load(ordering: .sequentiallyConsistent)
    mostAhead.max(ahead, ordering: .sequentiallyConsistent)
    if index == failing { throw DataError(.invalid, file: "probe", reason: "sample \(index)") }
    return index
  }

  func epoch() -> Epoch<[Int]> { batched(1) { $0 }.epoch(0) }
}

@Suite struct PrefetchTests {
  /// Later batches are ready sooner, and still come later.
  @Test(arguments: [1, 2, 4])
  func orderIsKept(workers: Int) throws {
    let probe = Probe(40) { Double(39 - $0) * 1e-4 }
    var seen: [Int] = []
    try probe.epoch().prefetched(depth: 6, workers: workers).forEach { seen += $0 }
    #expect(seen == Array(0..<40))
  }

  @Test func theQueueIsBounded() throws {
    let probe = Probe(60)
    let batches = probe.epoch().prefetched(depth: 3, workers: 4)
    while let batch = try batches.next() {
      #expect(batch.count == 1)
      Thread.sleep(forTimeInterval: 5e-4)
      probe.taken.add(1, ordering: .sequentiallyConsistent)
    }
    // Three ahead, and the one in the consumer's hands, which is not counted as taken yet.
    #expect(probe.mostAhead.load(ordering: .sequentiallyConsistent) <= 4)
    #expect(probe.made.load(ordering: .sequentiallyConsistent) == 60)
  }

  @Test func anErrorComesInItsPlaceAndEndsIt() throws {
    let batches = Probe(20, failing: 5).epoch().prefetched(depth: 8, workers: 3)
    for i in 0..<5 { #expect(try batches.next() == [i]) }
    expectDataError(.invalid, "sample 5") { _ = try batches.next() }
    #expect(try batches.next() == nil)
    batches.cancel()
  }

  @Test func cancellingStopsTheThreads() throws {
    let probe = Probe(1_000_000)
    let batches = probe.epoch().prefetched(depth: 4, workers: 2)
    _ = try batches.next()
    batches.cancel()
    let made = probe.made.load(ordering: .sequentiallyConsistent)
    #expect(made <= 5)
    #expect(try batches.next() == nil)
    Thread.sleep(forTimeInterval: 0.02)
    #expect(probe.made.load(ordering: .sequentiallyConsistent) == made)
  }

  @Test func lettingGoFreesTheSource() throws {
    weak var released: Probe?
    do {
      let probe = Probe(1_000_000)
      released = probe
      let batches = probe.epoch().prefetched(depth: 4, workers: 2)
      #expect(try batches.next() == [0])
    }
    var waits = 0
    while released != nil && waits < 2000 {
      Thread.sleep(forTimeInterval: 0.005)
      waits += 1
    }
    #expect(released == nil)
  }

  @Test func positionAndResumption() throws {
    let probe = Probe(10)
    let batches = probe.epoch().prefetched(depth: 4)
    for _ in 0..<3 { _ = try batches.next() }
    #expect(batches.position == DataPosition(epoch: 0, step: 3))
    #expect(batches.remaining == 7)
    let rest = probe.batched(1) { $0 }.epoch(at: batches.position).prefetched()
    var seen: [Int] = []
    try rest.forEach { seen += $0 }
    #expect(seen == Array(3..<10))
    #expect(rest.position == DataPosition(epoch: 1, step: 0))
  }

  @Test func asynchronously() async throws {
    var seen: [Int] = []
    let probe = Probe(30) { $0 % 7 == 0 ? 0.002 : 0 }
    for try await batch in probe.epoch().prefetched(depth: 3, workers: 2) { seen += batch }
    #expect(seen == Array(0..<30))
    await #expect(throws: DataError.self) {
      for try await _ in Probe(5, failing: 2).epoch().prefetched(depth: 3) {}
    }
    for try await batch in Probe(1_000_000).epoch().prefetched(depth: 3) where batch == [4] {
      break
    }
  }

  @Test func aCancelledTaskStopsWaiting() async throws {
    let probe = Probe(10_000) { _ in 0.05 }
    let task = Task {
      var count = 0
      for try await _ in probe.epoch().prefetched(depth: 1) { count += 1 }
      return count
    }
    try await Task.sleep(for: .milliseconds(20))
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test func mistakesInTheThreadsComeOut() throws {
    let source = ArraySource([1, 2]).map { value in
      Diagnostic.report(Diagnostic(operation: "probe", reason: "wrong"))
      return value
    }
    let batches = source.batched(1) { $0 }.epoch(0).prefetched()
    #expect(throws: Diagnostic.self) { _ = try batches.next() }
  }

  @Test func batchesAreMadeOnTheCallersDevice() throws {
    let source = SourceTests.rows(4).batched(2).epoch(0)
    let batch = try Device.with(.reference) { try source.prefetched().next() }
    #expect(batch?.features.device == .reference)
  }
}
