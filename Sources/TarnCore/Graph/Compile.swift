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
    let signature: Signature
    let executable: any Executable
    /// Data the function closed over, by leaf number after the arguments.
    let constants: [Node]
    let scalars: [Scalar]
    let result: Y
    /// The tensors in it.
    let templates: [Tensor]
    let text: String
  }

  /// What a recording depends on.
  private struct Signature: Hashable {
    let shapes: [[Int]]
    let dtypes: [DType]
    let device: Device

    /// Whether it is that of `arguments`: what nearly every call asks, in less time than it takes to make theirs.
    func fits(_ arguments: [Tensor]) -> Bool {
      guard arguments.count == shapes.count else { return false }
      for (index, argument) in arguments.enumerated() {
        guard argument.node.shape == shapes[index], argument.node.dtype == dtypes[index] else {
          return false
        }
      }
      return device == arguments.first?.device ?? .current
    }
  }

  private struct Plans: Sendable {
    var all: [Signature: Plan] = [:]
    /// The one that was used last.
    var last: Plan?

    mutating func use(_ signature: Signature) -> Plan? {
      guard let plan = all[signature] else { return nil }
      last = plan
      return plan
    }
  }

  private let function: @Sendable (X) -> Y
  private let plans = Lock(Plans())

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
      let storages = try Engine.run(
        plan.executable, leaves: arguments.map(\.node) + plan.constants, scalars: plan.scalars)
      return plan.result.replacing(
        .all,
        with: zip(storages, plan.templates).map {
          Tensor(Node(storage: $0, shape: $1.shape, dtype: $1.dtype, device: $1.device))
        })
    } catch {
      let diagnostic =
        error as? Diagnostic ?? Diagnostic(operation: "compiled function", reason: "\(error)")
      return Diagnostic.report(diagnostic, giving: plan.result.zeroed)
    }
  }

  private func plan(for arguments: [Tensor], _ x: X) -> Plan? {
    if let last = plans.withLock({ $0.last }), last.signature.fits(arguments) { return last }
    let signature = Signature(
      shapes: arguments.map(\.shape), dtypes: arguments.map(\.dtype),
      device: arguments.first?.device ?? .current)
    if let plan = plans.withLock({ $0.use(signature) }) { return plan }
    let stands = arguments.map { Tensor.argument(like: $0, shape: $0.shape, in: nil) }
    let result = function(x.replacing(.all, with: stands))
    let templates = result.tensors(.all)
    // Arguments carry no trace, so what is being differentiated came in with the closure.
    if templates.contains(where: { $0.node.trace?.isActive == true }) { return nil }
    let recorded = Engine.graph(of: templates, arguments: stands)
    guard recorded.isComplete else {
      return Diagnostic.report(.noValue, giving: nil)
    }
    let plan = Plan(
      signature: signature,
      executable: Backends.of(signature.device).compile(recorded.graph),
      constants: Array(recorded.leaves.dropFirst(stands.count)), scalars: recorded.scalars,
      result: result, templates: templates,
      text: Program(Simplifier.simplified(recorded.graph, claims: { _, _ in false })).description)
    plans.withLock { plans in
      plans.all[signature] = plan
      plans.last = plan
    }
    return plan
  }

  /// How many different sets of shapes have been recorded.
  public var recordings: Int { plans.withLock { $0.all.count } }

  /// The kernels and memory plan of every recording so far.
  public func dump() -> String {
    plans.withLock {
      $0.all.map { "\($0.key.shapes)\n\($0.value.text)" }.sorted().joined(separator: "\n\n")
    }
  }
}

/// `f`, recorded once per set of argument shapes. See ``Compiled``.
public func compile<X: TensorTree, Y: TensorTree>(_ f: @escaping @Sendable (X) -> Y) -> Compiled<
  X, Y
> {
  Compiled(f)
}
