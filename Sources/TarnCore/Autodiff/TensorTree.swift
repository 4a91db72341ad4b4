/// Which tensors of a structure are meant.
public enum LeafKind: Sendable {
  /// Every tensor, statistics and integers included.
  case all
  /// Those a derivative is taken with respect to.
  case trainable
}

/// A value made of tensors: what functions can be differentiated, batched and compiled over.
///
/// A tensor is one, so are arrays of them, ``Pair``, and every module. A derivative has the type of what
/// it was taken with respect to.
public protocol TensorTree: Sendable {
  /// Its tensors, always in the same order.
  func tensors(_ kind: LeafKind) -> [Tensor]
  /// The same structure with other tensors, given in the order of ``tensors(_:)``.
  func replacing(_ kind: LeafKind, with tensors: [Tensor]) -> Self
}

extension Tensor: TensorTree {
  public func tensors(_ kind: LeafKind) -> [Tensor] {
    kind == .all || dtype.isFloating ? [self] : []
  }
  public func replacing(_ kind: LeafKind, with tensors: [Tensor]) -> Tensor {
    tensors.first ?? self
  }
}

extension Array: TensorTree where Element: TensorTree {
  public func tensors(_ kind: LeafKind) -> [Tensor] {
    // A conditional cast would look at every element.
    if kind == .all, Element.self == Tensor.self { return unsafeBitCast(self, to: [Tensor].self) }
    return flatMap { $0.tensors(kind) }
  }
  public func replacing(_ kind: LeafKind, with tensors: [Tensor]) -> [Element] {
    if kind == .all, tensors.count == count, Element.self == Tensor.self {
      return unsafeBitCast(tensors, to: [Element].self)
    }
    var rest = tensors[...]
    return map { element in
      let count = element.tensors(kind).count
      defer { rest = rest.dropFirst(count) }
      return element.replacing(kind, with: [Tensor](rest.prefix(count)))
    }
  }
}

extension Optional: TensorTree where Wrapped: TensorTree {
  public func tensors(_ kind: LeafKind) -> [Tensor] { self?.tensors(kind) ?? [] }
  public func replacing(_ kind: LeafKind, with tensors: [Tensor]) -> Wrapped? {
    map { $0.replacing(kind, with: tensors) }
  }
}

/// Two values side by side, e.g. a model and a batch.
public struct Pair<First: TensorTree, Second: TensorTree>: TensorTree {
  /// The first of the two; its tensors come first.
  public var first: First
  /// The second of the two.
  public var second: Second

  /// The two side by side.
  public init(_ first: First, _ second: Second) { (self.first, self.second) = (first, second) }

  public func tensors(_ kind: LeafKind) -> [Tensor] { first.tensors(kind) + second.tensors(kind) }
  public func replacing(_ kind: LeafKind, with tensors: [Tensor]) -> Pair {
    let count = first.tensors(kind).count
    return Pair(
      first.replacing(kind, with: Array(tensors.prefix(count))),
      second.replacing(kind, with: Array(tensors.dropFirst(count))))
  }
}

extension TensorTree {
  /// The same structure with `transform` applied to the tensors of a kind.
  public func mapTensors(_ kind: LeafKind = .trainable, _ transform: (Tensor) throws -> Tensor)
    rethrows -> Self
  {
    replacing(kind, with: try tensors(kind).map(transform))
  }

  /// Zeros everywhere.
  public var zeroed: Self {
    mapTensors(.all) {
      Tensor(
        Node(
          .full(.integer(0)), nil, nil, shape: $0.shape, dtype: $0.dtype, device: $0.device,
          trace: nil))
    }
  }

  /// Computes everything in it now, in one plan.
  @discardableResult public func evaluated() -> Self {
    Tensor.evaluate(tensors(.all))
    return self
  }
}
