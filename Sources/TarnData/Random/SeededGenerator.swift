import Foundation

/// Random numbers on the host that are the same everywhere for the same seed: on every machine,
/// with any number of threads, and whatever the standard library does.
///
/// Philox 4×32-10 (Salmon et al., 2011) with the seed as its key; the words are numbered, so a
/// generator is a place in a fixed sequence, can be stored, and can be forked by number:
///
/// ```swift
/// var generator = SeededGenerator(seed: 7)
/// let order = generator.permutation(10)
/// var forSample42 = generator.forked(42)   // its own sequence
/// ```
public struct SeededGenerator: RandomNumberGenerator, Sendable, Hashable, Codable {
  /// The key.
  public let seed: UInt64
  /// Which of the sequences under this key.
  public let stream: UInt64
  /// How many numbers of 64 bits were drawn.
  public private(set) var position: UInt64 = 0
  /// The block of the last draw, of which a part may be left.
  private var half: UInt64 = 0

  /// The sequence number `stream` under `seed`.
  public init(seed: UInt64, stream: UInt64 = 0) {
    (self.seed, self.stream) = (seed, stream)
  }

  /// 64 random bits.
  public mutating func next() -> UInt64 {
    defer { position &+= 1 }
    if position & 1 == 1 { return half }
    let words = block(position >> 1)
    half = Self.joined(words[2], words[3])
    return Self.joined(words[0], words[1])
  }

  /// A generator with a sequence of its own, the same for the same number however much was drawn
  /// from this one.
  public func forked(_ number: UInt64) -> SeededGenerator {
    // The top bit of the counter is set for forks only, so no fork's key repeats a number drawn.
    let words = block(number & (1 << 63 - 1), tag: 1 << 31)
    let key = Self.joined(words[0], words[1]) ^ (number >> 63)
    return SeededGenerator(seed: key, stream: Self.joined(words[2], words[3]) >> 1)
  }

  private func block(_ number: UInt64, tag: UInt32 = 0) -> SIMD4<UInt32> {
    Philox.block(
      counter: SIMD4(
        UInt32(truncatingIfNeeded: number), UInt32(truncatingIfNeeded: number >> 32) | tag,
        UInt32(truncatingIfNeeded: stream), UInt32(truncatingIfNeeded: stream >> 32)),
      key: SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)))
  }

  private static func joined(_ low: UInt32, _ high: UInt32) -> UInt64 {
    UInt64(low) | UInt64(high) << 32
  }
}

extension SeededGenerator {
  /// A whole number in 0..<bound, all equally likely (Lemire, *Fast Random Integer Generation in an
  /// Interval*, 2019). A bound below 1 gives 0.
  public mutating func integer(below bound: Int) -> Int {
    guard bound > 1 else { return 0 }
    let range = UInt64(bound)
    let threshold = (0 &- range) % range
    while true {
      let (high, low) = next().multipliedFullWidth(by: range)
      if low >= threshold { return Int(high) }
    }
  }

  /// Uniform in [0, 1), a multiple of 2⁻⁵³.
  public mutating func uniform() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// Uniform in [low, high).
  public mutating func uniform(from low: Double, to high: Double) -> Double {
    low + (high - low) * uniform()
  }

  /// Normal with mean 0 and deviation 1, by Box and Muller's transform of two uniform numbers.
  public mutating func normal() -> Double {
    let radius = (-2 * log(1 - uniform())).squareRoot()
    return radius * cos(2 * Double.pi * uniform())
  }

  /// True with this probability.
  public mutating func chance(_ probability: Double) -> Bool {
    uniform() < probability
  }

  /// The numbers 0..<count in random order.
  public mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<max(0, count))
    shuffle(&order)
    return order
  }

  /// Puts the elements in random order (Fisher and Yates, from the last to the first).
  public mutating func shuffle<Element>(_ elements: inout [Element]) {
    for last in stride(from: elements.count - 1, to: 0, by: -1) {
      elements.swapAt(last, integer(below: last + 1))
    }
  }
}
