import TarnData

/// What came of fitting weights into a model: everything at once, so that all mistakes can be put
/// right together.
public struct LoadReport: Sendable, Hashable, Codable {
  /// A tensor that is there under the right name with the wrong shape.
  public struct Mismatch: Sendable, Hashable, Codable {
    public var name: String
    /// The shape the model has.
    public var expected: [Int]
    /// The shape in the file.
    public var found: [Int]

    public init(name: String, expected: [Int], found: [Int]) {
      (self.name, self.expected, self.found) = (name, expected, found)
    }
  }

  /// Where the weights came from.
  public var source: String
  /// Names that were filled.
  public var loaded: [String] = []
  /// Names of the model that the weights lack.
  public var missing: [String] = []
  /// Names of the weights that the model lacks.
  public var unused: [String] = []
  /// Names in both, with different shapes.
  public var mismatched: [Mismatch] = []
  /// Names that were missing, or did not fit, and by leave of the caller kept the model's own
  /// values.
  public var kept: [String] = []

  public init(source: String = "weights") {
    self.source = source
  }

  /// Compares what a model wants with what the weights have.
  /// - Parameter isKept: whether a name that is missing or does not fit may keep the model's own
  ///   values.
  public init(
    expected: [(name: String, shape: [Int])], weights: Weights,
    isKept: (String) -> Bool = { _ in false }
  ) {
    source = weights.source
    for (name, shape) in expected {
      let found = weights[name]?.shape
      if found == shape {
        loaded.append(name)
      } else if isKept(name) {
        kept.append(name)
      } else if let found {
        mismatched.append(Mismatch(name: name, expected: shape, found: found))
      } else {
        missing.append(name)
      }
    }
    let wanted = Set(expected.map(\.name))
    unused = weights.names.filter { !wanted.contains($0) }
  }

  /// Whether every tensor of the model was filled or kept by leave, and none of the weights was
  /// left over.
  public var isComplete: Bool { missing.isEmpty && unused.isEmpty && mismatched.isEmpty }

  /// The unused name that a missing one was likely meant to be.
  public func suggestion(for missing: String) -> String? {
    let last = missing.split(separator: ".").suffix(2)
    return nearest(to: missing, among: unused, most: 1).first
      ?? unused.first { $0.split(separator: ".").suffix(2) == last }
  }
}

extension LoadReport: CustomStringConvertible {
  /// The whole report, with a section for each kind of name.
  public var description: String {
    var lines = [
      "\(source): \(loaded.count) loaded, \(missing.count) missing, \(mismatched.count) of another "
        + "shape, \(unused.count) unused, \(kept.count) kept"
    ]
    func section(_ title: String, _ entries: [String]) {
      guard !entries.isEmpty else { return }
      lines.append("  \(title):")
      lines += entries.prefix(20).map { "    \($0)" }
      if entries.count > 20 { lines.append("    … and \(entries.count - 20) more") }
    }
    section(
      "missing in the weights",
      missing.map { name in
        suggestion(for: name).map { "\(name)  (did you mean '\($0)'?)" } ?? name
      })
    section(
      "of another shape",
      mismatched.map { "\($0.name): the model has \($0.expected), the weights \($0.found)" })
    section("in the weights but not in the model", unused)
    section("kept as they were", kept)
    if !isComplete && loaded.isEmpty && !unused.isEmpty {
      lines.append("  hint: no name fits; strip or add a prefix, or rename with Weights.renamed")
    }
    return lines.joined(separator: "\n")
  }
}
