import TarnCore

/// Sharpness-aware minimisation: the base optimizer steps along the gradient taken at w + ρ g / |g|
/// (Foret et al., 2021). Two gradients a step.
///
/// ```swift
/// var optimizer = SAM(SGD(learningRate: 0.1, momentum: 0.9), rho: 0.05)
/// optimizer.update(&model) { model in valueAndGrad({ crossEntropy($0(x), y) }, at: model) }
/// ```
public struct SAM<Base: Optimizer>: TensorStructure {
  /// What takes the step, with the gradient at the worst point nearby.
  public var base: Base
  /// ρ: how far to climb first.
  public var rho: Double

  /// Sharpness-aware steps of `base` within a radius of `rho`.
  public init(_ base: Base, rho: Double = 0.05) { (self.base, self.rho) = (base, rho) }

  /// That of the base.
  public var learningRate: Double {
    get { base.learningRate }
    set { base.learningRate = newValue }
  }

  /// One step; gives the loss at the model as it was.
  ///
  /// - Parameter gradient: loss and gradient at a model. It is called twice and should see one batch.
  @discardableResult
  public mutating func update<Model: Module>(
    _ model: inout Model, _ gradient: (Model) throws -> (value: Tensor, gradient: Model)
  ) rethrows -> Tensor {
    let (loss, first) = try gradient(model)
    let climb = rho / (first.norm() + 1e-12)
    let second = try gradient(model + climb * first).gradient
    base.update(&model, along: second, computing: [loss])
    return loss
  }
}
