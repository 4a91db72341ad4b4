import TarnCore

/// Layers one after another, named by their index as PyTorch's: `0.weight`, `2.bias`, ….
///
/// Each keeps its own type, so its fields are at hand:
///
/// ```swift
/// var model = Sequential {
///   Conv2d(1, 6, kernel: 5, padding: 2); ReLU(); MaxPool2d(2)
///   Flatten(); Linear(1176, 10)
/// }
/// model.layers.4.weight.shape                                  // [10, 1176]
/// model = model.mapParameters { $0 == "4.bias" ? .zeros(like: $1) : $1 }
/// ```
///
/// In the braces, `if`, `if`-`else`, `switch` and `for` each make one entry: an ``OptionalLayer``, an ``EitherLayer``, a
/// ``Chain``.
///
/// Of a sequence of one layer, `layers` is that layer, as Swift has no tuple of one: `one.layers.weight`.
public struct Sequential<each L: Layer>: Layer {
  // Not open to change: the compiler (Swift 6.3) crashes where one element of such a stored tuple is used in place.
  private let stored: (repeat each L)

  /// The layers as a tuple, to look at. For other ones make another sequence: `let (body, _) = model.layers`, then
  /// `Sequential(body, Linear(128, 5))`.
  public var layers: (repeat each L) { stored }

  /// The layers in the order they run.
  public init(_ layers: repeat each L) { stored = (repeat each layers) }
  /// The layers in the order of the lines in braces.
  public init(@SequentialBuilder _ build: () -> Sequential<repeat each L>) { self = build() }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let base = LayerRecorder.current?.enter(self)
    var y = x
    var index = 0
    for layer in repeat each stored {
      y = LayerRecorder.run(layer, y, at: base, index)
      index += 1
    }
    return y
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.unkeyedContainer()
    for layer in repeat each stored { try container.encode(layer) }
  }

  public init(from decoder: any Decoder) throws {
    var container = try decoder.unkeyedContainer()
    stored = (repeat try container.decode((each L).self))
  }
}

/// Collects the lines of `Sequential { … }`.
@resultBuilder
public enum SequentialBuilder {
  /// Each line is an entry of the sequence.
  public static func buildBlock<each L: Layer>(_ layers: repeat each L) -> Sequential<repeat each L>
  {
    Sequential(repeat each layers)
  }
  /// `for` makes a ``Chain``, one entry of the sequence.
  public static func buildArray<L: Layer>(_ layers: [Sequential<L>]) -> Chain<L> {
    Chain(layers.map { $0.layers })
  }
}

/// Layers of one type one after another, named by their index. Their number need not be known beforehand.
///
/// ```swift
/// let blocks = Chain((0..<12).map { _ in Block(width: 384) })
/// ```
public struct Chain<L: Layer>: Layer {
  /// The layers in the order they run.
  public var layers: [L]

  /// The layers in the order they run.
  public init(_ layers: [L]) { self.layers = layers }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let base = LayerRecorder.current?.enter(self)
    return layers.enumerated().reduce(x) { y, entry in
      LayerRecorder.run(entry.element, y, at: base, entry.offset)
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.unkeyedContainer()
    for layer in layers { try container.encode(layer) }
  }

  public init(from decoder: any Decoder) throws {
    var container = try decoder.unkeyedContainer()
    layers = []
    while !container.isAtEnd { layers.append(try container.decode(L.self)) }
  }
}

/// activation(body(x) + shortcut(x)) (He et al., 2015).
///
/// ```swift
/// let block = Residual(Sequential { Conv2d(64, 64, kernel: 3, padding: 1); ReLU() })
/// let down = Residual(body, shortcut: Conv2d(64, 128, kernel: 1, stride: 2), activation: .relu)
/// ```
public struct Residual<Body: Layer, Shortcut: Layer>: Layer {
  /// What is learnt on top of the shortcut.
  public var body: Body
  /// What the input passes through beside the body.
  public var shortcut: Shortcut
  /// Applied to the sum.
  public var activation: Activation

  /// Body and shortcut must give one shape; a forward pass reports it if they do not.
  public init(_ body: Body, shortcut: Shortcut, activation: Activation = .identity) {
    (self.body, self.shortcut, self.activation) = (body, shortcut, activation)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    let (y, passed) = (body(x), shortcut(x))
    guard y.shape == passed.shape else {
      return Diagnostic.report(
        Diagnostic(
          operation: "Residual", reason: "body and shortcut must give one shape",
          facts: ["input    \(x.shape)", "body     \(y.shape)", "shortcut \(passed.shape)"],
          hint: "give it a shortcut that changes channels and stride as the body does"),
        poison: y.shape, y.dtype)
    }
    return activation(y + passed)
  }
}

extension Residual where Shortcut == Identity {
  /// With the input itself as the shortcut.
  public init(_ body: Body, activation: Activation = .identity) {
    self.init(body, shortcut: Identity(), activation: activation)
  }
}
