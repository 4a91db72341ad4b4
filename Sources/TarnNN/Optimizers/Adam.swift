import Foundation
import TarnCore

/// m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², w ← w − η m̂ / (√v̂ + ε), hats corrected for the start at zero
/// (Kingma and Ba, 2014).
///
/// Decay is added to the gradient; for decay apart from it see ``AdamW``.
public struct Adam: Optimizer {
  public var learningRate: Double
  /// β₁, how much of the mean gradient m is kept.
  public var beta1: Double
  /// β₂, how much of the mean square v is kept.
  public var beta2: Double
  /// ε, added to the denominator.
  public var epsilon: Double
  public var weightDecay: Double
  /// Divides by the largest v so far (Reddi et al., 2018).
  public var amsgrad: Bool
  public var groups: [ParameterGroup]
  public var stepCount = 0
  public var state: [String: [String: Tensor]] = [:]

  public init(
    learningRate: Double = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8,
    weightDecay: Double = 0, amsgrad: Bool = false, groups: [ParameterGroup] = []
  ) {
    (self.learningRate, self.beta1, self.beta2) = (learningRate, beta1, beta2)
    (self.epsilon, self.weightDecay, self.amsgrad) = (epsilon, weightDecay, amsgrad)
    self.groups = groups
  }

  public func step(
    _ w: Tensor, _ g: Tensor, _ slots: inout [String: Tensor], _ options: StepOptions
  ) -> Tensor {
    let moments = Moments(beta1: beta1, beta2: beta2, epsilon: epsilon, amsgrad: amsgrad)
    return moments.step(w, g.decayed(w, options), &slots, options)
  }
}

/// ``Adam`` with decay applied to the parameters themselves: w ← (1 − η λ) w first (Loshchilov and Hutter, 2019).
///
/// ```swift
/// var optimizer = AdamW(learningRate: 1e-3, groups: [ParameterGroup("*.bias", weightDecay: 0)])
/// ```
public struct AdamW: Optimizer {
  public var learningRate: Double
  /// β₁, how much of the mean gradient m is kept.
  public var beta1: Double
  /// β₂, how much of the mean square v is kept.
  public var beta2: Double
  /// ε, added to the denominator.
  public var epsilon: Double
  public var weightDecay: Double
  /// Divides by the largest v so far (Reddi et al., 2018).
  public var amsgrad: Bool
  public var groups: [ParameterGroup]
  public var stepCount = 0
  public var state: [String: [String: Tensor]] = [:]

  public init(
    learningRate: Double = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8,
    weightDecay: Double = 1e-2, amsgrad: Bool = false, groups: [ParameterGroup] = []
  ) {
    (self.learningRate, self.beta1, self.beta2) = (learningRate, beta1, beta2)
    (self.epsilon, self.weightDecay, self.amsgrad) = (epsilon, weightDecay, amsgrad)
    self.groups = groups
  }

  public func step(
    _ w: Tensor, _ g: Tensor, _ slots: inout [String: Tensor], _ options: StepOptions
  ) -> Tensor {
    let moments = Moments(beta1: beta1, beta2: beta2, epsilon: epsilon, amsgrad: amsgrad)
    let shrink = 1 - options.rate * options.weightDecay
    return moments.step(options.weightDecay == 0 ? w : w * shrink, g, &slots, options)
  }
}

/// The step both share.
private struct Moments {
  let beta1, beta2, epsilon: Double
  let amsgrad: Bool

  func step(
    _ w: Tensor, _ g: Tensor, _ slots: inout [String: Tensor], _ options: StepOptions
  ) -> Tensor {
    let m = slots["exp_avg"].map { $0 * beta1 + g * (1 - beta1) } ?? g * (1 - beta1)
    let square = g * g * (1 - beta2)
    let v = slots["exp_avg_sq"].map { $0 * beta2 + square } ?? square
    slots["exp_avg"] = m
    slots["exp_avg_sq"] = v
    var largest = v
    if amsgrad {
      largest = slots["max_exp_avg_sq"].map { $0.maximum(v) } ?? v
      slots["max_exp_avg_sq"] = largest
    }
    let steps = Double(options.step)
    let (correction1, correction2) = (1 - pow(beta1, steps), 1 - pow(beta2, steps))
    let scale = 1 / correction2.squareRoot()
    return w - m / (largest.sqrt() * scale + epsilon) * (options.rate / correction1)
  }
}
