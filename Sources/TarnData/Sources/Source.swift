import TarnCore

/// Data with random access: so many samples, any of which can be asked for at any time, from any
/// thread.
///
/// ```swift
/// struct Squares: Source {
///   let count = 100
///   func sample(at index: Int) -> Int { index * index }
/// }
/// let batches = Squares().shuffled(seed: 1).batched(8) { $0 }
/// ```
public protocol Source<Sample>: Sendable {
  associatedtype Sample: Sendable

  /// Number of samples.
  var count: Int { get }

  /// The sample at `index`, which lies in 0..<count.
  func sample(at index: Int) throws -> Sample

  /// The sample at `index` as seen in the given epoch. Only what is random (augmentation) depends
  /// on the epoch; other sources need not write this.
  func sample(at index: Int, epoch: Int) throws -> Sample
}

extension Source {
  public func sample(at index: Int, epoch: Int) throws -> Sample {
    try sample(at: index)
  }

  /// Several samples, in this order.
  public func samples(at indices: [Int], epoch: Int = 0) throws -> [Sample] {
    try indices.map { try sample(at: $0, epoch: epoch) }
  }
}

/// A source that can gather many samples at once, which for rows of a tensor is far cheaper than
/// one by one.
public protocol BatchSource<Batch>: Source {
  associatedtype Batch: Sendable

  /// The samples at `indices`, put together with a batch axis in front.
  func batch(at indices: [Int], epoch: Int) throws -> Batch
}

extension BatchSource {
  /// Everything as one batch.
  public func all(epoch: Int = 0) throws -> Batch {
    try batch(at: Array(0..<count), epoch: epoch)
  }
}

/// One example to learn from.
public struct Example: Sendable {
  /// What goes in, [...].
  public var features: Tensor
  /// What should come out, [...]; a class number is an int64 scalar, [].
  public var label: Tensor

  public init(features: Tensor, label: Tensor) {
    (self.features, self.label) = (features, label)
  }
}

/// Several examples to learn from.
public struct Batch: Sendable {
  /// What goes in, [n, ...].
  public var features: Tensor
  /// What should come out, [n, ...]; class numbers are int64, [n].
  public var labels: Tensor

  public init(features: Tensor, labels: Tensor) {
    (self.features, self.labels) = (features, labels)
  }

  /// Number of examples.
  public var count: Int { features.shape.first ?? 0 }
}

/// An array is a source of its elements.
public struct ArraySource<Sample: Sendable>: Source {
  public let elements: [Sample]

  public init(_ elements: [Sample]) {
    self.elements = elements
  }

  public var count: Int { elements.count }

  public func sample(at index: Int) throws -> Sample {
    try checkIndex(index, count)
    return elements[index]
  }
}

/// Throws the mistake of asking for a sample that is not there.
package func checkIndex(_ index: Int, _ count: Int) throws(Diagnostic) {
  guard index >= 0 && index < count else {
    throw Diagnostic(
      operation: "sample(at: \(index))", reason: "there is no such sample",
      facts: ["samples \(count)"], hint: "use 0..<\(count)")
  }
}
