import TarnCore

/// Some samples of another source, in an order of its own.
public struct Subset<Base: Source>: Source {
  public let base: Base
  /// Which samples of `base`.
  public let indices: [Int]

  init(base: Base, indices: [Int]) {
    (self.base, self.indices) = (base, indices)
  }

  public var count: Int { indices.count }

  public func sample(at index: Int) throws -> Base.Sample {
    try sample(at: index, epoch: 0)
  }

  public func sample(at index: Int, epoch: Int) throws -> Base.Sample {
    try checkIndex(index, count)
    return try base.sample(at: indices[index], epoch: epoch)
  }
}

extension Subset: BatchSource where Base: BatchSource {
  public func batch(at places: [Int], epoch: Int) throws -> Base.Batch {
    let chosen = try places.map { place in
      try checkIndex(place, count)
      return indices[place]
    }
    return try base.batch(at: chosen, epoch: epoch)
  }
}

extension Source {
  /// The samples at these places, in this order; a place may come more than once.
  public func subset(_ indices: [Int]) -> Subset<Self> {
    for index in indices where index < 0 || index >= count {
      Diagnostic.report(
        Diagnostic(
          operation: "subset", reason: "there is no sample \(index)", facts: ["samples \(count)"],
          hint: "use 0..<\(count)"))
    }
    return Subset(base: self, indices: indices.filter { $0 >= 0 && $0 < count })
  }

  /// The first `n` samples, or all where there are fewer.
  public func take(_ n: Int) -> Subset<Self> {
    Subset(base: self, indices: Array(0..<min(max(n, 0), count)))
  }

  /// All but the first `n` samples.
  public func drop(_ n: Int) -> Subset<Self> {
    Subset(base: self, indices: Array(min(max(n, 0), count)..<count))
  }

  /// All samples in one random order. For a new order every epoch give ``Sampler/shuffled(seed:)``
  /// to `batched`.
  public func shuffled(seed: UInt64) -> Subset<Self> {
    var generator = SeededGenerator(seed: seed)
    return Subset(base: self, indices: generator.permutation(count))
  }

  /// Splits at random into parts with these shares of the samples. What the shares leave over is
  /// left out; a part's size is rounded so that the parts together are right.
  ///
  /// ```swift
  /// let parts = source.split([0.7, 0.15, 0.15], seed: 0)
  /// ```
  public func split(_ fractions: [Double], seed: UInt64) -> [Subset<Self>] {
    var generator = SeededGenerator(seed: seed)
    let order = generator.permutation(count)
    return parts(of: order, checked(fractions)).map { Subset(base: self, indices: $0) }
  }

  /// Splits at random in two, the first with `fraction` of the samples.
  public func split(fraction: Double, seed: UInt64) -> (first: Subset<Self>, second: Subset<Self>) {
    let parts = split([fraction, 1 - fraction], seed: seed)
    return (parts[0], parts[1])
  }

  /// Splits at random so that each part has the same share of every class, up to rounding.
  /// - Parameters:
  ///   - fractions: the share of each part.
  ///   - labels: the class of each sample, [count].
  public func stratifiedSplit<Label: Hashable>(
    _ fractions: [Double], by labels: [Label], seed: UInt64
  ) -> [Subset<Self>] {
    if labels.count != count {
      Diagnostic.report(
        Diagnostic(
          operation: "stratifiedSplit", reason: "every sample needs one label",
          facts: ["samples \(count)", "labels  \(labels.count)"]))
    }
    let fractions = checked(fractions)
    var members: [Label: [Int]] = [:]
    var classes: [Label] = []
    for (index, label) in labels.prefix(count).enumerated() {
      if members[label, default: []].isEmpty { classes.append(label) }
      members[label, default: []].append(index)
    }
    var generator = SeededGenerator(seed: seed)
    var result = [[Int]](repeating: [], count: fractions.count)
    for label in classes {
      var order = members[label] ?? []
      generator.shuffle(&order)
      for (i, part) in parts(of: order, fractions).enumerated() { result[i] += part }
    }
    return result.map { indices in
      var mixed = indices
      generator.shuffle(&mixed)
      return Subset(base: self, indices: mixed)
    }
  }

  /// Neighbouring runs of `order`, cut at the rounded sums of the fractions.
  private func parts(of order: [Int], _ fractions: [Double]) -> [[Int]] {
    var (sum, start) = (0.0, 0)
    return fractions.map { fraction in
      sum += fraction
      let end = min(order.count, max(start, Int((sum * Double(order.count)).rounded())))
      defer { start = end }
      return Array(order[start..<end])
    }
  }

  private func checked(_ fractions: [Double]) -> [Double] {
    let isSound =
      fractions.allSatisfy { $0.isFinite && $0 >= 0 } && fractions.reduce(0, +) <= 1 + 1e-9
    if isSound { return fractions }
    Diagnostic.report(
      Diagnostic(
        operation: "split", reason: "the parts' shares must be 0 or more and sum to 1 at most",
        facts: ["fractions \(fractions)"], hint: "for instance [0.8, 0.2]"))
    return fractions.map { _ in 0 }
  }
}
