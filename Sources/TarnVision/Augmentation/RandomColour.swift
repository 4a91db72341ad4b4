import TarnCore
import TarnData

/// Brightness, contrast, saturation and hue changed by random factors, in random order.
///
/// Factors are uniform in max(0, 1 − x) … 1 + x, the turn of the hue in −hue … hue.
public struct ColourJitter: ImageTransform {
  public var brightness: Double
  public var contrast: Double
  public var saturation: Double
  /// 0…½ of the circle of hues.
  public var hue: Double

  public init(
    brightness: Double = 0, contrast: Double = 0, saturation: Double = 0, hue: Double = 0
  ) {
    (self.brightness, self.contrast) = (brightness, contrast)
    (self.saturation, self.hue) = (saturation, hue)
    if min(brightness, contrast, saturation, hue) < 0 || hue > 0.5 {
      Diagnostic.report(
        Diagnostic(
          operation: "ColourJitter", reason: "amounts must be 0 or more, and the hue's ½ at most",
          facts: [
            "brightness \(brightness), contrast \(contrast), saturation \(saturation), hue \(hue)"
          ]))
    }
  }

  public func callAsFunction(_ image: Image, using generator: inout SeededGenerator) -> Image {
    let order = generator.permutation(4)
    func factor(_ amount: Double) -> Double {
      generator.uniform(max(0, 1 - amount)...max(0, 1 + amount))
    }
    let factors = [brightness, contrast, saturation].map(factor)
    let turn = generator.uniform(-abs(hue)...abs(hue))
    return order.reduce(image) { image, step in
      switch step {
      case 0: brightness > 0 ? image.brightened(by: factors[0]) : image
      case 1: contrast > 0 ? image.contrasted(by: factors[1]) : image
      case 2: saturation > 0 ? image.saturated(by: factors[2]) : image
      default: hue > 0 ? image.hueTurned(by: turn) : image
      }
    }
  }
}

/// The picture in grey, with a probability, and with as many channels as before.
public struct RandomGrey: ImageTransform {
  public var probability: Double
  public init(probability: Double = 0.1) { self.probability = probability }

  public func callAsFunction(_ image: Image, using generator: inout SeededGenerator) -> Image {
    guard generator.chance(probability), image.channels == 3 else { return image }
    return image.grey.colour
  }
}
