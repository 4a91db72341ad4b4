import Foundation

/// A colour: red, green and blue from 0 to 255.
public struct RGB: Sendable, Hashable {
  public let red: UInt8
  public let green: UInt8
  public let blue: UInt8

  public init(red: UInt8, green: UInt8, blue: UInt8) {
    (self.red, self.green, self.blue) = (red, green, blue)
  }

  /// From a number such as `0x0072B2`.
  public init(_ code: UInt32) {
    self.init(
      red: UInt8(truncatingIfNeeded: code >> 16), green: UInt8(truncatingIfNeeded: code >> 8),
      blue: UInt8(truncatingIfNeeded: code))
  }

  /// A grey from 0 (black) to 1 (white); values outside are clamped, NaN is black.
  public init(grey: Double) {
    let level = Self.byte(grey)
    self.init(red: level, green: level, blue: level)
  }

  /// A fraction of full strength as a byte.
  package static func byte(_ fraction: Double) -> UInt8 {
    fraction.isNaN ? 0 : UInt8((min(max(fraction, 0), 1) * 255).rounded())
  }

  /// As CSS and SVG write it: `#0072b2`.
  public var hex: String {
    var text = "#"
    for channel in [red, green, blue] {
      if channel < 16 { text += "0" }
      text += String(channel, radix: 16)
    }
    return text
  }

  /// This colour moved towards `other`: none of it at 0, all of it at 1.
  public func mixed(with other: RGB, _ amount: Double) -> RGB {
    let part = amount.isNaN ? 0 : min(max(amount, 0), 1)
    func blend(_ a: UInt8, _ b: UInt8) -> UInt8 {
      UInt8((Double(a) + (Double(b) - Double(a)) * part).rounded())
    }
    return RGB(
      red: blend(red, other.red), green: blend(green, other.green), blue: blend(blue, other.blue))
  }

  /// Relative luminance from 0 to 1, as the accessibility guidelines of the web define it.
  public var luminance: Double {
    func linear(_ channel: UInt8) -> Double {
      let value = Double(channel) / 255
      return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
    }
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
  }

  /// Dark or white ink, whichever is easier to read on this colour.
  public var readableInk: RGB {
    let dark = Ink.text.luminance
    return (luminance + 0.05) / (dark + 0.05) >= 1.05 / (luminance + 0.05) ? Ink.text : Ink.paper
  }
}

/// Colours for series and classes that people with any colour vision can tell apart:
/// Okabe and Ito's without yellow and black, then three of Paul Tol's.
public enum Palette {
  public static let colours: [RGB] = [
    RGB(0x0072B2), RGB(0xD55E00), RGB(0x009E73), RGB(0xCC79A7), RGB(0xE69F00), RGB(0x56B4E9),
    RGB(0x882255), RGB(0x999933), RGB(0x332288), RGB(0x6E7781),
  ]

  /// The colour of series or class number `index`; they repeat.
  public static func colour(_ index: Int) -> RGB {
    colours[((index % colours.count) + colours.count) % colours.count]
  }
}
