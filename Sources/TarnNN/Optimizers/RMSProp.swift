import TarnCore

/// v ← α v + (1 − α) g², w ← w − η g / (√v + ε) (Tieleman and Hinton, 2012), ε outside the root as in PyTorch and char-rnn.
///
/// Centred, v − ḡ² stands under the root, ḡ the running mean of g. With momentum, u ← μ u + g / (√v + ε), w ← w − η u.
public struct RMSProp: Optimizer {
  public var learningRate: Double
  /// α, how much of the mean square v is kept.
  public var alpha: Double
  /// ε, added to the denominator.
  public var epsilon: Double
  /// μ, 0 for none.
  public var momentum: Double
  /// Whether the variance of the gradient stands under the root in place of its mean square.
  public var centered: Bool
  public var weightDecay: Double
  public var groups: [ParameterGroup]
  public var stepCount = 0
  public var state: [String: [String: Tensor]] = [:]

  public init(
    learningRate: Double = 1e-2, alpha: Double = 0.99, epsilon: Double = 1e-8, momentum: Double = 0,
    centered: Bool = false, weightDecay: Double = 0, groups: [ParameterGroup] = []
  ) {
    (self.learningRate, self.alpha, self.epsilon) = (learningRate, alpha, epsilon)
    (self.momentum, self.centered, self.weightDecay) = (momentum, centered, weightDecay)
    self.groups = groups
  }

  public func step(
    _ w: Tensor, _ g: Tensor, _ slots: inout [String: Tensor], _ options: StepOptions
  ) -> Tensor {
    let g = g.decayed(w, options)
    let square = g * g * (1 - alpha)
    let v = slots["square_avg"].map { $0 * alpha + square } ?? square
    slots["square_avg"] = v
    var spread = v
    if centered {
      let mean = slots["grad_avg"].map { $0 * alpha + g * (1 - alpha) } ?? g * (1 - alpha)
      slots["grad_avg"] = mean
      spread = v - mean * mean
    }
    let step = g / (spread.sqrt() + epsilon)
    guard momentum != 0 else { return w - step * options.rate }
    let u = slots["momentum"].map { $0 * momentum + step } ?? step
    slots["momentum"] = u
    return w - u * options.rate
  }
}
