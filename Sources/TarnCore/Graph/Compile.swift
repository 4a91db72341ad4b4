/// A function recorded once for each set of argument shapes and then run without recording.
///
/// Arguments and results are any ``TensorTree``. What is not a tensor in them, and everything the function closes over, is
/// taken as it was at the first call with those shapes. Values must not be read inside.
///
/// ```swift
/// let step = compile { (x: Pair<Model, Batch>) in valueAndGrad({ loss($0, x.second) }, at: x.first).gradient }
/// ```
public final class Compiled<X: TensorTree, Y: TensorTree>: Sendable {
  private struct Plan: Sendable {
    let executable: any Executable
    /// Data the function closed over, by leaf number after the arguments.
    let constants: [Node]
    let scalars: [Scalar]
    let result: Y
    let text: String
  }

  /// What a recording depends on.
  private struct Signature: Hashable {
    let shapes: [[Int]]
    let dtypes: [DType]
    let device: Device
  }

  private let function: @Sendable (X) -> Y
  private let plans = Lock<[Signature: Plan]>([:])

  init(_ function: @escaping @Sendable (X) -> Y) { self.function = function }

  /// The function's value at `x`: recorded at the first call with such shapes, run by its plan at later ones.
  ///
  /// Where something is being differentiated or batched the function itself is called.
  public func callAsFunction(_ x: X) -> Y {
    let arguments = x.tensors(.all)
    // Under a derivative the operations themselves are needed.
    if arguments.contains(where: { $0.node.trace?.isActive == true }) { return function(x) }
    Tensor.evaluate(arguments)
    guard let plan = plan(for: arguments, x) else { return function(x) }
    do {
      let inputs = arguments.map { $0.realised() } + plan.constants.map { Tensor($0).realised() }
      let storages = try Engine.run(plan.executable, inputs, scalars: plan.scalars)
      let templates = plan.result.tensors(.all)
      return plan.result.replacing(
        .all,
        with: zip(storages, templates).map {
          Tensor(Node(storage: $0, shape: $1.shape, dtype: $1.dtype, device: $1.device))
        })
    } catch {
      let diagnostic =
        error as? Diagnostic ?? Diagnostic(operation: "compiled function", reason: "\(error)")
      return Diagnostic.report(diagnostic, giving: plan.result.zeroed)
    }
  }

  private func plan(for arguments: [Tensor], _ x: X) -> Plan? {
    let signature = Signature(
      shapes: arguments.map(\.shape), dtypes: arguments.map(\.dtype),
      device: arguments.first?.device ?? .current)
    if let plan = plans.withLock({ $0[signature] }) { return plan }
    let stands = arguments.map { Tensor.argument(like: $0, shape: $0.shape, in: nil) }
    let result = function(x.replacing(.all, with: stands))
    // Arguments carry no trace, so what is being differentiated came in with the closure.
    if result.tensors(.all).contains(where: { $0.node.trace?.isActive == true }) { return nil }
    let recorded = Engine.graph(of: result.tensors(.all), arguments: stands)
    guard recorded.isComplete else {
      return Diagnostic.report(.noValue, giving: nil)
    }
    let plan = Plan(
      executable: Backends.of(signature.device).compile(recorded.graph),
      constants: Array(recorded.leaves.dropFirst(stands.count)), scalars: recorded.scalars,
      result: result,
      text: Program(Simplifier.simplified(recorded.graph, claims: { _, _ in false })).description)
    plans.withLock { $0[signature] = plan }
    return plan
  }

  /// How many different sets of shapes have been recorded.
  public var recordings: Int { plans.withLock { $0.count } }

  /// The kernels and memory plan of every recording so far.
  public func dump() -> String {
    plans.withLock {
      $0.map { "\($0.key.shapes)\n\($0.value.text)" }.sorted().joined(separator: "\n\n")
    }
  }
}

/// `f`, recorded once per set of argument shapes. See ``Compiled``.
public func compile<X: TensorTree, Y: TensorTree>(_ f: @escaping @Sendable (X) -> Y) -> Compiled<
  X, Y
> {
  Compiled(f)
}
