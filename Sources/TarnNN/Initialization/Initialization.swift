import TarnCore

/// What decides the random numbers that new layers start with.
///
/// A layer that is given a `key` starts from that key, wherever it is made. A layer without one takes the next key of the
/// scope it is made in: layer after layer, keys 0, 1, 2, … of the scope's seed. So the seed decides all of it, on
/// every machine and backend; nothing depends on the time or on what ran before:
///
/// ```swift
/// let model = Initialization.seeded(7) { LeNet() }         // the same each time
/// let layer = Linear(784, 10, key: RandomKey(seed: 7))     // the same each time, in any scope
/// ```
///
/// Outside of a scope the keys come from one source that starts at seed 0 with the program: the same program makes the same
/// models, but another layer made before changes the next. Where models are made on several tasks at
/// once, give each its own scope, as the order of the calls is then not fixed.
///
/// What is drawn while a model trains, as by ``Dropout``, has nothing to do with it: see ``Phase/training(key:_:)``.
public enum Initialization {
  private enum Source: Sendable {
    case keys(RandomSource)
    case zeros
  }

  @TaskLocal private static var source: Source?
  private static let unscoped = RandomSource(seed: 0)

  /// Layers made in `body` draw from `seed`. A scope inside another starts anew from its own seed.
  public static func seeded<Result>(_ seed: UInt64, _ body: () throws -> Result) rethrows -> Result
  {
    try $source.withValue(.keys(RandomSource(seed: seed)), operation: body)
  }

  /// Layers made in `body` draw from `key`, as ``seeded(_:_:)`` from a seed: for a part of a model, whose key was split off.
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
