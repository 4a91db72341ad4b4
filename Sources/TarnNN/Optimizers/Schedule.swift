import Foundation

/// The learning rate as a function of the step, from the optimizer's base rate η. Steps count from 0.
///
/// ```swift
/// let schedule = Schedule.sequence([.warmUp(steps: 500), .cosine(steps: 9_500)], switchingAt: [500])
/// optimizer.learningRate = schedule.rate(at: step, base: 1e-3)
/// ```
public indirect enum Schedule: Hashable, Sendable, Codable {
  /// How ``oneCycle(peak:steps:rising:annealing:divisor:finalDivisor:threePhase:)`` goes from one rate to another.
  public enum Annealing: String, Hashable, Sendable, Codable { case cosine, linear }

  /// η
  case constant
  /// η γ^⌊step / every⌋
  case steps(every: Int, factor: Double)
  /// η γ^(number of milestones reached)
  case milestones([Int], factor: Double)
  /// η γ^step
  case exponential(factor: Double)
  /// η γ^k, k the number of times `every` steps have passed, the first counted at step `from`: char-rnn's decay per epoch.
  case decay(factor: Double, every: Int, from: Int)
  /// min + ½ (η − min) (1 + cos(π step / steps)) (Loshchilov and Hutter, 2017).
  case cosine(steps: Int, minimum: Double = 0)
  /// As ``cosine(steps:minimum:)``, begun anew after `first` steps, then after `multiplier` times as many, and so on.
  case restarts(first: Int, multiplier: Int = 1, minimum: Double = 0)
  /// From `from` · η to `to` · η in equal steps, then `to` · η.
  case warmUp(steps: Int, from: Double = 0.1, to: Double = 1)
  /// `factor` · η for some steps, then η.
  case held(factor: Double, steps: Int)
  /// η (1 − step / steps)^power, then 0.
  case polynomial(steps: Int, power: Double = 1)
  /// Up to `peak` and down to almost nothing (Smith and Topin, 2019). Starts at peak / divisor, ends at that / finalDivisor; η does not matter.
  case oneCycle(
    peak: Double, steps: Int, rising: Double = 0.3, annealing: Annealing = .cosine,
    divisor: Double = 25, finalDivisor: Double = 1e4, threePhase: Bool = false)
  /// Up from `low` to `high` in `rising` steps and down again, over and over (Smith, 2017); η does not matter.
  case triangular(low: Double, high: Double, rising: Int)
  /// One after another, each counting its steps from where it begins.
  case sequence([Schedule], switchingAt: [Int])

  /// The rate of step `step` for the base rate η.
  public func rate(at step: Int, base: Double) -> Double {
    switch self {
    case .constant: return base
    case .steps(let every, let factor): return base * pow(factor, Double(step / max(1, every)))
    case .milestones(let milestones, let factor):
      return base * pow(factor, Double(milestones.count { $0 <= step }))
    case .exponential(let factor): return base * pow(factor, Double(step))
    case .decay(let factor, let every, let from):
      return step < from ? base : base * pow(factor, Double((step - from) / max(1, every) + 1))
    case .cosine(let steps, let minimum):
      return Self.cosine(Double(step) / Double(max(1, steps)), base, minimum)
    case .restarts(let first, let multiplier, let minimum):
      let (position, length) = Self.cycle(step, first, multiplier)
      return Self.cosine(Double(position) / Double(length), base, minimum)
    case .warmUp(let steps, let from, let to):
      let share = Double(min(step, steps)) / Double(max(1, steps))
      return base * (from + (to - from) * share)
    case .held(let factor, let steps): return step < steps ? base * factor : base
    case .polynomial(let steps, let power):
      return base * pow(1 - Double(min(step, steps)) / Double(max(1, steps)), power)
    case .oneCycle(
      let peak, let steps, let rising, let annealing, let divisor, let final, let three):
      return Self.oneCycle(step, peak, Double(steps), rising, annealing, divisor, final, three)
    case .triangular(let low, let high, let rising):
      let x = Double(step % max(1, 2 * rising)) / Double(max(1, rising))
      return low + (high - low) * (1 - abs(x - 1))
    case .sequence(let schedules, let starts):
      let index = min(starts.count { $0 <= step }, schedules.count - 1)
      guard index >= 0 else { return base }
      return schedules[index].rate(at: step - (index > 0 ? starts[index - 1] : 0), base: base)
    }
  }

  private static func cosine(_ share: Double, _ from: Double, _ to: Double) -> Double {
    to + (from - to) * (1 + cos(.pi * share)) / 2
  }

  /// Where in which cycle the step is.
  private static func cycle(_ step: Int, _ first: Int, _ multiplier: Int) -> (Int, Int) {
    var (position, length) = (step, max(1, first))
    if multiplier <= 1 { return (position % length, length) }
    while position >= length {
      position -= length
      length *= multiplier
    }
    return (position, length)
  }

  private static func oneCycle(
    _ step: Int, _ peak: Double, _ steps: Double, _ rising: Double, _ annealing: Annealing,
    _ divisor: Double, _ finalDivisor: Double, _ threePhase: Bool
  ) -> Double {
    let start = peak / divisor
    let end = start / finalDivisor
    let top = rising * steps - 1
    let phases =
      threePhase
      ? [(top, start, peak), (2 * rising * steps - 2, peak, start), (steps - 1, start, end)]
      : [(top, start, peak), (steps - 1, peak, end)]
    var begin = 0.0
    for (index, (until, from, to)) in phases.enumerated() {
      if Double(step) <= until || index == phases.count - 1 {
        let share = until > begin ? min(1, (Double(step) - begin) / (until - begin)) : 1
        return annealing == .cosine ? cosine(share, from, to) : from + (to - from) * share
      }
      begin = until
    }
    return end
  }
}

