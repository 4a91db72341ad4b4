import Foundation

/// How long a unit of one workload takes: what `tarn bench` says, a line each.
package struct Timing: Codable, Sendable {
  package var workload: String
  package var threads: Int
  package var medianMilliseconds: Double
  package var minimumMilliseconds: Double
  /// Nine of ten units took no longer.
  package var p90Milliseconds: Double
  package var samples: Int
  /// The most memory the process has held, in units of 1024² bytes.
  package var peakMemory: Double
  /// As of ``Workload``.
  package var gigaOperations: Double?
  package var gigaBytes: Double?

  enum CodingKeys: String, CodingKey {
    case workload, threads, samples
    case medianMilliseconds = "median_ms"
    case minimumMilliseconds = "min_ms"
    case p90Milliseconds = "p90_ms"
    case peakMemory = "peak_rss_mb"
    case gigaOperations = "giga_operations"
    case gigaBytes = "giga_bytes"
  }

  package init(_ workload: Workload, threads: Int, seconds: [Double], peakBytes: Int) {
    let sorted = seconds.sorted()
    let count = sorted.count
    let middle = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
    self.workload = workload.name
    self.threads = threads
    medianMilliseconds = Self.rounded(middle * 1e3)
    minimumMilliseconds = Self.rounded(sorted[0] * 1e3)
    p90Milliseconds = Self.rounded(sorted[Int(0.9 * Double(count - 1) + 0.5)] * 1e3)
    samples = count
    peakMemory = (Double(peakBytes) / 1_048_576).rounded()
    gigaOperations = workload.gigaOperations.map(Self.rounded)
    gigaBytes = workload.gigaBytes.map(Self.rounded)
  }

  /// To five digits.
  private static func rounded(_ value: Double) -> Double {
    Double(String(format: "%.5g", value)) ?? value
  }

  /// Operations a second in billions, at the median.
  package var gigaOperationsPerSecond: Double? {
    gigaOperations.map { $0 / medianMilliseconds * 1e3 }
  }
  /// Bytes a second in billions, at the median.
  package var gigaBytesPerSecond: Double? { gigaBytes.map { $0 / medianMilliseconds * 1e3 } }

  /// As one line of JSON.
  package func line() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }

  package init(line: String) throws {
    self = try JSONDecoder().decode(Timing.self, from: Data(line.utf8))
  }
}
