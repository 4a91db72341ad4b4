/// How far predicted numbers are from actual ones.
///
/// ```swift
/// var errors = RegressionErrors()
/// errors.add(predicted: [2.5, 0, 2, 8], actual: [3, -0.5, 2, 7])
/// errors.meanAbsolute  // 0.5
/// errors.rSquared      // 0.9486
/// ```
///
/// The spread of the actual values is gathered by the way of Welford (1962), and merged by that of
/// Chan, Golub and
/// LeVeque (1983), so that values far from zero lose no digits.
public struct RegressionErrors: Metric {
  public private(set) var count = 0
  private var sumAbsolute = 0.0
  private var sumSquared = 0.0
  private var mean = 0.0
  /// `Σ (actualᵢ − mean)²`.
  private var spread = 0.0

  public init() {}

  /// Adds predicted and actual numbers. Lengths that differ are reported.
  public mutating func add(predicted: [Double], actual: [Double]) {
    guard
      lengthsAgree("RegressionErrors.add", ("predicted", predicted.count), ("actual", actual.count))
    else { return }
    for (guess, truth) in zip(predicted, actual) {
      let error = truth - guess
      sumAbsolute += error.magnitude
      sumSquared += error * error
      count += 1
      let distance = truth - mean
      mean += distance / Double(count)
      spread += distance * (truth - mean)
    }
  }

  public mutating func merge(_ other: RegressionErrors) {
    guard other.count > 0 else { return }
    let all = Double(count + other.count)
    let distance = other.mean - mean
    spread += other.spread + distance * distance * Double(count) * Double(other.count) / all
    mean += distance * Double(other.count) / all
    sumAbsolute += other.sumAbsolute
    sumSquared += other.sumSquared
    count += other.count
  }

  /// `Σ |actual − predicted| / n`; NaN of nothing.
  public var meanAbsolute: Double { sumAbsolute / Double(count) }

  /// `Σ (actual − predicted)² / n`; NaN of nothing.
  public var meanSquared: Double { sumSquared / Double(count) }

  /// The square root of ``meanSquared``.
  public var rootMeanSquared: Double { meanSquared.squareRoot() }

  /// The share of the spread that is explained: `1 − Σ (actual − predicted)² / Σ (actual − mean)²`.
  ///
  /// NaN for fewer than two examples. Where all actual values are equal: 1 if every prediction is
  /// exact, else 0.
  public var rSquared: Double {
    if count < 2 { return .nan }
    if spread == 0 { return sumSquared == 0 ? 1 : 0 }
    return 1 - sumSquared / spread
  }

  /// ``rootMeanSquared``.
  public var value: Double { rootMeanSquared }
}