/// Lowers the rate when a measure has stopped getting better.
///
/// ```swift
/// var plateau = Plateau(rate: 0.1, factor: 0.5, patience: 3)
/// optimizer.learningRate = plateau.rate(after: validationLoss)
/// ```
public struct Plateau: Hashable, Sendable, Codable {
  /// Which measures are better.
  public enum Goal: String, Hashable, Sendable, Codable { case smaller, larger }
  /// By how much a measure must be better than the best to count.
  public enum Threshold: Hashable, Sendable, Codable {
    /// As a share of the best.
    case relative(Double)
    case absolute(Double)
  }

  /// Which measures are better.
  public var goal: Goal
  /// What the rate is multiplied by.
  public var factor: Double
  /// How many times in a row the measure may fail to get better.
  public var patience: Int
  /// By how much it must get better to count.
  public var threshold: Threshold
  /// How many measures after a change count for nothing.
  public var cooldown: Int
  /// The lowest rate.
  public var minimum: Double
  /// The rate now.
  public private(set) var rate: Double
  /// The best measure so far.
  public private(set) var best: Double?
  private var failures = 0
  private var resting = 0

  /// Starts at `rate`; the defaults are PyTorch's.
  public init(
    rate: Double, goal: Goal = .smaller, factor: Double = 0.1, patience: Int = 10,
    threshold: Threshold = .relative(1e-4), cooldown: Int = 0, minimum: Double = 0
  ) {
    (self.rate, self.goal, self.factor, self.patience) = (rate, goal, factor, patience)
    (self.threshold, self.cooldown, self.minimum) = (threshold, cooldown, minimum)
  }

  /// Takes a measure in and gives the rate to go on with.
  public mutating func rate(after measure: Double) -> Double {
    if isBetter(measure) {
      best = measure
      failures = 0
    } else {
      failures += 1
    }
    if resting > 0 {
      resting -= 1
      failures = 0
    }
    if failures > patience {
      let lower = max(rate * factor, minimum)
      // A change too small to matter is none.
      if rate - lower > 1e-8 { rate = lower }
      resting = cooldown
      failures = 0
    }
    return rate
  }

  private func isBetter(_ measure: Double) -> Bool {
    guard let best else { return !measure.isNaN }
    switch (goal, threshold) {
    case (.smaller, .relative(let share)): return measure < best * (1 - share)
    case (.smaller, .absolute(let gap)): return measure < best - gap
    case (.larger, .relative(let share)): return measure > best * (1 + share)
    case (.larger, .absolute(let gap)): return measure > best + gap
    }
  }
}
