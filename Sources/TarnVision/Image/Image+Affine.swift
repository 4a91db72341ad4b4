import CTarnImages
import Foundation
import TarnCore

/// A map of the plane: turned, shifted, scaled and sheared, in this order from the right.
///
/// With the centre c, M = T(t) · T(c) · R(angle) · Shear · Scale · T(−c), as torchvision's `affine`.
public struct AffineMap: Sendable, Hashable, Codable {
  /// Degrees, clockwise.
  public var angle: Double
  /// Pixels to the right and down.
  public var translation: [Double]
  public var scale: Double
  /// Degrees along x and y.
  public var shear: [Double]

  public init(
    angle: Double = 0, translation: [Double] = [0, 0], scale: Double = 1, shear: [Double] = [0, 0]
  ) {
    (self.angle, self.translation, self.scale, self.shear) = (angle, translation, scale, shear)
  }

  /// [a, b, c, d, e, f]: the place (x, y) of the result comes from (a x + b y + c, d x + e y + f).
  func inverse(centre: (x: Double, y: Double)) -> [Double] {
    let (rotation, sx, sy) = (
      angle * .pi / 180, (shear.first ?? 0) * .pi / 180, (shear.last ?? 0) * .pi / 180
    )
    let a = cos(rotation - sy) / cos(sy)
    let b = -cos(rotation - sy) * tan(sx) / cos(sy) - sin(rotation)
    let c = sin(rotation - sy) / cos(sy)
    let d = -sin(rotation - sy) * tan(sx) / cos(sy) + cos(rotation)
    var m = [d, -b, 0, -c, a, 0].map { $0 / scale }
    let (tx, ty) = (translation.first ?? 0, translation.last ?? 0)
    m[2] += m[0] * (-centre.x - tx) + m[1] * (-centre.y - ty) + centre.x
    m[5] += m[3] * (-centre.x - tx) + m[4] * (-centre.y - ty) + centre.y
    return m
  }
}

extension Image {
  /// The picture moved by a map.
  /// - Parameters:
  ///   - centre: [x, y], what it turns about; by default the middle.
  ///   - fill: the colour where the picture leaves room, by default black.
  public func transformed(
    _ map: AffineMap, centre: [Double]? = nil, interpolation: Interpolation = .nearest,
    fill: [UInt8]? = nil
  ) -> Image {
    let m = map.inverse(
      centre: (centre?.first ?? Double(width) / 2, centre?.last ?? Double(height) / 2))
    return transformed(m, width: width, height: height, interpolation, fill ?? black)
  }

  /// The picture turned about its middle, counterclockwise.
  /// - Parameters:
  ///   - degrees: the angle.
  ///   - expands: makes the result so large that nothing is cut off.
  public func rotated(
    degrees: Double, interpolation: Interpolation = .nearest, expands: Bool = false,
    fill: [UInt8]? = nil
  ) -> Image {
    let turns = degrees / 90
    if turns == turns.rounded(), expands || turns.remainder(dividingBy: 2) == 0 || width == height {
      return turned(quarters: Int(turns.remainder(dividingBy: 4)))
    }
    let angle = -degrees * .pi / 180
    var m = [cos(angle), sin(angle), 0, -sin(angle), cos(angle), 0].map {
      ($0 * 1e15).rounded() / 1e15
    }
    let (w, h) = (Double(width), Double(height))
    func moved(_ x: Double, _ y: Double) -> (Double, Double) {
      (m[0] * x + m[1] * y + m[2], m[3] * x + m[4] * y + m[5])
    }
    let middle = moved(-w / 2, -h / 2)
    (m[2], m[5]) = (middle.0 + w / 2, middle.1 + h / 2)
    var (newWidth, newHeight) = (width, height)
    if expands {
      let corners = [moved(0, 0), moved(w, 0), moved(w, h), moved(0, h)]
      let (xs, ys) = (corners.map(\.0), corners.map(\.1))
      newWidth = Int((xs.max() ?? w).rounded(.up)) - Int((xs.min() ?? 0).rounded(.down))
      newHeight = Int((ys.max() ?? h).rounded(.up)) - Int((ys.min() ?? 0).rounded(.down))
      let shifted = moved(-Double(newWidth - width) / 2, -Double(newHeight - height) / 2)
      (m[2], m[5]) = shifted
    }
    return transformed(m, width: newWidth, height: newHeight, interpolation, fill ?? black)
  }

  /// - Parameter m: where each place of the result comes from. Bicubic is taken as bilinear.
  func transformed(
    _ m: [Double], width newWidth: Int, height newHeight: Int, _ interpolation: Interpolation,
    _ fill: [UInt8]
  ) -> Image {
    guard m.allSatisfy({ abs($0) < 1e9 }) else {
      return Diagnostic.report(
        Diagnostic(
          operation: "transformed", reason: "the map is not a finite one", facts: ["\(m)"],
          hint: "give a scale other than 0"), giving: self)
    }
    let colour = fill.count == channels ? fill : black
    let filter = interpolation == .nearest ? interpolation : .bilinear
    return Image.filling(width: newWidth, height: newHeight, channels: channels) { room in
      tarn_image_affine(
        bytes, Int32(width), Int32(height), Int32(channels), m, filter.filter, colour, room,
        Int32(newWidth), Int32(newHeight))
    }
  }
}
