import TarnCore

/// A layer that may be left out: what `if` makes in ``Sequential`` `{ … }`.
///
/// It has its place in the sequence in either case, so the names of what follows do not depend on the condition. Left
/// out, it passes its input on.
///
/// ```swift
/// let model = Sequential {
///   Linear(784, 128)
///   if isRegularized { Dropout(0.3) }
///   Linear(128, 10)                    // 2.weight, 2.bias
/// }
/// ```
public struct OptionalLayer<Wrapped: Layer>: Layer, CustomStringConvertible {
  /// The layer, nil if it was left out.
  public var layer: Wrapped?

  /// `layer`, or the identity for nil.
  public init(_ layer: Wrapped?) { self.layer = layer }

  public var description: String { "OptionalLayer(\(layer == nil ? "left out" : "given"))" }

  public func callAsFunction(_ x: Tensor) -> Tensor { layer.map { LayerRecorder.run($0, x) } ?? x }

  // As the layer itself, so that it adds nothing to the names of its tensors.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if let layer { try container.encode(layer) } else { try container.encodeNil() }
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    layer = container.decodeNil() ? nil : try container.decode(Wrapped.self)
  }
}

/// One layer or another: what `if`-`else` makes in ``Sequential`` `{ … }`.
///
/// ```swift
/// let model = Sequential {
///   Linear(784, 128)
///   if isSmooth { GELU() } else { PReLU() }    // 1.weight, if it has one
/// }
/// ```
public struct EitherLayer<First: Layer, Second: Layer>: Layer {
  /// Which of the two it is, and the layer itself.
  public enum Choice: Sendable { case first(First), second(Second) }
  /// Which of the two it is, and the layer itself.
  public var choice: Choice

  /// The layer that was chosen.
  public init(_ choice: Choice) { self.choice = choice }

  /// The layer if it is the first.
  public var first: First? {
    if case .first(let layer) = choice { return layer }
    return nil
  }
  /// The layer if it is the second.
  public var second: Second? {
    if case .second(let layer) = choice { return layer }
    return nil
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    switch choice {
    case .first(let layer): LayerRecorder.run(layer, x)
    case .second(let layer): LayerRecorder.run(layer, x)
    }
  }

  /// An empty key adds nothing to the names of tensors.
  private enum CodingKeys: String, CodingKey { case isFirst, layer = "" }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    switch choice {
    case .first(let layer):
      try container.encode(true, forKey: .isFirst)
      try container.encode(layer, forKey: .layer)
    case .second(let layer):
      try container.encode(false, forKey: .isFirst)
      try container.encode(layer, forKey: .layer)
    }
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    choice =
      try container.decode(Bool.self, forKey: .isFirst)
      ? .first(container.decode(First.self, forKey: .layer))
      : .second(container.decode(Second.self, forKey: .layer))
  }
}

extension SequentialBuilder {
  /// `if` makes an ``OptionalLayer``, one entry of the sequence.
  public static func buildOptional<L: Layer>(_ layers: Sequential<L>?) -> OptionalLayer<L> {
    OptionalLayer(layers?.layers)
  }
  /// Several layers in an `if` are a sequence of their own: `2.0.weight`.
  public static func buildOptional<each L: Layer>(
    _ layers: Sequential<repeat each L>?
  ) -> OptionalLayer<Sequential<repeat each L>> { OptionalLayer(layers) }

  /// `if`-`else` and `switch` make an ``EitherLayer``, one entry of the sequence.
  public static func buildEither<A: Layer, B: Layer>(first: Sequential<A>) -> EitherLayer<A, B> {
    EitherLayer(.first(first.layers))
  }
  /// As for the first branch.
  public static func buildEither<A: Layer, B: Layer>(second: Sequential<B>) -> EitherLayer<A, B> {
    EitherLayer(.second(second.layers))
  }
  /// Several layers in one branch are a sequence of their own: `2.0.weight`.
  public static func buildEither<A: Layer, B: Layer>(first: A) -> EitherLayer<A, B> {
    EitherLayer(.first(first))
  }
  /// As for the first branch.
  public static func buildEither<A: Layer, B: Layer>(second: B) -> EitherLayer<A, B> {
    EitherLayer(.second(second))
  }
}
