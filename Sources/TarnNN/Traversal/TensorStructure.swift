import TarnCore

/// A value whose tensors are found, named and replaced through its `Codable` conformance: models and optimizers.
///
/// Two private coders do it. Names are paths of coding keys; elements of lists are named by their index. Tensors keep
/// their order from run to run: that of declaration, and in dictionaries that of the keys.
public protocol TensorStructure: TensorTree, Codable {}

extension TensorStructure {
  public func tensors(_ kind: LeafKind) -> [Tensor] {
    var found: [Tensor] = []
    walked().forEachLeaf(kind) { _, leaf in found.append(leaf.tensor) }
    return found
  }

  public func replacing(_ kind: LeafKind, with tensors: [Tensor]) -> Self {
    let tape = walked()
    var all = tape.leaves.map(\.tensor)
    var next = 0
    tape.forEachLeaf(kind) { id, _ in
      if next < tensors.count { all[id] = tensors[next] }
      next += 1
    }
    guard next == tensors.count else {
      return Diagnostic.report(
        Diagnostic(
          operation: "\(Self.self)", reason: "it was given the wrong number of tensors",
          facts: ["it has \(next)", "given  \(tensors.count)"]), giving: self)
    }
    return rebuilt(from: tape, with: all)
  }

  /// Written out. A module that cannot be is a mistake in its own `encode(to:)`.
  func walked(named: Bool = false) -> Tape {
    do { return try Tape(self, named: named) } catch {
      return Diagnostic.report(
        Diagnostic(operation: "\(Self.self)", reason: "it cannot be walked: \(error)"),
        giving: Tape())
    }
  }

  /// The same with every part of a type replaced by `transform(path, part)`: layers inside, or their settings.
  ///
  /// ```swift
  /// let other = model.mapParts(BatchNormSettings.self) { _, settings in
  ///   BatchNormSettings(epsilon: 1e-3, momentum: settings.momentum)
  /// }
  /// ```
  /// A part inside one of its own type is replaced after it.
  public func mapParts<Part: Codable>(
    _ type: Part.Type, _ transform: @escaping (String, Part) -> Part
  ) -> Self {
    do {
      let tape = try Tape(self, named: true) { path, value in
        (value as? Part).map { transform(path, $0) } ?? value
      }
      return rebuilt(from: tape, with: tape.leaves.map(\.tensor))
    } catch {
      return Diagnostic.report(
        Diagnostic(operation: "\(Self.self)", reason: "it cannot be walked: \(error)"), giving: self
      )
    }
  }

  func rebuilt(from tape: Tape, with tensors: [Tensor]) -> Self {
    do { return try tape.read(Self.self, with: tensors) } catch {
      return Diagnostic.report(
        Diagnostic(
          operation: "\(Self.self)", reason: "it cannot be rebuilt: \(error)",
          hint: "does its init(from:) read what its encode(to:) writes?"), giving: self)
    }
  }

  /// Every tensor with its path.
  public var namedTensors: [(name: String, tensor: Tensor)] { named { _ in true } }

  func named(_ isIncluded: (Tape.Leaf) -> Bool) -> [(name: String, tensor: Tensor)] {
    walked(named: true).orderedLeaves.filter(isIncluded).map { ($0.name, $0.tensor) }
  }

  /// The same with each tensor of a kind replaced by `transform(path, tensor)`.
  func mapNamed(_ kind: LeafKind, _ transform: (String, Tensor) throws -> Tensor) rethrows -> Self {
    let tape = walked(named: true)
    var all = tape.leaves.map(\.tensor)
    for id in tape.order ?? Array(all.indices) where tape.leaves[id].belongs(to: kind) {
      all[id] = try transform(tape.leaves[id].name, all[id])
    }
    return rebuilt(from: tape, with: all)
  }
}
