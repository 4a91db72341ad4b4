import TarnCore

/// A place in the run through the data: the batch that comes next. Stored with a checkpoint, it
/// takes a run up again with exactly the batches it would have had.
public struct DataPosition: Codable, Hashable, Sendable {
  public var epoch: Int
  /// Batches of this epoch that are done.
  public var step: Int

  public init(epoch: Int = 0, step: Int = 0) {
    (self.epoch, self.step) = (epoch, step)
  }
}

/// A source cut into batches, epoch by epoch.
///
/// ```swift
/// let batches = source.batched(32, sampler: .shuffled(seed: 1))
/// for try await batch in batches.epoch(0) { … }          // in an asynchronous function
/// try batches.epoch(1, from: 20).forEach { batch in … }  // or not
/// ```
public struct Batches<Output: Sendable>: Sendable {
  /// Samples in a batch; the last may have fewer.
  public let size: Int
  /// Whether a last batch that is not full is left out.
  public let dropLast: Bool
  public let sampler: any Sampler
  /// Samples in the source.
  public let sampleCount: Int
  private let make: @Sendable ([Int], Int) throws -> Output

  init(
    size: Int, dropLast: Bool, sampler: any Sampler, sampleCount: Int,
    make: @escaping @Sendable ([Int], Int) throws -> Output
  ) {
    if size < 1 {
      Diagnostic.report(
        Diagnostic(
          operation: "batched(\(size))", reason: "a batch has one sample at least",
          hint: "batched(32)"))
    }
    (self.size, self.dropLast, self.sampler) = (max(size, 1), dropLast, sampler)
    (self.sampleCount, self.make) = (sampleCount, make)
  }

  /// Number of batches in an epoch.
  public var stepsPerEpoch: Int { plan(0).count }

  /// The batches of one epoch.
  /// - Parameter step: how many of them to pass over, for taking a run up again.
  public func epoch(_ epoch: Int, from step: Int = 0) -> Epoch<Output> {
    Epoch(plan: plan(epoch), step: max(0, step))
  }

  /// The batches left in the epoch of a stored position.
  public func epoch(at position: DataPosition) -> Epoch<Output> {
    epoch(position.epoch, from: position.step)
  }

  /// Each batch passed through `transform`, such as augmentation that works on whole batches.
  public func map<New: Sendable>(
    _ transform: @escaping @Sendable (Output) throws -> New
  ) -> Batches<New> {
    Batches<New>(
      size: size, dropLast: dropLast, sampler: sampler, sampleCount: sampleCount
    ) { [make] in try transform(make($0, $1)) }
  }

  func plan(_ epoch: Int) -> EpochPlan<Output> {
    EpochPlan(
      epoch: epoch, indices: sampler.indices(count: sampleCount, epoch: epoch), size: size,
      dropLast: dropLast, make: make)
  }
}

/// What one epoch visits, and how its batches are made.
struct EpochPlan<Output: Sendable>: Sendable {
  let epoch: Int
  let indices: [Int]
  let size: Int
  let dropLast: Bool
  let make: @Sendable ([Int], Int) throws -> Output

  /// Number of batches.
  var count: Int { indices.count / size + (dropLast || indices.count % size == 0 ? 0 : 1) }

  /// The places in the source that a batch is made of.
  func places(_ step: Int) -> [Int] {
    Array(indices[(step * size)..<min((step + 1) * size, indices.count)])
  }

  func batch(at step: Int) throws -> Output {
    try make(places(step), epoch)
  }

  /// Batches from `step` to the end.
  func remaining(from step: Int) -> Int { max(0, count - step) }
}

/// The batches of one epoch, one after another: by `next()`, by `forEach`, or by `for try await`.
public struct Epoch<Output: Sendable>: AsyncSequence, AsyncIteratorProtocol, Sendable {
  public typealias Element = Output

  let plan: EpochPlan<Output>
  private(set) var step: Int

  init(plan: EpochPlan<Output>, step: Int) {
    (self.plan, self.step) = (plan, step)
  }

