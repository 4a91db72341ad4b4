import TarnCore

/// What nodes gave when they were last computed while recording. Inputs of one shape lead to the same fixed values every
/// time, so only the first call with them computes anything.
final class ONNXMemo: Sendable {
  private struct Entry: Sendable {
    var inputs: [ONNXFixed?]
    var outputs: [ONNXValue]
  }

  private let entries = Lock<[ObjectIdentifier: Entry]>([:])

  /// The outputs of a node, if it was last given these very values.
  func outputs(of node: ONNXNode, _ values: [ONNXValue?]) -> [ONNXValue]? {
    entries.withLock { entries in
      guard let entry = entries[ObjectIdentifier(node)], entry.inputs.count == values.count,
        zip(entry.inputs, values).allSatisfy({ $0 === $1?.fixed })
      else { return nil }
      return entry.outputs
    }
  }

  func keep(_ outputs: [ONNXValue], of node: ONNXNode, _ values: [ONNXValue?]) {
    let entry = Entry(inputs: values.map { $0?.fixed }, outputs: outputs)
    entries.withLock { $0[ObjectIdentifier(node)] = entry }
  }

  /// The values that a node gave before, if these are the same numbers: lengths of tensors, mostly.
  func known(_ outputs: [ONNXValue], of node: ONNXNode) -> [ONNXValue] {
    entries.withLock { entries in
      if let old = entries[ObjectIdentifier(node)]?.outputs, old.count == outputs.count,
        zip(old, outputs).allSatisfy({ a, b in
          guard let a = a.fixed, let b = b.fixed else { return false }
          return a.host.shape == b.host.shape && a.integers == b.integers
        })
      {
        return old
      }
      entries[ObjectIdentifier(node)] = Entry(inputs: [], outputs: outputs)
      return outputs
    }
  }
}

extension ONNXValue {
  fileprivate var fixed: ONNXFixed? {
    if case .fixed(let fixed) = self { return fixed }
    return nil
  }
}
