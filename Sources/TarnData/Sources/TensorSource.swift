import TarnCore

/// Examples held in memory: rows of features with a label each.
///
/// A batch is gathered by one copy of each row, with no tensor made for a single sample.
///
/// ```swift
/// let (images, labels) = Digits.load()
/// let parts = TensorSource(features: images, labels: labels).split([0.8, 0.2], seed: 0)
/// for try await batch in parts[0].batched(64, sampler: .shuffled(seed: 0)).epoch(0) {
///   print(batch.features.shape, batch.labels.shape)  // [64, 1, 8, 8] [64]
/// }
/// ```
public struct TensorSource: BatchSource {
  public typealias Sample = Example

  public let features: Rows
  public let labels: Rows

  /// - Parameters:
  ///   - features: [count, ...].
  ///   - labels: [count, ...].
  ///   - scale: for `uint8` features, gives batches of `float32` with `byte * scale`, so that a set
  ///     of images stays small in memory.
  public init(features: Tensor, labels: Tensor, scale: Float? = nil) {
    self.init(features: Rows(features, scale: scale), labels: Rows(labels))
  }

  /// From rows that are there already.
  public init(features: Rows, labels: Rows) {
    (self.features, self.labels) = (features, labels)
    if features.count != labels.count {
      Diagnostic.report(
        Diagnostic(
          operation: "TensorSource", reason: "every row of features needs one label",
          facts: ["features \(features.shape)", "labels   \(labels.shape)"],
          hint: "the first axes must have the same length"))
    }
  }

  public var count: Int { min(features.count, labels.count) }

  public func sample(at index: Int) throws -> Example {
    Example(features: try features.sample(at: index), label: try labels.sample(at: index))
  }

  public func batch(at indices: [Int], epoch: Int = 0) throws -> Batch {
    Batch(features: try features.batch(at: indices), labels: try labels.batch(at: indices))
  }

  /// Splits so that each part has the same share of every class; see
  /// ``Source/stratifiedSplit(_:by:seed:)``.
  public func stratifiedSplit(_ fractions: [Double], seed: UInt64) -> [Subset<TensorSource>] {
    guard let classes = labels.integers else {
      Diagnostic.report(
        Diagnostic(
          operation: "stratifiedSplit", reason: "the labels are not class numbers",
          facts: ["labels \(labels.shape) \(labels.dtype)"],
          hint: "use split, or stratifiedSplit(_:by:seed:) with a class for each sample"))
      return split(fractions, seed: seed)
    }
    return stratifiedSplit(fractions, by: classes, seed: seed)
  }
}
