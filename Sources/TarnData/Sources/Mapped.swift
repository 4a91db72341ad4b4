import TarnCore

/// A source whose samples are made from another's by a function.
public struct Mapped<Base: Source, Sample: Sendable>: Source {
  public let base: Base
  private let transform: @Sendable (Base.Sample) throws -> Sample

  init(base: Base, transform: @escaping @Sendable (Base.Sample) throws -> Sample) {
    (self.base, self.transform) = (base, transform)
  }

  public var count: Int { base.count }

  public func sample(at index: Int) throws -> Sample {
    try transform(base.sample(at: index))
  }

  public func sample(at index: Int, epoch: Int) throws -> Sample {
    try transform(base.sample(at: index, epoch: epoch))
  }
}

/// A source whose samples are made from another's by a random function, anew every epoch.
///
/// The random numbers of a sample depend on the seed, the epoch and the sample's index only, so
/// that the same epoch gives the same samples whatever their order and however many threads work.
public struct Augmented<Base: Source, Sample: Sendable>: Source {
  public let base: Base
  public let seed: UInt64
  private let transform: @Sendable (Base.Sample, inout SeededGenerator) throws -> Sample

  init(
    base: Base, seed: UInt64,
    transform: @escaping @Sendable (Base.Sample, inout SeededGenerator) throws -> Sample
  ) {
    (self.base, self.seed, self.transform) = (base, seed, transform)
  }

  public var count: Int { base.count }

  public func sample(at index: Int) throws -> Sample {
    try sample(at: index, epoch: 0)
  }

  public func sample(at index: Int, epoch: Int) throws -> Sample {
    var generator = SeededGenerator(seed: seed)
      .forked(UInt64(bitPattern: Int64(epoch))).forked(UInt64(bitPattern: Int64(index)))
    return try transform(base.sample(at: index, epoch: epoch), &generator)
  }
}

extension Source {
  /// Each sample passed through `transform`, when it is asked for.
  public func map<Output: Sendable>(
    _ transform: @escaping @Sendable (Sample) throws -> Output
  ) -> Mapped<Self, Output> {
    Mapped(base: self, transform: transform)
  }

  /// Each sample passed through a random `transform` with the numbers that belong to it in this
  /// epoch.
  ///
  /// ```swift
  /// let noisy = source.augmented(seed: 1) { value, generator in value + generator.normal() }
  /// ```
  public func augmented<Output: Sendable>(
    seed: UInt64, _ transform: @escaping @Sendable (Sample, inout SeededGenerator) throws -> Output
  ) -> Augmented<Self, Output> {
    Augmented(base: self, seed: seed, transform: transform)
  }

  /// Another source's samples after this one's.
  public func followed<Other: Source>(by other: Other) -> Chained<Self, Other>
  where Other.Sample == Sample {
    Chained(first: self, second: other)
  }
}

/// Two sources of the same kind one after the other.
public struct Chained<First: Source, Second: Source>: Source where First.Sample == Second.Sample {
  public let first: First
  public let second: Second

  public var count: Int { first.count + second.count }

  public func sample(at index: Int) throws -> First.Sample {
    try sample(at: index, epoch: 0)
  }

  public func sample(at index: Int, epoch: Int) throws -> First.Sample {
    try index < first.count
      ? first.sample(at: index, epoch: epoch)
      : second.sample(at: index - first.count, epoch: epoch)
  }
}
