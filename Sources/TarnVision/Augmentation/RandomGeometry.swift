import TarnCore
import TarnData

/// Left and right exchanged, with a probability.
public struct RandomHorizontalFlip: ImageTransform {
  public var probability: Double
  public init(probability: Double = 0.5) { self.probability = probability }

  public func callAsFunction(_ image: Image, using generator: inout SeededGenerator) -> Image {
    generator.chance(probability) ? image.flippedHorizontally : image
  }
}

/// Top and bottom exchanged, with a probability.
public struct RandomVerticalFlip: ImageTransform {
  public var probability: Double
  public init(probability: Double = 0.5) { self.probability = probability }

  public func callAsFunction(_ image: Image, using generator: inout SeededGenerator) -> Image {
    generator.chance(probability) ? image.flippedVertically : image
  }
}

/// The picture turned about its middle by a random angle, counterclockwise.
public struct RandomRotation: ImageTransform {
  public var degrees: ClosedRange<Double>
  public var interpolation: Interpolation
  /// Makes the result so large that nothing is cut off.
  public var expands: Bool
  /// Of what is turned in; nil: black.
  public var fill: [UInt8]?

  public init(
    _ degrees: ClosedRange<Double>, interpolation: Interpolation = .nearest, expands: Bool = false,
    fill: [UInt8]? = nil
  ) {
    (self.degrees, self.interpolation) = (degrees, interpolation)
    (self.expands, self.fill) = (expands, fill)
  }

  /// From −degrees to degrees.
  public init(_ degrees: Double, interpolation: Interpolation = .nearest) {
    self.init(-abs(degrees)...abs(degrees), interpolation: interpolation)
  }

  public func callAsFunction(_ image: Image, using generator: inout SeededGenerator) -> Image {
    image.rotated(
      degrees: generator.uniform(degrees), interpolation: interpolation, expands: expands,
      fill: fill)
  }
}

/// The picture turned, shifted, scaled and sheared at random.
public struct RandomAffine: ImageTransform {
  public var degrees: ClosedRange<Double>
  /// The largest shifts, as shares of width and height.
  public var translation: [Double]?
  public var scale: ClosedRange<Double>?
  /// Degrees along x and y.
  public var shear: [ClosedRange<Double>]
  public var interpolation: Interpolation
  /// Nil: black.
  public var fill: [UInt8]?

  public init(
    degrees: ClosedRange<Double>, translation: [Double]? = nil, scale: ClosedRange<Double>? = nil,
    shear: [ClosedRange<Double>] = [], interpolation: Interpolation = .nearest, fill: [UInt8]? = nil
  ) {
    (self.degrees, self.translation, self.scale) = (degrees, translation, scale)
    (self.shear, self.interpolation, self.fill) = (shear, interpolation, fill)
    if let scale, scale.lowerBound <= 0 {
      Diagnostic.report(
        Diagnostic(
          operation: "RandomAffine", reason: "scales must be above 0", facts: ["scale \(scale)"]))
    }
  }

  public func callAsFunction(_ image: Image, using generator: inout SeededGenerator) -> Image {
    var map = AffineMap(angle: generator.uniform(degrees))
    if let translation {
      map.translation = [
        generator.shift((translation.first ?? 0) * Double(image.width)),
        generator.shift((translation.last ?? 0) * Double(image.height)),
      ]
    }
    if let scale { map.scale = generator.uniform(scale) }
    for (axis, range) in shear.prefix(2).enumerated() { map.shear[axis] = generator.uniform(range) }
    return image.transformed(map, interpolation: interpolation, fill: fill)
  }
}
