import TarnCore

/// s ← s + g², w ← w − η′ g / (√s + ε), η′ = η / (1 + (t − 1) d) (Duchi et al., 2011).
public struct Adagrad: Optimizer {
  public var learningRate: Double
  /// d
  public var rateDecay: Double
  /// The s to start from.
  public var initial: Double
  /// ε, against division by zero.
  public var epsilon: Double
  public var weightDecay: Double
  public var groups: [ParameterGroup]
  public var stepCount = 0
  public var state: [String: [String: Tensor]] = [:]

  public init(
    learningRate: Double = 1e-2, rateDecay: Double = 0, initial: Double = 0,
    epsilon: Double = 1e-10,
    weightDecay: Double = 0, groups: [ParameterGroup] = []
  ) {
    (self.learningRate, self.rateDecay, self.initial) = (learningRate, rateDecay, initial)
    (self.epsilon, self.weightDecay, self.groups) = (epsilon, weightDecay, groups)
  }

  public func step(
    _ w: Tensor, _ g: Tensor, _ slots: inout [String: Tensor], _ options: StepOptions
  ) -> Tensor {
    let g = g.decayed(w, options)
    let sum = slots["sum"].map { $0 + g * g } ?? g * g + initial
    slots["sum"] = sum
    let rate = options.rate / (1 + Double(options.step - 1) * rateDecay)
    return w - g / (sum.sqrt() + epsilon) * rate
  }
}

/// v ← ρ v + (1 − ρ) g², δ = √(u + ε) / √(v + ε) · g, u ← ρ u + (1 − ρ) δ², w ← w − η δ (Zeiler, 2012).
public struct Adadelta: Optimizer {
  public var learningRate: Double
  /// ρ, how much of the running means is kept.
  public var rho: Double
  /// ε, against division by zero.
  public var epsilon: Double
  public var weightDecay: Double
  public var groups: [ParameterGroup]
  public var stepCount = 0
  public var state: [String: [String: Tensor]] = [:]

  public init(
    learningRate: Double = 1, rho: Double = 0.9, epsilon: Double = 1e-6, weightDecay: Double = 0,
    groups: [ParameterGroup] = []
  ) {
    (self.learningRate, self.rho, self.epsilon) = (learningRate, rho, epsilon)
    (self.weightDecay, self.groups) = (weightDecay, groups)
  }

  public func step(
    _ w: Tensor, _ g: Tensor, _ slots: inout [String: Tensor], _ options: StepOptions
  ) -> Tensor {
    let g = g.decayed(w, options)
    let square = g * g * (1 - rho)
    let v = slots["square_avg"].map { $0 * rho + square } ?? square
    let u = slots["acc_delta"] ?? .zeros(like: g)
    let delta = (u + epsilon).sqrt() / (v + epsilon).sqrt() * g
    slots["square_avg"] = v
    slots["acc_delta"] = u * rho + delta * delta * (1 - rho)
    return w - delta * options.rate
  }
}
