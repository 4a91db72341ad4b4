import Foundation
import TarnBench
import Testing

@Suite struct TimingTests {
  private func workload() throws -> Workload {
    try #require(Catalogue.workload("linear-64x784x512"))
  }

  @Test func summarizesSamples() throws {
    let timing = Timing(
      try workload(), threads: 2, seconds: [0.004, 0.001, 0.002, 0.003], peakBytes: 3 << 20)
    #expect(timing.workload == "linear-64x784x512")
    #expect(timing.threads == 2)
    #expect(timing.samples == 4)
    #expect(timing.medianMilliseconds == 2.5)
    #expect(timing.minimumMilliseconds == 1)
    #expect(timing.p90Milliseconds == 4)
    #expect(timing.peakMemory == 3)
  }

  @Test func ratesComeFromTheMedian() throws {
    // 2 · 64 · 784 · 512 operations in 2 ms.
    let timing = Timing(try workload(), threads: 1, seconds: [0.002], peakBytes: 0)
    let rate = try #require(timing.gigaOperationsPerSecond)
    #expect(abs(rate - 25.69) < 0.01)
    #expect(timing.gigaBytesPerSecond == nil)
  }

  @Test func isOneLineOfJSON() throws {
    let timing = Timing(try workload(), threads: 1, seconds: [0.0012345678], peakBytes: 1 << 20)
    let line = try timing.line()
    #expect(!line.contains("\n"))
    let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
    let keys = Set(try #require(object).keys)
    let wanted = [
      "workload", "threads", "median_ms", "min_ms", "p90_ms", "samples", "peak_rss_mb",
    ]
    #expect(keys.isSuperset(of: wanted))
    let again = try Timing(line: line)
    #expect(again.medianMilliseconds == 1.2346)
    #expect(again.gigaOperations == timing.gigaOperations)
  }
}
