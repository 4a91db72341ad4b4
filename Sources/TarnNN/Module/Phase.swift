import TarnCore

/// Whether layers train or answer: dropout drops and batch normalisation uses the batch's statistics only in training.
///
/// It is a task-local setting, inference unless a scope says otherwise:
///
/// ```swift
/// let y = model(x)                                     // inference
/// let z = Phase.training(key: RandomKey(seed: 1)) { model(x) }
/// ```
public enum Phase: Sendable {
  case inference
  case training(RandomSource)

  @TaskLocal package static var chosen: Phase = .inference

  /// The phase of the enclosing scope.
  public static var current: Phase { chosen }

  /// Whether layers train.
  public var isTraining: Bool {
    if case .training = self { return true }
    return false
  }

  /// Runs `body` in training. Layers that draw random numbers get keys derived from `key`, in the order of their calls.
  public static func training<Result>(
    key: RandomKey, _ body: () throws -> Result
  ) rethrows -> Result {
    try $chosen.withValue(.training(RandomSource(key))) { try body() }
  }

  /// Runs `body` in inference, also inside a training scope.
  public static func inference<Result>(_ body: () throws -> Result) rethrows -> Result {
    try $chosen.withValue(.inference) { try body() }
  }
}

/// Hands out random keys: the n-th is always the same for one start.
public final class RandomSource: Sendable {
  private enum Start: Sendable {
    case key(RandomKey)
    /// Made a key where it is used, on that scope's device.
    case seed(UInt64)
  }
  private let start: Start
  private let count = Lock(0)

  /// Keys derived from `key`.
  public init(_ key: RandomKey) { start = .key(key) }
  /// Keys derived from a seed.
  public init(seed: UInt64) { start = .seed(seed) }

  /// A key that was not handed out before.
  public func next() -> RandomKey {
    let number = count.withLock { count in
      defer { count += 1 }
      return count
    }
    switch start {
    case .key(let key): return key.folded(in: number)
    case .seed(let seed): return RandomKey(seed: seed).folded(in: number)
    }
  }
}
