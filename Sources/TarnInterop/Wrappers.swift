extension Weights {
  /// What wrappers of models put before every name: `DataParallel` and `DistributedDataParallel`, `torch.compile`,
  /// Lightning modules.
  private static let wrappers = ["module.", "_orig_mod.", "model."]

  /// The same tensors without the prefixes that wrappers of models add (`module.`, `_orig_mod.`, `model.`), as long as all
  /// names begin with one.
  ///
  /// ```swift
  /// let weights = try Weights(contentsOf: url).strippingWrappers()  // module.fc.bias becomes fc.bias
  /// ```
  /// - Parameter wanted: names that a model has; a prefix that one of them has as well is no wrapper's.
  public func strippingWrappers(unless wanted: some Sequence<String> = []) -> Weights {
    var result = self
    while let prefix = result.wrapper, !wanted.contains(where: { $0.hasPrefix(prefix) }) {
      result = result.strippingPrefix(prefix)
    }
    return result
  }

  private var wrapper: String? {
    guard count > 0 else { return nil }
    return Self.wrappers.first { prefix in
      names.allSatisfy { $0.hasPrefix(prefix) && $0.utf8.count > prefix.utf8.count }
    }
  }
}
