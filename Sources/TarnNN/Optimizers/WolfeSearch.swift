import TarnCore

/// A step length t along d at which the function has fallen by c₁ t times the slope and the slope to c₂ of itself.
struct WolfeSearch {
  let x: Tensor
  let d: Tensor
  let start: Point
  let slope: Double
  let evaluate: (Tensor) -> Point
  private(set) var evaluations = 0
  private let c1 = 1e-4
  private let c2 = 0.9
  private let tolerance = 1e-9
  private let limit = 25

  private struct Trial {
    var t: Double
    var point: Point
    var slope: Double
  }

  init(
    x: Tensor, d: Tensor, start: Point, slope: Double, evaluate: @escaping (Tensor) -> Point
  ) {
    (self.x, self.d, self.start, self.slope, self.evaluate) = (x, d, start, slope, evaluate)
  }

  private mutating func attempt(_ t: Double) -> Trial {
    evaluations += 1
    let point = evaluate(x + d * t)
    return Trial(t: t, point: point, slope: (point.gradient * d).sum().item())
  }

  private func fallsEnough(_ trial: Trial) -> Bool {
    trial.point.value <= start.value + c1 * trial.t * slope
  }
  private func isFlatEnough(_ trial: Trial) -> Bool { abs(trial.slope) <= -c2 * slope }

  mutating func run(from t: Double) -> (Point, Double) {
    var iterations = 0
    var (low, high, isDone) = bracket(from: t, &iterations)
    if !isDone { zoom(&low, &high, &iterations) }
    return (low.point, low.t)
  }

  /// Two lengths between which a good one lies, the better first; or a good one.
  private mutating func bracket(
    from t: Double, _ iterations: inout Int
  ) -> (low: Trial, high: Trial, isDone: Bool) {
    func ordered(_ a: Trial, _ b: Trial) -> (low: Trial, high: Trial, isDone: Bool) {
      a.point.value <= b.point.value ? (a, b, false) : (b, a, false)
    }
    let origin = Trial(t: 0, point: start, slope: slope)
    var previous = origin
    var trial = attempt(t)
    while iterations < limit {
      if !fallsEnough(trial) || (iterations > 1 && trial.point.value >= previous.point.value) {
        return ordered(previous, trial)
      }
      if isFlatEnough(trial) { return (trial, trial, true) }
      if trial.slope >= 0 { return ordered(previous, trial) }
      let bounds = (trial.t + 0.01 * (trial.t - previous.t), trial.t * 10)
      let next = Self.cubicMinimum(previous, trial, bounds)
      previous = trial
      trial = attempt(next)
      iterations += 1
    }
    return ordered(origin, trial)
  }

  /// Narrows the bracket until its better end is good.
  private mutating func zoom(
    _ low: inout Trial, _ high: inout Trial, _ iterations: inout Int
  ) {
    let extent = d.abs().max().item()
    // The interpolation takes the ends in the order in which they were put in.
    var lowIsFirst = low.t <= high.t
    var wasNearEnd = false
    while iterations < limit {
      if abs(high.t - low.t) * extent < tolerance { return }
      let (a, b) = lowIsFirst ? (low, high) : (high, low)
      var t = Self.cubicMinimum(a, b, (min(a.t, b.t), max(a.t, b.t)))
      let (left, right) = (min(a.t, b.t), max(a.t, b.t))
      let margin = 0.1 * (right - left)
      if min(right - t, t - left) < margin {
        if wasNearEnd || t >= right || t <= left {
          t = abs(t - right) < abs(t - left) ? right - margin : left + margin
          wasNearEnd = false
        } else {
          wasNearEnd = true
        }
      } else {
        wasNearEnd = false
      }
      let trial = attempt(t)
      iterations += 1
      if !fallsEnough(trial) || trial.point.value >= low.point.value {
        high = trial
        let (f0, f1) = lowIsFirst ? (low, high) : (high, low)
        if (f0.point.value <= f1.point.value) != lowIsFirst {
          swap(&low, &high)
          lowIsFirst.toggle()
        }
      } else {
        let isDone = isFlatEnough(trial)
        if !isDone, trial.slope * (high.t - low.t) >= 0 { high = low }
        low = trial
        if isDone { return }
      }
    }
  }

  /// Where the cubic through both values and slopes is least, within bounds.
  private static func cubicMinimum(
    _ a: Trial, _ b: Trial, _ bounds: (Double, Double)
  ) -> Double {
    let d1 = a.slope + b.slope - 3 * (a.point.value - b.point.value) / (a.t - b.t)
    let square = d1 * d1 - a.slope * b.slope
    guard square >= 0 else { return (bounds.0 + bounds.1) / 2 }
    let d2 = square.squareRoot()
    let minimum =
      a.t <= b.t
      ? b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
      : a.t - (a.t - b.t) * ((a.slope + d2 - d1) / (a.slope - b.slope + 2 * d2))
    return min(max(minimum, bounds.0), bounds.1)
  }
}
