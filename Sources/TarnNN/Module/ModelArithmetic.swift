import TarnCore

/// Models as vectors. Everything here works on parameters; buffers and configuration come from the left operand.
extension Module {
  /// Parameter by parameter.
  public static func + (a: Self, b: Self) -> Self { a.combined(with: b, "+") { $0 + $1 } }
  /// Parameter by parameter.
  public static func - (a: Self, b: Self) -> Self { a.combined(with: b, "-") { $0 - $1 } }
  /// Parameter by parameter.
  public static prefix func - (a: Self) -> Self { a.mapTensors { -$0 } }

  /// Every parameter times a number.
  public static func * (a: Self, s: some ScalarConvertible) -> Self { a.mapTensors { $0 * s } }
  /// Every parameter times a number.
  public static func * (s: some ScalarConvertible, a: Self) -> Self { a.mapTensors { $0 * s } }
  /// Every parameter divided by a number.
  public static func / (a: Self, s: some ScalarConvertible) -> Self { a.mapTensors { $0 / s } }
  /// By a scalar tensor, as a step length that was computed.
  public static func * (s: Tensor, a: Self) -> Self { a.mapTensors { $0 * s.cast(to: $0.dtype) } }

  /// Parameter by parameter.
  public static func += (a: inout Self, b: Self) { a = a + b }
  /// Parameter by parameter.
  public static func -= (a: inout Self, b: Self) { a = a - b }

  /// Length of all parameters as one vector, √Σ w². A scalar.
  public func norm() -> Tensor { dot(self, self).sqrt() }

  /// Two models of one structure, parameter by parameter.
  ///
  /// Parameters are paired in lasting order, which for dictionaries is that of the keys.
  public func combined(
    with other: Self, _ operation: String = "combined(with:)", _ combine: (Tensor, Tensor) -> Tensor
  ) -> Self {
    let (left, right) = (tensors(.trainable), other.tensors(.trainable))
    guard left.count == right.count, zip(left, right).allSatisfy({ $0.shape == $1.shape }) else {
      return Diagnostic.report(mismatch(with: other, operation), giving: self)
    }
    return replacing(.trainable, with: zip(left, right).map(combine))
  }

  private func mismatch(with other: Self, _ operation: String) -> Diagnostic {
    let (left, right) = (parameters, other.parameters)
    let odd = zip(left, right).first { $0.tensor.shape != $1.tensor.shape }
    let facts =
      odd.map { ["left  \($0.name) \($0.tensor.shape)", "right \($1.name) \($1.tensor.shape)"] }
      ?? ["left  \(left.count) parameters", "right \(right.count) parameters"]
    return Diagnostic(
      operation: "\(Self.self) \(operation) \(Self.self)",
      reason: "the two have different parameters",
      facts: facts)
  }
}

/// Σ aᵢ bᵢ over all parameters of two values of one structure. A scalar.
public func dot<Tree: TensorTree>(_ a: Tree, _ b: Tree) -> Tensor {
  let terms = zip(a.tensors(.trainable), b.tensors(.trainable)).map { ($0 * $1).sum() }
  return terms.dropFirst().reduce(terms.first ?? Tensor(0.0)) { $0 + $1 }
}
