import TarnCore
import TarnInterop

/// Weights that do not fit a model, with everything that is wrong.
public struct LoadError: Error, CustomStringConvertible {
  /// The type of the model.
  public var model: String
  /// What fitted and what did not.
  public var report: LoadReport

  public var description: String {
    "\(model): the weights do not fit\n\(report)\n  hint: names that may differ go into allowing:, "
      + "other spellings into renaming:"
  }
}

extension TensorStructure {
  /// The same value with its tensors taken from `weights`, by name.
  ///
  /// Strict: every tensor must be there in its shape and nothing may be left over, or it throws, with all of it
  /// listed. Numbers are converted to the type the model has. `num_batches_tracked`, which old files lack, may be missing.
  /// Prefixes that wrappers put before every name are taken off first, see `Weights.strippingWrappers`.
  ///
  /// ```swift
  /// let (model, report) = try ResNet18(classes: 10)
  ///   .loading(weights, allowing: ["fc.*"], renaming: { $0.replacing("backbone.", with: "") })
  /// ```
  ///
  /// - Parameters:
  ///   - strict: false takes what fits; the report still tells the rest.
  ///   - allowing: patterns as of ``ParameterFilter``. Names of the model that match keep their values if they are missing or do not fit; names of the weights that match
  ///     may be left over.
  ///   - renaming: from a name in the weights to one in the model; nil leaves it out.
  public func loading(
    _ weights: Weights, strict: Bool = true, allowing: [String] = [],
    renaming: ((String) throws -> String?)? = nil
  ) throws -> (model: Self, report: LoadReport) {
    let renamed = try renaming.map { try weights.renamed($0) } ?? weights
    let allowed = ParameterFilter.matching(allowing + ["*num_batches_tracked"])
    let tape = walked(named: true)
    let leaves = tape.orderedLeaves
    let weights = renamed.strippingWrappers(unless: leaves.lazy.map(\.name))
    var report = LoadReport(
      expected: leaves.map { ($0.name, $0.tensor.shape) }, weights: weights,
      isKept: { allowed.matches($0) })
    report.unused.removeAll { allowed.matches($0) }
    guard report.isComplete || !strict else { throw LoadError(model: typeName, report: report) }
    let loaded = Set(report.loaded)
    let tensors = tape.leaves.map { leaf in
      guard loaded.contains(leaf.name), let tensor = weights[leaf.name] else { return leaf.tensor }
      return tensor.dtype == leaf.tensor.dtype ? tensor : tensor.cast(to: leaf.tensor.dtype)
    }
    return (rebuilt(from: tape, with: tensors), report)
  }

  /// The tensors by name, for a file.
  public var weights: Weights { Weights(namedTensors) }

  var typeName: String { String("\(Self.self)".prefix { $0 != "<" }) }
}
