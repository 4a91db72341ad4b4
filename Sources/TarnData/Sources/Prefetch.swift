import Foundation
import TarnCore

/// Batches made ahead of time by background threads, in order.
///
/// At most `depth` batches are ready or being made at any time: the threads wait for a consumer
/// that is slower than they are. An error comes out in the place of its batch and ends the
/// sequence. When the last reference goes, or at ``cancel()``, the threads stop after the batch
/// they are at.
///
/// ```swift
/// for try await batch in batches.epoch(0).prefetched(depth: 4, workers: 2) { … }
/// ```
public final class Prefetched<Output: Sendable>: AsyncSequence, AsyncIteratorProtocol, Sendable {
  public typealias Element = Output

  private let queue: PrefetchQueue<Output>
  private let plan: EpochPlan<Output>

  init(_ epoch: Epoch<Output>, depth: Int, workers: Int) {
    plan = epoch.plan
    let depth = Swift.max(1, depth)
    queue = PrefetchQueue(plan: epoch.plan, first: epoch.step, depth: depth)
    let device = Device.current
    for _ in 0..<Swift.min(depth, Swift.max(1, workers), epoch.remaining) {
      // The thread holds the queue, not this object, whose end is what stops it.
      queue.startWorker(on: device)
    }
  }

  deinit { queue.stop() }

  /// Batches still to come.
  public var remaining: Int { plan.remaining(from: queue.taken) }

  /// The batch that comes next; at the end, the first of the next epoch.
  public var position: DataPosition {
    remaining > 0
      ? DataPosition(epoch: plan.epoch, step: queue.taken) : DataPosition(epoch: plan.epoch + 1)
  }

  /// The next batch, or nil at the end. Blocks the calling thread until it is ready.
  @available(*, noasync, message: "use `for try await`, or `await nextBatch()`")
  public func next() throws -> Output? {
    try queue.take()
  }

  /// The next batch, or nil at the end. Suspends the calling task until it is ready.
  public func nextBatch() async throws -> Output? {
    try await queue.takeWhenReady()
  }

  /// The next batch, or nil at the end. Suspends the calling task until it is ready.
  public func next(isolation actor: isolated (any Actor)?) async throws -> Output? {
    try await queue.takeWhenReady()
  }

  /// Calls `body` with each remaining batch, on the calling thread.
  @available(*, noasync, message: "use `for try await`")
  public func forEach(_ body: (Output) throws -> Void) throws {
    while let batch = try queue.take() { try body(batch) }
  }

  /// Stops the threads, and waits until they have. Nothing more comes.
  @available(*, noasync, message: "let go of the object instead")
  public func cancel() {
    queue.stop()
    queue.waitForWorkers()
  }

  public func makeAsyncIterator() -> Prefetched<Output> { self }
}

extension Epoch {
  /// The same batches made ahead of time by background threads.
  /// - Parameters:
  ///   - depth: the most batches ready or being made at once.
  ///   - workers: threads that make them.
  public func prefetched(depth: Int = 2, workers: Int = 1) -> Prefetched<Output> {
    Prefetched(self, depth: depth, workers: workers)
  }
}

/// What the threads and the consumer share.
final class PrefetchQueue<Output: Sendable>: Sendable {
  private struct State {
    /// The next batch that nobody has begun.
    var claimed: Int
    /// The next batch the consumer gets.
    var taken: Int
    var ready: [Int: Result<Output, any Error>] = [:]
    var isStopped = false
    var workers = 0
    /// A task that waits for batch `taken`.
    var waiting: CheckedContinuation<Output?, any Error>?
  }

  private let plan: EpochPlan<Output>
  private let depth: Int
  private let monitor: Monitor<State>

  init(plan: EpochPlan<Output>, first: Int, depth: Int) {
    (self.plan, self.depth) = (plan, depth)
    monitor = Monitor(State(claimed: first, taken: first))
  }

  var taken: Int { monitor.withState { $0.taken } }

  func startWorker(on device: Device) {
    monitor.withState { $0.workers += 1 }
    let thread = Thread { [self] in
      Device.with(device) { work() }
      monitor.withState { $0.workers -= 1 }
    }
    thread.name = "tarn.prefetch"
    thread.stackSize = 8 << 20
    thread.start()
  }

  private func work() {
    while let step = claim() {
      deposit(step, Result { try Diagnostic.catching { try plan.batch(at: step) } })
    }
  }

  /// The next batch to make, once there is room for it; nil when there are no more.
  private func claim() -> Int? {
    monitor.wait { state -> Int?? in
      if state.isStopped || state.claimed >= plan.count { return .some(nil) }
      guard state.claimed < state.taken + depth else { return nil }
      defer { state.claimed += 1 }
      return .some(state.claimed)
    }
  }

  private func deposit(_ step: Int, _ result: Result<Output, any Error>) {
    let wake = monitor.withState { state -> (() -> Void)? in
      guard !state.isStopped else { return nil }
      state.ready[step] = result
      guard let waiting = state.waiting, let taken = take(&state) else { return nil }
      state.waiting = nil
      return { waiting.resume(with: taken) }
    }
    wake?()
  }

  /// What the consumer gets now, or nil if it must wait.
  private func take(_ state: inout State) -> Result<Output?, any Error>? {
    if state.isStopped || state.taken >= plan.count { return .success(nil) }
    guard let result = state.ready.removeValue(forKey: state.taken) else { return nil }
    state.taken += 1
    if case .failure = result { state.isStopped = true }
    return result.map(Optional.some)
  }

  func take() throws -> Output? {
    try monitor.wait { take(&$0) }.get()
  }

  func takeWhenReady() async throws -> Output? {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let now = monitor.withState { state -> Result<Output?, any Error>? in
          if Task.isCancelled { return .failure(CancellationError()) }
          if let result = take(&state) { return result }
          guard state.waiting == nil else { return .failure(Self.twoConsumers) }
          state.waiting = continuation
          return nil
        }
        if let now { continuation.resume(with: now) }
      }
    } onCancel: {
      wakeWaiting(throwing: CancellationError())
    }
  }

  func stop() {
    monitor.withState {
      $0.isStopped = true
      $0.ready = [:]
    }
    wakeWaiting(throwing: nil)
  }

  func waitForWorkers() {
    monitor.wait { $0.workers == 0 ? () : nil }
  }

  private func wakeWaiting(throwing error: (any Error)?) {
    let waiting = monitor.withState { state in
      defer { state.waiting = nil }
      return state.waiting
    }
    if let error { waiting?.resume(throwing: error) } else { waiting?.resume(returning: nil) }
  }

  private static var twoConsumers: Diagnostic {
    Diagnostic(
      operation: "prefetched", reason: "two tasks wait for the same sequence",
      hint: "give each task its own prefetched()")
  }
}
