import TarnCore

/// In what order, and which, samples are visited in an epoch. A pure function of the epoch, so that
/// any epoch can be taken up again at any step.
public protocol Sampler: Sendable {
  /// The places visited in this epoch, each in 0..<count.
  func indices(count: Int, epoch: Int) -> [Int]
}

/// Every sample once, first to last.
public struct SequentialSampler: Sampler, Codable, Hashable {
  public init() {}

  public func indices(count: Int, epoch: Int) -> [Int] { Array(0..<count) }
}

/// Every sample once, in an order that depends on the seed and the epoch only.
public struct ShuffledSampler: Sampler, Codable, Hashable {
  public let seed: UInt64

  public init(seed: UInt64) {
    self.seed = seed
  }

  public func indices(count: Int, epoch: Int) -> [Int] {
    var generator = SeededGenerator(seed: seed).forked(UInt64(bitPattern: Int64(epoch)))
    return generator.permutation(count)
  }
}

/// Samples drawn with replacement, the chance of each proportional to its weight.
///
/// With one over the size of its class as a sample's weight, the classes come equally often.
public struct WeightedSampler: Sampler, Codable, Hashable {
  public let weights: [Double]
  /// Draws in an epoch.
  public let draws: Int
  public let seed: UInt64
  private let sums: [Double]

  /// - Parameters:
  ///   - weights: one for each sample, 0 or more, not all 0.
  ///   - draws: samples drawn in an epoch; by default as many as there are weights.
  public init(weights: [Double], draws: Int? = nil, seed: UInt64) {
    (self.weights, self.draws, self.seed) = (weights, draws ?? weights.count, seed)
    var sum = 0.0
    sums = weights.map { weight in
      sum += weight
      return sum
    }
    let isSound = weights.allSatisfy { $0 >= 0 } && sum > 0 && sum.isFinite
    if !isSound {
      Diagnostic.report(
        Diagnostic(
          operation: "WeightedSampler", reason: "weights must be 0 or more, finite, and not all 0",
          facts: ["weights \(weights.count), sum \(sum)"]))
    }
  }

  public func indices(count: Int, epoch: Int) -> [Int] {
    if count != weights.count {
      Diagnostic.report(
        Diagnostic(
          operation: "WeightedSampler", reason: "every sample needs one weight",
          facts: ["samples \(count)", "weights \(weights.count)"]))
    }
    guard let total = sums.last, count > 0 else { return [] }
    var generator = SeededGenerator(seed: seed).forked(UInt64(bitPattern: Int64(epoch)))
    return (0..<max(0, draws)).map { _ in min(place(of: generator.uniform() * total), count - 1) }
  }

  /// The first place whose sum lies above `value`.
  private func place(of value: Double) -> Int {
    var (low, high) = (0, sums.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if sums[middle] > value { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

extension Sampler where Self == SequentialSampler {
  /// Every sample once, first to last.
  public static var sequential: SequentialSampler { SequentialSampler() }
}

extension Sampler where Self == ShuffledSampler {
  /// Every sample once, in an order that depends on the seed and the epoch only.
  public static func shuffled(seed: UInt64) -> ShuffledSampler { ShuffledSampler(seed: seed) }
}

extension Sampler where Self == WeightedSampler {
  /// Samples drawn with replacement, the chance of each proportional to its weight.
  public static func weighted(
    _ weights: [Double], draws: Int? = nil, seed: UInt64
  ) -> WeightedSampler {
    WeightedSampler(weights: weights, draws: draws, seed: seed)
  }
}
