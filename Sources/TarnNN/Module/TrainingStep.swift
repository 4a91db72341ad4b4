import TarnCore

/// One training step's mathematics: the loss, its gradient, and what the buffers should become.
///
/// It is a tree of tensors, so a compiled step can return it.
public struct TrainingStep<Model: Module>: TensorTree {
  /// The loss, a scalar.
  public var value: Tensor
  /// Its gradient, in the type of the model.
  public var gradient: Model
  /// What the buffers should become.
  public var updates: BufferUpdates

  /// The three together.
  public init(value: Tensor, gradient: Model, updates: BufferUpdates) {
    (self.value, self.gradient, self.updates) = (value, gradient, updates)
  }

  public func tensors(_ kind: LeafKind) -> [Tensor] {
    [value] + gradient.tensors(kind) + updates.tensors(kind)
  }

  public func replacing(_ kind: LeafKind, with tensors: [Tensor]) -> TrainingStep {
    guard let value = tensors.first else { return self }
    let count = gradient.tensors(kind).count
    return TrainingStep(
      value: value,
      gradient: gradient.replacing(kind, with: Array(tensors.dropFirst().prefix(count))),
      updates: updates.replacing(kind, with: Array(tensors.dropFirst(1 + count))))
  }
}

/// The loss at `model`, its gradient, and what the buffers should become, with layers in the training phase.
///
/// ```swift
/// let step = valueGradientAndUpdates(at: model, key: key) { crossEntropy($0(x), y) }
/// optimizer.update(&model, with: step)
/// print(step.value.item())
/// ```
///
/// - Parameters:
///   - key: of the random numbers, as of dropout: give each step another.
///   - filter: which parameters get a gradient.
public func valueGradientAndUpdates<Model: Module>(
  at model: Model, key: RandomKey, training filter: ParameterFilter = .all,
  _ loss: (Model) throws -> Tensor
) rethrows -> TrainingStep<Model> {
  try Phase.training(key: key) {
    let (step, updates) = try withUpdates(model) { marked in
      try valueAndGrad(loss, at: marked, training: filter)
    }
    return TrainingStep(value: step.value, gradient: step.gradient, updates: updates)
  }
}
