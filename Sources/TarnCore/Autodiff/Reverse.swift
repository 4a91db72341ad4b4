/// Gradients of `results` (weighted by `seeds`) for each source; nil where nothing depends on it.
///
/// Adjoints are recorded with ordinary operations, so they can be differentiated again.
func adjoints(of results: [Tensor], seeds: [Tensor], for sources: [Tensor]) -> [Tensor?] {
  let lineage = Lineage(from: sources.map(\.node), to: results.map(\.node))
  var adjoints = [Tensor?](repeating: nil, count: lineage.nodes.count)
  func add(_ gradient: Tensor, at index: Int) {
    adjoints[index] = adjoints[index].map { $0 + gradient } ?? gradient
  }
  for (result, seed) in zip(results, seeds) {
    if let index = lineage.index(of: result.node) { add(seed, at: index) }
  }
  let first = Set(sources.map { ObjectIdentifier($0.node) }).count
  for index in stride(from: lineage.nodes.count - 1, through: first, by: -1) {
    guard let g = adjoints[index] else { continue }
    adjoints[index] = nil
    let node = lineage.nodes[index]
    let inputs = node.inputs
    let gradients = node.op.rule.vjp(node.op, inputs.map(Tensor.init), Tensor(node), g)
    if LayerLabels.isActive { LayerLabels.mark(adjoints: gradients, of: node) }
    for (input, gradient) in zip(inputs, gradients) {
      guard let gradient, input.dtype.isFloating, let place = lineage.index(of: input) else {
        continue
      }
      add(gradient, at: place)
    }
  }
  return sources.map { lineage.index(of: $0.node).flatMap { adjoints[$0] } }
}

/// A trace that lasts as long as someone holds it.
final class OpenTrace: Sendable {
  let trace: Trace
  init(_ trace: Trace) { self.trace = trace }
  deinit { trace.end() }
}

/// The value of `f` at `x` and its pullback: u ↦ uᵀ ∂f/∂x.
///
/// - Parameters:
///   - f: any function of tensors; it is recorded once.
///   - x: where to differentiate.
/// - Returns: `value` = f(x), and `pullback`, which takes a tensor of `value`'s shape and gives a value of `x`'s own
///   type: gradients at its trainable tensors, zeros elsewhere. A seed of another shape is reported, and so is a call after
///   a derivative around this one has ended.
///
/// ```swift
/// let (y, pullback) = vjp({ $0.sin() }, at: x)
/// let g = pullback(.ones(like: y))        // cos(x)
/// ```
public func vjp<X: TensorTree>(
  _ f: (X) throws -> Tensor, at x: X
) rethrows -> (value: Tensor, pullback: @Sendable (Tensor) -> X) {
  let open = OpenTrace(Trace(depth: Trace.currentDepth + 1))
  let leaves = x.tensors(.trainable)
  let variables = leaves.map { $0.variable(in: open.trace) }
  let value = try Trace.$currentDepth.withValue(open.trace.depth) {
    try f(x.replacing(.trainable, with: variables))
  }
  // Its nodes keep their inputs as long as the outermost trace they were recorded in, which may not be `open`.
  let lasting = value.node.trace.flatMap { $0.isActive ? $0 : nil }
  return (
    value,
    { seed in
      withExtendedLifetime(open) {
        guard lasting?.isActive != false else {
          return Diagnostic.report(
            Diagnostic(
              operation: "pullback", reason: "the derivative it was made in has ended",
              hint: "call it inside, or take it outside of grad, jvp and vmap"),
            giving: x.zeroed)
        }
        guard seed.shape == value.shape else {
          return Diagnostic.report(
            Diagnostic(
              operation: "pullback", reason: "the seed must have the shape of the value",
              facts: ["value \(value.shape)", "seed  \(seed.shape)"]),
            giving: x.zeroed)
        }
        let gradients = adjoints(of: [value], seeds: [seed], for: variables)
        return x.zeroed.replacing(
          .trainable, with: zip(gradients, leaves).map { $0 ?? Tensor.full(like: $1, 0) })
      }
    }
  )
}

/// The gradient of a scalar function: ∂f/∂x, in `x`'s own type.
///
/// `f` must return one floating element. Tensors of `x` that are not trainable get zeros.
///
/// ```swift
/// let g = grad({ ($0 * $0).sum() }, at: x)     // 2x
/// ```
public func grad<X: TensorTree>(_ f: (X) throws -> Tensor, at x: X) rethrows -> X {
  try valueAndGrad(f, at: x).gradient
}

/// The value of a scalar function and its gradient, from one recording. See ``grad(_:at:)``.
public func valueAndGrad<X: TensorTree>(
  _ f: (X) throws -> Tensor, at x: X
) rethrows -> (value: Tensor, gradient: X) {
  let (value, pullback) = try vjp(f, at: x)
  guard value.count == 1, value.dtype.isFloating else {
    let diagnostic = Diagnostic(
      operation: "grad", reason: "the function must give one floating number",
      facts: ["value \(value.shape) \(value.dtype.name)"],
      hint: value.dtype.isFloating
        ? "reduce it, e.g. with .mean() or .sum(), or use jacobian or vjp"
        : "a gradient needs a floating type: call .cast(to: .float32) on the inputs")
    return Diagnostic.report(diagnostic, giving: (value, x.zeroed))
  }
  return (value, pullback(Tensor.full(like: value, 1)))
}
