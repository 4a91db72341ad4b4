import TarnCore

/// What a step is called, and what it asks of the machine at least.
struct StepCost: Sendable {
  var name: String
  /// Shape of the result, for a trace.
  var shape: [Int]
  /// Arithmetic operations, a fused multiply-add being two; 0 where they are not what takes the time.
  var operations = 0
  /// Every operand read once and every result written once.
  var bytes = 0

  init(_ step: Program.Step) {
    switch step {
    case .loop(let loop):
      self.init(loop, "loop", shape: loop.shape)
    case .reduction(let loop, let kind, let axes):
      self.init(
        loop, "\(kind)",
        shape: loop.shape.enumerated().map { axes.contains($0.offset) ? 1 : $0.element })
      operations += loop.shape.product
    case .kernel(let op, let operands, let output):
      self.init(op, operands, output)
    }
  }

  private init(_ loop: Loop, _ kind: String, shape: [Int]) {
    var names: [String] = []
    for instruction in loop.instructions where !names.contains(instruction.kind.name) {
      names.append(instruction.kind.name)
    }
    let shown = names.prefix(4).joined(separator: " ") + (names.count > 4 ? " …" : "")
    name = names.isEmpty ? (kind == "loop" ? "copy" : kind) : "\(kind) (\(shown))"
    self.shape = shape
    operations = loop.shape.product * loop.instructions.count
    bytes = (loop.inputs + loop.outputs).reduce(0) { $0 + $1.view.touchedBytes }
  }

  private init(_ op: Op, _ operands: [View], _ output: View) {
    name = op.label
    shape = output.shape
    bytes = operands.reduce(output.touchedBytes) { $0 + $1.touchedBytes }
    switch op {
    case .matmul(let transposeA, _):
      operations = 2 * output.shape.product * operands[0].shape[transposeA ? 1 : 2]
    case .convolution(let pass, _):
      let (weights, result) =
        switch pass {
        case .forward: (operands[1].shape, output.shape)
        case .inputGradient: (operands[1].shape, operands[0].shape)
        case .weightGradient: (output.shape, operands[1].shape)
        }
      operations = Self.products(weights: weights, result: result)
    case .call(let call) where call.name.hasPrefix(BlockedConvolution.name):
      let convolution = BlockedConvolution(call)
      name = "convolution \(convolution.pass) \(convolution.algorithm)"
      shape = convolution.y
      operations = Self.products(weights: convolution.w, result: convolution.y)
    case .call(let call) where ["attention", "attentionGradient"].contains(call.name):
      let rule = AttentionRule(attributes: call.attributes)
      shape = operands[0].shape
      operations = rule.extent(operands.map(\.shape)).operations
      if call.name == "attentionGradient" { operations = operations * 5 / 2 }
      if rule.isCausal { operations /= 2 }
    default: break
    }
  }

  /// Operations of a convolution done by its definition, whatever the algorithm: weights [O, C / groups, …], result [N, O, …].
  private static func products(weights: [Int], result: [Int]) -> Int {
    2 * result.product * weights.dropFirst().reduce(1, *)
  }
}

extension View {
  /// Memory behind the elements: an axis that repeats counts once.
  fileprivate var touchedBytes: Int {
    guard buffer != nil else { return 0 }
    return zip(shape, strides).reduce(dtype.byteCount) { $0 * ($1.1 == 0 ? 1 : $1.0) }
  }
}

extension Loop.Kind {
  fileprivate var name: String {
    switch self {
    case .unary(let kind): "\(kind)"
    case .binary(let kind): "\(kind)"
    case .compare(let kind): "\(kind)"
    case .select: "which"
    case .cast: "cast"
    }
  }
}
