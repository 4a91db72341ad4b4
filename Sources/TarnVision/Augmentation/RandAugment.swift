import Foundation
import TarnCore
import TarnData

/// Some changes, drawn at random from fourteen, all of one strength.
///
/// Cubuk, Zoph, Shlens, Le, *RandAugment*, 2019. Strengths and defaults are torchvision's.
public struct RandAugment: ImageTransform {
  /// Changes a picture gets.
  public var operations: Int
  /// 0…bins − 1.
  public var magnitude: Int
  /// Steps of strength.
  public var bins: Int
  public var interpolation: Interpolation
  /// Nil: black.
  public var fill: [UInt8]?

  public init(
    operations: Int = 2, magnitude: Int = 9, bins: Int = 31,
    interpolation: Interpolation = .nearest, fill: [UInt8]? = nil
  ) {
    (self.operations, self.magnitude, self.bins) = (operations, magnitude, bins)
    (self.interpolation, self.fill) = (interpolation, fill)
    if operations < 0 || bins < 2 || !(0..<max(bins, 1)).contains(magnitude) {
      Diagnostic.report(
        Diagnostic(
          operation: "RandAugment", reason: "the magnitude lies in 0..<bins, and there are 2 bins",
          facts: ["operations \(operations), magnitude \(magnitude), bins \(bins)"]))
    }
  }

  /// One of the changes.
  public enum Change: String, Sendable, CaseIterable {
    case identity, shearX, shearY, translateX, translateY, rotate, brightness, colour, contrast,
      sharpness, posterize, solarize, autocontrast, equalize

    /// Whether it goes in two directions.
    var isSigned: Bool {
      switch self {
      case .identity, .posterize, .solarize, .autocontrast, .equalize: false
      default: true
      }
    }
  }

  public func callAsFunction(_ image: Image, using generator: inout SeededGenerator) -> Image {
    (0..<max(0, operations)).reduce(image) { image, _ in
      let change = Change.allCases[generator.integer(below: Change.allCases.count)]
      let isNegative = change.isSigned && generator.chance(0.5)
      return apply(change, to: image, isNegative: isNegative)
    }
  }

  /// One change of this strength.
  public func apply(_ change: Change, to image: Image, isNegative: Bool = false) -> Image {
    let part = Double(magnitude) / Double(max(1, bins - 1))
    let sign = isNegative ? -1.0 : 1.0
    func moved(_ map: AffineMap, centre: [Double]? = nil) -> Image {
      image.transformed(map, centre: centre, interpolation: interpolation, fill: fill)
    }
    let sheared = atan(sign * 0.3 * part) * 180 / .pi
    let factor = 1 + sign * 0.9 * part
    switch change {
    case .identity: return image
    case .shearX: return moved(AffineMap(shear: [sheared, 0]), centre: [0, 0])
    case .shearY: return moved(AffineMap(shear: [0, sheared]), centre: [0, 0])
    case .translateX:
      let shift = (sign * 150 / 331 * Double(image.width) * part).rounded(.towardZero)
      return moved(AffineMap(translation: [shift, 0]))
    case .translateY:
      let shift = (sign * 150 / 331 * Double(image.height) * part).rounded(.towardZero)
      return moved(AffineMap(translation: [0, shift]))
    case .rotate:
      return image.rotated(degrees: sign * 30 * part, interpolation: interpolation, fill: fill)
    case .brightness: return image.brightened(by: factor)
    case .colour: return image.saturated(by: factor)
    case .contrast: return image.contrasted(by: factor)
    case .sharpness: return image.sharpened(by: factor)
    case .posterize: return image.posterized(bits: 8 - Int((4 * part).rounded(.toNearestOrEven)))
    case .solarize: return image.solarized(threshold: Int((255 * (1 - part)).rounded(.up)))
    case .autocontrast: return image.autocontrasted
    case .equalize: return image.equalized
    }
  }
}
