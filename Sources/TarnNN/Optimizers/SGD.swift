import TarnCore

/// Gradient descent, with momentum: v ← μ v + (1 − τ) g, w ← w − η v (Nesterov: w ← w − η (g + μ v)).
///
/// The first v is g, and decay is added to the gradient, as in PyTorch.
///
/// ```swift
/// var optimizer = SGD(learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 5e-4)
/// ```
public struct SGD: Optimizer {
  public var learningRate: Double
  /// μ, the share of the last v that is kept; 0 for none.
  public var momentum: Double
  /// τ
  public var dampening: Double
  /// Whether the step looks ahead by the momentum (Sutskever et al., 2013).
  public var nesterov: Bool
  public var weightDecay: Double
  public var groups: [ParameterGroup]
  public var stepCount = 0
  public var state: [String: [String: Tensor]] = [:]

  public init(
    learningRate: Double = 1e-3, momentum: Double = 0, dampening: Double = 0,
    nesterov: Bool = false,
    weightDecay: Double = 0, groups: [ParameterGroup] = []
  ) {
    (self.learningRate, self.momentum, self.dampening) = (learningRate, momentum, dampening)
    (self.nesterov, self.weightDecay, self.groups) = (nesterov, weightDecay, groups)
  }

  public func step(
    _ w: Tensor, _ g: Tensor, _ slots: inout [String: Tensor], _ options: StepOptions
  ) -> Tensor {
    let g = g.decayed(w, options)
    guard momentum != 0 else { return w - g * options.rate }
    let v = slots["momentum"].map { $0 * momentum + g * (1 - dampening) } ?? g
    slots["momentum"] = v
    return w - (nesterov ? g + v * momentum : v) * options.rate
  }
}
