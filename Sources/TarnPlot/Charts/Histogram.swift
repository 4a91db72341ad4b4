import Foundation

/// Counts of values in intervals of equal width. The last interval includes its upper end.
public struct Histogram: Sendable, Equatable {
  /// The ends of the intervals, one more than there are counts.
  public let edges: [Double]
  public let counts: [Int]

  /// Counts the finite values.
  ///
  /// - Parameters:
  ///   - bins: The number of intervals, 1 to 10,000. When nil: the narrower of the rules of Sturges
  ///     (`log₂ n + 1` intervals) and of Freedman and Diaconis (width `2 · IQR / n^⅓`), at most
  /// 100.
  public init(_ values: [Double], bins: Int? = nil) {
    guard let range = finiteRange(values) else {
      (edges, counts) = ([], [])
      return
    }
    var (low, high) = (max(range.lowerBound, -5e307), min(range.upperBound, 5e307))
    let reach = max(low.magnitude, high.magnitude)
    if high - low <= reach * 1e-12 {
      let room = reach < 1e-280 ? 0.5 : reach * 0.25
      (low, high) = (low - room, high + room)
    }
    let count = bins.map { min(max($0, 1), 10_000) } ?? Self.automaticBins(values, span: high - low)
    let width = (high - low) / Double(count)
    var counts = [Int](repeating: 0, count: count)
    for value in values where value.isFinite {
      let place = (value - low) / width
      counts[min(max(Int(min(max(place, 0), 1e6)), 0), count - 1)] += 1
    }
    self.counts = counts
    edges = (0...count).map { $0 == count ? high : low + Double($0) * width }
  }

  private static func automaticBins(_ values: [Double], span: Double) -> Int {
    let finite = values.filter(\.isFinite).sorted()
    let count = Double(finite.count)
    let sturges = Int(log2(max(count, 1)).rounded(.up)) + 1
    let middle = finite[finite.count * 3 / 4] - finite[finite.count / 4]
    guard middle > 0 else { return sturges }
    let freedman = span / (2 * middle / pow(count, 1.0 / 3))
    return min(max(sturges, Int(min(freedman, 100).rounded(.up))), 100)
  }
}
