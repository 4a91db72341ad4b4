/// A way from numbers in 0…1 to colours.
public struct ColourMap: Sendable, Hashable {
  /// Evenly spaced colours; those between are mixed.
  public let stops: [RGB]
  /// Whether the middle stands for zero, with negative on one side and positive on the other.
  public let isDiverging: Bool
  /// The colour of what is not a number.
  public let missing: RGB

  public init(_ stops: [RGB], isDiverging: Bool = false, missing: RGB = RGB(0xC8CCD1)) {
    (self.stops, self.isDiverging, self.missing) = (stops, isDiverging, missing)
  }

  /// The colour at `fraction`, clamped to 0…1.
  public func colour(_ fraction: Double) -> RGB {
    guard !fraction.isNaN, let first = stops.first else { return missing }
    let place = min(max(fraction, 0), 1) * Double(stops.count - 1)
    let index = Int(place)
    guard index + 1 < stops.count else { return stops.last ?? first }
    return stops[index].mixed(with: stops[index + 1], place - Double(index))
  }

  /// Dark violet over green to yellow: even steps to the eye, and in grey print.
  public static let viridis = ColourMap(
    [
      0x440154, 0x482475, 0x414487, 0x355F8D, 0x2A788E, 0x21918C, 0x22A884, 0x44BF70, 0x7AD151,
      0xBDDF26, 0xFDE725,
    ].map { RGB($0) })

  /// Black to white.
  public static let grey = ColourMap([RGB(0x000000), RGB(0xFFFFFF)])

  /// White to dark blue, for counts.
  public static let blues = ColourMap(
    [0xF7FBFF, 0xDEEBF7, 0xC6DBEF, 0x9ECAE1, 0x6BAED6, 0x4292C6, 0x2171B5, 0x08519C, 0x08306B]
      .map { RGB($0) })

  /// Blue over white to red, for values either side of zero: weights, saliency, differences.
  public static let diverging = ColourMap(
    [
      0x053061, 0x2166AC, 0x4393C3, 0x92C5DE, 0xD1E5F0, 0xF7F7F7, 0xFDDBC7, 0xF4A582, 0xD6604D,
      0xB2182B, 0x67001F,
    ].map { RGB($0) }, isDiverging: true)

  /// The range of values the colours span: that of the finite values, the same both ways of zero
  /// for a diverging map.
  package func range(of values: some Sequence<Double>) -> ClosedRange<Double>? {
    guard let found = finiteRange(values) else { return nil }
    if isDiverging {
      let reach = max(found.lowerBound.magnitude, found.upperBound.magnitude)
      return -reach...reach
    }
    return found
  }
}

/// The least and greatest finite value.
package func finiteRange(_ values: some Sequence<Double>) -> ClosedRange<Double>? {
  var (low, high) = (Double.infinity, -Double.infinity)
  for value in values where value.isFinite {
    if value < low { low = value }
    if value > high { high = value }
  }
  return low <= high ? low...high : nil
}