  /// Batches in the whole epoch.
  public var count: Int { plan.count }
  /// Batches still to come.
  public var remaining: Int { plan.remaining(from: step) }
  /// The batch that comes next; at the end, the first of the next epoch.
  public var position: DataPosition {
    remaining > 0
      ? DataPosition(epoch: plan.epoch, step: step) : DataPosition(epoch: plan.epoch + 1)
  }

  /// The places in the source that each remaining batch is made of.
  public var indices: [[Int]] {
    (0..<remaining).map { plan.places(step + $0) }
  }

  /// The next batch, or nil at the end.
  public mutating func next() throws -> Output? {
    guard step < plan.count else { return nil }
    defer { step += 1 }
    return try plan.batch(at: step)
  }

  /// Calls `body` with each remaining batch.
  public func forEach(_ body: (Output) throws -> Void) throws {
    var rest = self
    while let batch = try rest.next() { try body(batch) }
  }

  public func makeAsyncIterator() -> Epoch<Output> { self }
}

extension Source {
  /// Cuts the source into batches made by `collate` from their samples.
  public func batched<Output: Sendable>(
    _ size: Int, sampler: any Sampler = .sequential, dropLast: Bool = false,
    collate: @escaping @Sendable ([Sample]) throws -> Output
  ) -> Batches<Output> {
    Batches(size: size, dropLast: dropLast, sampler: sampler, sampleCount: count) {
      try collate(samples(at: $0, epoch: $1))
    }
  }
}

extension BatchSource {
  /// Cuts the source into batches, gathered at once.
  @_disfavoredOverload
  public func batched(
    _ size: Int, sampler: any Sampler = .sequential, dropLast: Bool = false
  ) -> Batches<Batch> {
    Batches(size: size, dropLast: dropLast, sampler: sampler, sampleCount: count) {
      try batch(at: $0, epoch: $1)
    }
  }
}

extension Source where Sample == Tensor {
  /// Cuts the source into batches, [n, ...], of its samples, [...]; gathered at once where the
  /// source can.
  public func batched(
    _ size: Int, sampler: any Sampler = .sequential, dropLast: Bool = false
  ) -> Batches<Tensor> {
    let gathering = self as? any BatchSource<Tensor>
    return Batches(size: size, dropLast: dropLast, sampler: sampler, sampleCount: count) {
      try gathering?.batch(at: $0, epoch: $1) ?? stacked(samples(at: $0, epoch: $1))
    }
  }
}

extension Source where Sample == Example {
  /// Cuts the source into batches of its examples; gathered at once where the source can.
  public func batched(
    _ size: Int, sampler: any Sampler = .sequential, dropLast: Bool = false
  ) -> Batches<Batch> {
    let gathering = self as? any BatchSource<Batch>
    return Batches(size: size, dropLast: dropLast, sampler: sampler, sampleCount: count) {
      if let gathering { return try gathering.batch(at: $0, epoch: $1) }
      let examples = try samples(at: $0, epoch: $1)
      return Batch(
        features: try stacked(examples.map(\.features)), labels: try stacked(examples.map(\.label)))
    }
  }
}

/// Tensors of one shape, [...], put together along a new first axis, [n, ...], on the host.
package func stacked(_ samples: [Tensor]) throws -> Tensor {
  guard let first = samples.first else { return Tensor.zeros([0]) }
  var bytes: [UInt8] = []
  bytes.reserveCapacity(samples.count * first.count * first.dtype.byteCount)
  for (i, sample) in samples.enumerated() {
    guard sample.shape == first.shape && sample.dtype == first.dtype else {
      throw Diagnostic(
        operation: "batched", reason: "the samples of a batch must have one shape and type",
        facts: [
          "sample 0 \(first.shape) \(first.dtype)", "sample \(i) \(sample.shape) \(sample.dtype)",
        ], hint: "resize or pad them with map, or give batched a collate function")
    }
    bytes += sample.bytes()
  }
  return bytes.withUnsafeBytes {
    Tensor(bytes: $0, shape: [samples.count] + first.shape, dtype: first.dtype)
  }
}
