import TarnCore

/// Where new layers take their random numbers from when they are not given a key.
///
/// Each layer made takes the next key of the enclosing scope; outside of one, of a source that starts from seed 0 with the
/// program. So the same program makes the same models. Where models are made on several tasks at once, give
/// each its own scope, as the order of the calls is then not fixed.
///
/// ```swift
/// let model = Initialization.seeded(7) { LeNet() }
/// ```
public enum Initialization {
  private enum Source: Sendable {
    case keys(RandomSource)
    case zeros
  }

  @TaskLocal private static var source: Source?
  private static let unscoped = RandomSource(seed: 0)

  /// Layers made in `body` draw from `seed`.
  public static func seeded<Result>(_ seed: UInt64, _ body: () throws -> Result) rethrows -> Result
  {
    try $source.withValue(.keys(RandomSource(seed: seed)), operation: body)
  }

  /// Layers made in `body` draw from `key`.
  public static func with<Result>(key: RandomKey, _ body: () throws -> Result) rethrows -> Result {
    try $source.withValue(.keys(RandomSource(key)), operation: body)
  }

  /// Parameters made in `body` are zeros, at no cost, keys or no keys: for a model whose weights come from a file.
  public static func skipped<Result>(_ body: () throws -> Result) rethrows -> Result {
    try $source.withValue(.zeros, operation: body)
  }

  /// The key given, else the next of the scope; nil where nothing random is wanted.
  static func key(given key: RandomKey?) -> RandomKey? {
    switch source {
    case .zeros: nil
    case .keys(let keys): key ?? keys.next()
    case nil: key ?? unscoped.next()
    }
  }
}

/// The keys for the parameters of one layer.
struct ParameterMaker {
  private let key: RandomKey?

  /// From the key given to the layer, else the scope's next.
  init(_ key: RandomKey?) { self.key = Initialization.key(given: key) }

  /// The layer's `number`-th parameter.
  func callAsFunction(_ number: Int, _ initializer: Initializer, _ shape: [Int]) -> Tensor {
    guard let key else { return .zeros(shape) }
    return initializer.tensor(shape, key: key.folded(in: number))
  }
}
