extension Op {
  /// What a reader calls it.
  package var label: String {
    switch self {
    case .constant: "data"
    case .argument: "argument"
    case .full(let value): value == .integer(.min) ? "number" : value.label
    case .iota(let axis): "index(axis \(axis))"
    case .random(let kind): "random.\(kind)"
    case .unary(let kind): "\(kind)"
    case .binary(let kind): "\(kind)"
    case .compare(let kind): "\(kind)"
    case .select: "which"
    case .cast: "cast"
    case .reshape: "reshape"
    case .permute(let axes): "permute\(axes)"
    case .broadcast: "broadcast"
    case .slice: "slice"
    case .pad: "pad"
    case .concatenate(let axis): "concatenate(axis \(axis))"
    case .flip(let axes): "flip\(axes)"
    case .reduce(let kind, let axes): "\(kind)\(axes)"
    case .argReduce(let kind, let axis): "arg\(kind)(axis \(axis))"
    case .cumulativeSum(let axis, _): "cumulativeSum(axis \(axis))"
    case .argsort(let axis, _): "argsort(axis \(axis))"
    case .matmul(let a, let b): "matmul\(a ? " Aᵀ" : "")\(b ? " Bᵀ" : "")"
    case .convolution(.forward, _): "convolution"
    case .convolution(.inputGradient, _): "convolution, input gradient"
    case .convolution(.weightGradient, _): "convolution, weight gradient"
    case .windowArgMax: "windowArgMax"
    case .windowSum: "windowSum"
    case .windowSpread: "windowSpread"
    case .take(let axis): "take(axis \(axis))"
    case .scatterAdd(let axis): "scatterAdd(axis \(axis))"
    case .cholesky: "cholesky"
    case .triangularSolve: "triangularSolve"
    case .solve: "solve"
    case .determinant: "determinant"
    case .symmetricEigen: "symmetricEigen"
    case .svd: "svd"
    case .qr: "qr"
    case .variable: "variable"
    case .call(let call): call.name
    case .fence: "fence"
    }
  }
}

extension Op {
  fileprivate var role: GraphPicture.Role {
    switch self {
    case .constant, .argument: .data
    case .variable: .variable
    case .full, .iota: .number
    default: .operation
    }
  }
}

extension Scalar {
  fileprivate var label: String {
    switch self {
    case .integer(let value): "\(value)"
    case .real(let value):
      value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }
  }
}

extension Program: CustomStringConvertible {
  /// The steps in the order they run, each with what it reads, does and writes, and the memory plan.
  package var description: String {
    var lines: [String] = []
    for (number, step) in steps.enumerated() {
      switch step {
      case .loop(let loop): lines.append("\(number)  loop \(loop.shape)  \(text(loop))")
      case .reduction(let loop, let kind, let axes):
        lines.append("\(number)  \(kind) over \(axes) of \(loop.shape)  \(text(loop))")
      case .kernel(let op, let operands, let output):
        let read = operands.map { text($0) }.joined(separator: ", ")
        lines.append("\(number)  \(op.label)(\(read)) → \(text(output)) \(output.shape)")
      }
    }
    lines.append(
      "\(steps.count) kernels; scratch \(scratchBytes) bytes (\(unsharedBytes) without sharing)")
    return lines.joined(separator: "\n")
  }

  private func text(_ view: View) -> String {
    guard let buffer = view.buffer else { return view.memory == nil ? "index" : "random" }
    switch buffers[buffer].place {
    case .input(let slot): return "in\(slot)"
    case .output(let slot): return "out\(slot)"
    case .prepared(let number): return "kept\(number)"
    case .deferred(let number): return "deferred\(number)"
    case .scratch, .lasting: return "t\(buffer)"
    }
  }

  private func text(_ loop: Loop) -> String {
    var names = [String](repeating: "?", count: max(loop.registerCount, 1))
    for input in loop.inputs { names[input.register] = text(input.view) }
    for constant in loop.constants { names[constant.register] = "c\(constant.scalar)" }
    for instruction in loop.instructions {
      let (a, b, c) = (names[instruction.a], names[instruction.b], names[instruction.c])
      names[instruction.target] =
        switch instruction.kind {
        case .unary(let kind): "\(kind)(\(a))"
        case .binary(let kind): "\(kind)(\(a), \(b))"
        case .compare(let kind): "\(kind)(\(a), \(b))"
        case .select: "which(\(a), \(b), \(c))"
        case .cast: "\(instruction.dtype.name)(\(a))"
        }
    }
    return loop.outputs.map { "\(text($0.view)) = \(names[$0.register])" }.joined(separator: "; ")
  }
}

/// A recorded computation as a drawing needs it.
public struct GraphPicture: Sendable {
  /// What a vertex is: given data, what is differentiated with respect to, a number, or work.
  public enum Role: Sendable { case data, variable, number, operation }

  /// One operation, or what it starts from.
  public struct Vertex: Sendable {
    /// What it does.
    public let label: String
    /// Shape and dtype.
    public let detail: String
    /// What kind of vertex it is.
    public let role: Role
    /// Whether its value was asked for.
    public let isResult: Bool
    /// Places of its inputs among the vertices.
    public let inputs: [Int]
  }
  /// Inputs stand before their users.
  public let vertices: [Vertex]
}

extension Tensor {
  /// What will run when this tensor is evaluated: the kernels after simplification and fusion, and the memory plan.
  ///
  /// ```swift
  /// print((x * 2 + 1).relu().sum().dump())
  /// ```
  public func dump() -> String { Tensor.dump([self]) }

  /// As ``dump()``, for tensors that are computed together.
  public static func dump(_ tensors: [Tensor]) -> String {
    let graph = Engine.graph(of: tensors).graph
    return Program(Simplifier.simplified(graph, claims: { _, _ in false })).description
  }

  /// The graph as recorded, for drawing.
  public func graphPicture() -> GraphPicture {
    let graph = Engine.graph(of: [self]).graph
    return GraphPicture(
      vertices: graph.vertices.enumerated().map { index, vertex in
        GraphPicture.Vertex(
          label: vertex.op.label, detail: "\(vertex.shape) \(vertex.dtype.name)",
          role: vertex.op.role,
          isResult: graph.outputs.contains(index), inputs: vertex.inputs)
      })
  }
}
