import Synchronization

/// The layer that a vertex was recorded in, for profiles. Structure does not depend on it: all labels are equal.
package struct LayerLabel: Hashable, Sendable {
  package var text: String?

  package init(_ text: String? = nil) { self.text = text }
  package static func == (a: Self, b: Self) -> Bool { true }
  package func hash(into hasher: inout Hasher) {}
}

/// Names what is recorded by layer while somebody wants to know. Otherwise it costs one comparison.
package enum LayerLabels {
  private static let listeners = Atomic<Int>(0)
  private static let backward = ", backward"

  package static var isActive: Bool { listeners.load(ordering: .relaxed) > 0 }

  /// Runs `body` with labels.
  package static func recording<Result>(_ body: () throws -> Result) rethrows -> Result {
    listeners.add(1, ordering: .relaxed)
    defer { listeners.subtract(1, ordering: .relaxed) }
    return try body()
  }

  /// Names everything behind `y` that has neither a value nor a name: what its layer recorded.
  package static func mark(_ y: Tensor, _ layer: String) { Engine.label([y.node], layer) }

  /// Names the adjoints of what a node was computed from.
  static func mark(adjoints: [Tensor?], of node: Node) {
    guard let layer = node.layer else { return }
    let name = layer.hasSuffix(backward) ? layer : layer + backward
    Engine.label(adjoints.compactMap { $0?.node }, name)
  }
}

extension Engine {
  /// Names unnamed nodes behind `roots`, up to those with a name or a value.
  fileprivate static func label(_ roots: [Node], _ layer: String) {
    alone {
      var stack = roots
      while let node = stack.popLast() {
        guard node.layer == nil, node.storage == nil else { continue }
        node.layer = layer
        stack += node.inputs
      }
    }
  }
}
