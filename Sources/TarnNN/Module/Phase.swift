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

/// Hands out random keys: the n-th is always the same for one starting key.
public final class RandomSource: Sendable {
  private let key: RandomKey
  private let count = Lock(0)

  public init(_ key: RandomKey) { self.key = key }

  /// A key that was not handed out before.
  public func next() -> RandomKey {
    let number = count.withLock { count in
      defer { count += 1 }
      return count
    }
    return key.folded(in: number)
  }
}
