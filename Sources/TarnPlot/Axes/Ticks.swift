import Foundation

/// A mark on an axis; those without a label are the short ones between.
package struct Tick: Equatable {
  package let value: Double
  package let label: String
}

/// Chooses the marks of an axis.
package enum Ticks {
  /// About `target` marks inside `scale`.
  package static func choose(_ scale: Scale, target: Int, wholeNumbers: Bool = false) -> [Tick] {
    switch scale.kind {
    case .linear: linear(scale.low, scale.high, target: target, wholeNumbers: wholeNumbers)
    case .log: logarithmic(scale.low, scale.high, target: target)
    }
  }

  /// Multiples of 1, 2 or 5 times a power of ten, at most `target` + 1 of them.
  package static func linear(
    _ low: Double, _ high: Double, target: Int, wholeNumbers: Bool = false
  ) -> [Tick] {
    let span = high - low
    guard span > 0, span.isFinite, target > 0 else { return [] }
    var exponent = Int(floor(log10(span / Double(target))))
    var factor = 1.0
    let unit = power(exponent)
    let wanted = span / Double(target) / unit
    if wanted <= 1 {
      factor = 1
    } else if wanted <= 2 {
      factor = 2
    } else if wanted <= 5 {
      factor = 5
    } else {
      exponent += 1
    }
    if wholeNumbers && exponent < 0 { (factor, exponent) = (1, 0) }
    let values = multiples(of: factor, exponent, from: low, to: high)
    return zip(values, labels(values, exponent: exponent)).map { Tick(value: $0, label: $1) }
  }

  private static func power(_ exponent: Int) -> Double { pow(10, Double(exponent)) }

  private static func multiples(
    of factor: Double, _ exponent: Int, from low: Double, to high: Double
  ) -> [Double] {
    let step = factor * power(exponent)
    let first = (low / step - 1e-9).rounded(.up)
    let last = (high / step + 1e-9).rounded(.down)
    guard first.isFinite, last.isFinite, first <= last else { return [] }
    return (0...Int(min(last - first, 1000))).map { index in
      let count = (first + Double(index)) * factor
      // Dividing by a whole power gives the nearest number to 0.3 where multiplying by 0.1 does
      // not.
      let value =
        exponent < 0 && exponent > -300 ? count / power(-exponent) : count * power(exponent)
      return value == 0 ? 0 : value
    }
  }

  /// The numbers with just the digits that tell them apart.
  private static func labels(_ values: [Double], exponent: Int) -> [String] {
    let greatest = values.reduce(0) { max($0, $1.magnitude) }
    guard greatest > 0 else { return values.map { _ in "0" } }
    let magnitude = Int(floor(log10(greatest) + 1e-12))
    let decimals = max(-exponent, 0)
    let mantissa = max(magnitude - exponent, 0)
    if (magnitude < 7 && decimals <= 4) || (mantissa > 4 && magnitude < 12 && decimals <= 8) {
      return values.map { NumberText.fixed($0, decimals: decimals) }
    }
    return values.map { NumberText.scientific($0, decimals: mantissa) }
  }

  /// Powers of ten, with unlabelled marks between; 1, 2 and 5 times them where the axis spans two
  /// decades at most,
  /// and linear marks where it spans less than one.
  package static func logarithmic(_ low: Double, _ high: Double, target: Int) -> [Tick] {
    guard low > 0, high > low, high.isFinite, target > 0 else { return [] }
    let first = Int((log10(low) - 1e-9).rounded(.up))
    let last = Int((log10(high) + 1e-9).rounded(.down))
    let decades = last - first + 1
    if high / low < 150 { return withinDecades(low, high, target: target) }
    let needed = max((decades + target - 1) / target, 1)
    let stride = [1, 2, 3, 5, 10, 20, 50, 100].first { $0 >= needed } ?? needed
    let isPlain = first >= -4 && last <= 5
    var ticks: [Tick] = []
    for exponent in (first - 1)...last {
      let isShown = exponent >= first && exponent % stride == 0
      if isShown {
        let label = isPlain ? NumberText.short(power(exponent)) : NumberText.powerOfTen(exponent)
        ticks.append(Tick(value: power(exponent), label: label))
      } else if exponent >= first && decades <= 40 {
        ticks.append(Tick(value: power(exponent), label: ""))
      }
      guard decades <= 5 else { continue }
      for digit in 2...9 {
        let value = Double(digit) * power(exponent)
        if value >= low && value <= high { ticks.append(Tick(value: value, label: "")) }
      }
    }
    return ticks
  }

  private static func withinDecades(_ low: Double, _ high: Double, target: Int) -> [Tick] {
    var ticks: [Tick] = []
    let first = Int(floor(log10(low)))
    let last = Int(floor(log10(high)))
    for exponent in first...max(first, last) {
      for digit in 1...9 {
        let value = Double(digit) * power(exponent)
        guard value >= low, value <= high else { continue }
        let label = [1, 2, 5].contains(digit) ? NumberText.short(value) : ""
        ticks.append(Tick(value: value, label: label))
      }
    }
    if ticks.count(where: { !$0.label.isEmpty }) >= 3 { return ticks }
    return linear(low, high, target: target).filter { $0.value > 0 }
  }
}
