/// An n-dimensional array of numbers: an immutable value that can be copied, sent and shared freely.
///
/// Operations are recorded and run when a value is needed (reading, printing, ``evaluate()``), so that they
/// can be simplified, fused and planned together.
///
/// ```swift
/// let x = Tensor([[1, 2], [3, 4]] as [[Float]])
/// let y = (x.matmul(x) + 1).relu().sum()
/// print(y)
/// ```
public struct Tensor: Sendable {
  package let node: Node

  package init(_ node: Node) { self.node = node }

  /// Length of each axis. A scalar's is empty.
  public var shape: [Int] { node.shape }
  /// Number of axes.
  public var rank: Int { node.shape.count }
  /// Number of elements.
  public var count: Int { node.shape.product }
  /// The type of its elements.
  public var dtype: DType { node.dtype }
  /// Where its elements live.
  public var device: Device { node.device }
}

extension Tensor {
  /// Records one primitive. The caller has checked shapes and dtypes.
  package static func record(_ op: Op, _ inputs: [Tensor], _ shape: [Int], _ dtype: DType) -> Tensor
  {
    guard let first = inputs.first else {
      return Tensor(Node(op, nil, nil, shape: shape, dtype: dtype, device: .current, trace: nil))
    }
    var trace = first.node.trace
    for input in inputs.dropFirst() {
      trace = Trace.outer(trace, input.node.trace)
      if input.device != first.device { reportMixedDevices(first, input) }
    }
    return Tensor(
      Node(op, inputs.map(\.node), shape: shape, dtype: dtype, device: first.device, trace: trace))
  }

  /// As ``record(_:_:_:_:)-(_,[Tensor],_,_)`` for the commonest arity.
  package static func record(_ op: Op, _ x: Tensor, _ shape: [Int], _ dtype: DType) -> Tensor {
    Tensor(
      Node(op, x.node, nil, shape: shape, dtype: dtype, device: x.device, trace: x.node.trace))
  }

  /// As ``record(_:_:_:_:)-(_,[Tensor],_,_)`` for two operands.
  package static func record(_ op: Op, _ x: Tensor, _ y: Tensor, _ shape: [Int], _ dtype: DType)
    -> Tensor
  {
    if x.device != y.device { reportMixedDevices(x, y) }
    return Tensor(
      Node(
        op, x.node, y.node, shape: shape, dtype: dtype, device: x.device,
        trace: Trace.outer(x.node.trace, y.node.trace)))
  }

  private static func reportMixedDevices(_ x: Tensor, _ y: Tensor) {
    Diagnostic.report(
      Diagnostic(
        operation: "operation on two devices", reason: "tensors must live on one device",
        facts: ["one   \(x.shape) on \(x.device)", "other \(y.shape) on \(y.device)"],
        hint: "make both inside the same Device.with(…) { }"))
  }
}
