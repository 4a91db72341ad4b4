extension Rule {
  /// The first input passed on.
  private static let identity: Reference = { _, x, _, _ in x[0] }

  static let variable = Rule.linear(
    vjp: { _, _, _, g in [g] }, batch: { _, x, _, _, _, _ in x[0] }, reference: identity)

  /// The second input only orders the computation.
  static let fence = Rule(
    vjp: { _, _, _, g in [g, nil] }, jvp: { _, _, _, t in t[0] },
    batch: { op, x, isBatched, size, shape, dtype in
      let whole = isBatched[0] ? x[0] : Batching.repeated(x[0], size)
      return Tensor.record(op, [whole, x[1]], [size] + shape, dtype)
    },
    reference: identity)

  static let call = Rule(
    vjp: { op, x, y, g in
      if case .call(let call) = op, let gradients = call.fallbackGradients(x, g) {
        return gradients
      }
      guard case .call(let call) = op, let vjp = call.vjp else {
        return [g] + Array(repeating: nil, count: x.count - 1)
      }
      let gradients = vjp(Array(x.dropFirst()), y, g)
      let padding = Array<Tensor?>(repeating: nil, count: max(0, x.count - 1 - gradients.count))
      return [nil] + gradients + padding
    },
    jvp: { op, x, y, t in
      guard case .call(let call) = op else { return t[0] }
      if let tangent = call.fallbackTangent(x, t) { return tangent }
      if let jvp = call.jvp { return jvp(Array(x.dropFirst()), y, Array(t.dropFirst())) }
      if call.vjp == nil { return t[0] }
      return Diagnostic.report(
        Diagnostic(
          operation: call.name, reason: "it has a custom reverse derivative but no forward one",
          hint: "give customDerivative a jvp too, or differentiate with grad or vjp"),
        poison: y.shape, y.dtype)
    },
    batch: { op, x, isBatched, size, shape, dtype in
      guard case .call(let call) = op else { return x[0] }
      let lifted = Batching.lift(x, isBatched, size)
      if let batch = call.fallbackBatch(lifted) { return batch }
      guard call.vjp != nil || call.jvp != nil else { return lifted[0] }
      return Tensor.record(.call(call.batched), lifted, [size] + shape, dtype)
    },
    reference: identity)
}

extension Call {
  /// The same computation over a batch: its derivatives are the example's, mapped. No backend claims it.
  fileprivate var batched: Call {
    var batchedVJP: (@Sendable ([Tensor], Tensor, Tensor) -> [Tensor?])?
    if let vjp {
      batchedVJP = { x, y, g in
        let known = Lock<[Bool]>([])
        let gradients = vmap(over: x + [y, g]) { row in
          let gradients = vjp(Array(row.dropLast(2)), row[row.count - 2], row[row.count - 1])
          known.withLock { $0 = gradients.map { $0 != nil } }
          return gradients.compactMap { $0 }
        }
        var next = gradients.makeIterator()
        return known.withLock { $0 }.map { $0 ? next.next() : nil }
      }
    }
    var batchedJVP: (@Sendable ([Tensor], Tensor, [Tensor?]) -> Tensor?)?
    if let jvp {
      batchedJVP = { x, y, t in
        let present = t.compactMap { $0 }
        let none = Lock(false)
        let tangent = vmap(over: x + [y] + present) { row -> [Tensor] in
          var rest = row[(x.count + 1)...].makeIterator()
          let tangents = t.map { $0 == nil ? nil : rest.next() }
          let result = jvp(Array(row[..<x.count]), row[x.count], tangents)
          if result == nil { none.withLock { $0 = true } }
          return [result ?? Tensor.full(like: row[x.count], 0)]
        }
        return none.withLock { $0 } ? nil : tangent[0]
      }
    }
    return Call("batch of \(name)", attributes, vjp: batchedVJP, jvp: batchedJVP)
  }
}
