import Foundation

/// One axis of a chart.
public struct Axis: Sendable, Equatable {
  /// How values are spread along an axis.
  public enum Scale: String, Sendable, Codable {
    case linear
    /// Equal ratios are equal distances; values that are not positive are left out.
    case log
  }

  /// What is measured, with its unit.
  public var label: String
  public var scale: Scale
  /// The values at the ends; found from the data when nil.
  public var range: ClosedRange<Double>?

  public init(_ label: String = "", scale: Scale = .linear, range: ClosedRange<Double>? = nil) {
    (self.label, self.scale, self.range) = (label, scale, range)
  }
}

extension Axis: ExpressibleByStringLiteral {
  public init(stringLiteral value: String) { self.init(value) }
}

/// The way from values to pixels along one axis.
package struct Scale: Equatable {
  package let kind: Axis.Scale
  package let low: Double
  package let high: Double
  /// The pixels at `low` and at `high`.
  package var start: Double = 0
  package var end: Double = 1

  /// Values so large that the span of an axis would overflow are treated as this.
  private static let limit = 5e307

  /// The span of `data` with a little room at both ends, or the range that was asked for.
  ///
  /// - Returns: nil when there is nothing this scale can show.
  package init?(_ axis: Axis, data: ClosedRange<Double>?, padding: Double) {
    kind = axis.scale
    if let range = axis.range, range.lowerBound.isFinite, range.upperBound.isFinite,
      kind == .linear || range.lowerBound > 0, range.lowerBound < range.upperBound
    {
      (low, high) = Self.clamped(range.lowerBound, range.upperBound)
      return
    }
    guard let data, kind == .linear || data.upperBound > 0 else { return nil }
    switch kind {
    case .linear:
      let (least, most) = Self.clamped(data.lowerBound, data.upperBound)
      let reach = max(least.magnitude, most.magnitude)
      let span = most - least
      if span <= max(reach * 1e-9, 1e-290) {
        let room = reach < 1e-280 ? 1 : reach * 0.5
        (low, high) = (least - room, most + room)
      } else {
        (low, high) = (least - span * padding, most + span * padding)
      }
    case .log:
      let least = max(data.lowerBound, .leastNormalMagnitude)
      let most = max(data.upperBound, least)
      if most / least < 1.0001 {
        (low, high) = (least / 2, min(most, Self.limit) * 2)
      } else {
        let room = pow(10, (log10(most) - log10(least)) * padding)
        (low, high) = (max(least / room, .leastNormalMagnitude), min(most * room, Self.limit))
      }
    }
  }

  private static func clamped(_ low: Double, _ high: Double) -> (Double, Double) {
    (min(max(low, -limit), limit), min(max(high, -limit), limit))
  }

  /// Where `value` is, in pixels; NaN for what the scale cannot show.
  package func position(_ value: Double) -> Double {
    guard value.isFinite else { return .nan }
    let fraction: Double
    switch kind {
    case .linear: fraction = (value - low) / (high - low)
    case .log:
      if value <= 0 { return .nan }
      fraction = (log10(value) - log10(low)) / (log10(high) - log10(low))
    }
    return start + fraction * (end - start)
  }

  package func contains(_ value: Double) -> Bool { value >= low && value <= high }
}
