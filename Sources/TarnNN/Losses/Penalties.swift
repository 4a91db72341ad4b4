import TarnCore

/// Σ |w| over the parameters `filter` chooses; its gradient pulls them to exactly zero.
///
/// ```swift
/// let loss = crossEntropy(model(x), y) + 1e-5 * l1Penalty(model, "*.weight")
/// ```
public func l1Penalty<Model: Module>(_ model: Model, _ filter: ParameterFilter = .all) -> Tensor {
  penalty(model, filter) { $0.abs().sum() }
}

/// Σ w² over the parameters `filter` chooses.
public func l2Penalty<Model: Module>(_ model: Model, _ filter: ParameterFilter = .all) -> Tensor {
  penalty(model, filter) { $0.squared().sum() }
}

private func penalty<Model: Module>(
  _ model: Model, _ filter: ParameterFilter, _ term: (Tensor) -> Tensor
) -> Tensor {
  let chosen =
    filter == .all
    ? model.tensors(.trainable)
    : model.parameters.filter { filter.matches($0.name) }.map(\.tensor)
  let terms = chosen.map(term)
  return terms.dropFirst().reduce(terms.first ?? Tensor(0.0)) { $0 + $1 }
}

/// Σ of the absolute differences of neighbours along the last two axes: how rough images [..., H, W] are.
public func totalVariation(_ images: Tensor) -> Tensor {
  guard images.rank >= 2 else {
    return images.rejected("totalVariation", "expects [..., H, W]", as: [])
  }
  func roughness(_ axis: Int) -> Tensor {
    let length = images.shape[images.rank + axis]
    guard length > 1 else { return .zeros([], dtype: images.dtype) }
    let parts = images.split(sizes: [1, length - 1], axis: axis)[1]
    let others = images.split(sizes: [length - 1, 1], axis: axis)[0]
    return (parts - others).abs().sum()
  }
  return roughness(-1) + roughness(-2)
}
