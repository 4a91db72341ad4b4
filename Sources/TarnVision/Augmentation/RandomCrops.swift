import Foundation
import TarnCore
import TarnData

/// A random part of the picture, scaled to one size: of 10 parts with a random share of the area and a
/// random shape the first that fits, otherwise the middle.
///
/// Szegedy and others, *Going Deeper with Convolutions*, 2014. Names and defaults are torchvision's.
public struct RandomResizedCrop: ImageTransform {
  /// [H, W]
  public var size: [Int]
  /// Share of the picture's area.
  public var scale: ClosedRange<Double>
  /// Width over height.
  public var ratio: ClosedRange<Double>
  public var interpolation: Interpolation

  public init(
    _ size: [Int], scale: ClosedRange<Double> = 0.08...1,
    ratio: ClosedRange<Double> = 3 / 4...4 / 3,
    interpolation: Interpolation = .bilinear
  ) {
    self.size = checkedSize(size, "RandomResizedCrop")
    (self.scale, self.ratio, self.interpolation) = (scale, ratio, interpolation)
    if scale.lowerBound < 0 || ratio.lowerBound <= 0 {
      Diagnostic.report(
        Diagnostic(
          operation: "RandomResizedCrop", reason: "shares must be 0 or more, and ratios above 0",
          facts: ["scale \(scale)", "ratio \(ratio)"]))
    }
  }

  /// A square.
  public init(
    _ side: Int, scale: ClosedRange<Double> = 0.08...1, ratio: ClosedRange<Double> = 3 / 4...4 / 3,
    interpolation: Interpolation = .bilinear
  ) {
    self.init([side, side], scale: scale, ratio: ratio, interpolation: interpolation)
  }

  public var outputSize: [Int]? { size }

  public func callAsFunction(
    _ image: Image, using generator: inout SeededGenerator
  ) throws -> Image {
    let area = area(of: (image.width, image.height), using: &generator)
    return resized(
      image.cropped(x: area.x, y: area.y, width: area.width, height: area.height))
  }

  func resized(_ part: Image) -> Image {
    part.resized(width: size[1], height: size[0], interpolation: interpolation)
  }

  /// The part of a picture of this size.
  func area(
    of whole: (width: Int, height: Int), using generator: inout SeededGenerator
  ) -> PixelRectangle {
    let all = Double(whole.width) * Double(whole.height)
    for _ in 0..<10 {
      let area = all * generator.uniform(scale)
      let shape = exp(generator.uniform(log(ratio.lowerBound)...log(ratio.upperBound)))
      let (w, h) = ((area * shape).squareRoot().rounded(), (area / shape).squareRoot().rounded())
      guard w >= 1, h >= 1, w <= Double(whole.width), h <= Double(whole.height) else { continue }
      let (width, height) = (Int(w), Int(h))
      let y = generator.integer(below: whole.height - height + 1)
      let x = generator.integer(below: whole.width - width + 1)
      return PixelRectangle(x: x, y: y, width: width, height: height)
    }
    return middle(of: whole)
  }

  /// As much of the picture as the ratios allow.
  private func middle(of whole: (width: Int, height: Int)) -> PixelRectangle {
    let shape = Double(whole.width) / Double(whole.height)
    var (width, height) = whole
    if shape < ratio.lowerBound {
      height = max(1, min(height, Int((Double(width) / ratio.lowerBound).rounded())))
    } else if shape > ratio.upperBound {
      width = max(1, min(width, Int((Double(height) * ratio.upperBound).rounded())))
    }
    return PixelRectangle(
      x: (whole.width - width) / 2, y: (whole.height - height) / 2, width: width, height: height)
  }
}

/// A random part of a given size, with the picture padded first: what networks for CIFAR-10 are usually
/// trained with is `RandomCrop(32, padding: 4)`.
public struct RandomCrop: ImageTransform {
  /// [H, W]
  public var size: [Int]
  /// Pixels added on every side; more are added where the picture is smaller than the part.
  public var padding: Int
  /// How they are made; nil: black.
  public var mode: Image.Padding?

  public init(_ size: [Int], padding: Int = 0, mode: Image.Padding? = nil) {
    self.size = checkedSize(size, "RandomCrop")
    (self.padding, self.mode) = (max(0, padding), mode)
  }

  /// A square.
  public init(_ side: Int, padding: Int = 0, mode: Image.Padding? = nil) {
    self.init([side, side], padding: padding, mode: mode)
  }

  public var outputSize: [Int]? { size }

  public func callAsFunction(
    _ image: Image, using generator: inout SeededGenerator
  ) throws -> Image {
    let (height, width) = (size[0], size[1])
    let x = max(padding, width - image.width), y = max(padding, height - image.height)
    let padded = x + y > 0 ? image.padded(left: x, top: y, right: x, bottom: y, mode) : image
    let top = generator.integer(below: padded.height - height + 1)
    let left = generator.integer(below: padded.width - width + 1)
    return padded.cropped(x: left, y: top, width: width, height: height)
  }
}

/// [H, W], both 1 or more.
func checkedSize(_ size: [Int], _ operation: String) -> [Int] {
  if size.count == 2 && size.allSatisfy({ $0 > 0 && $0 <= Image.longestSide }) { return size }
  return Diagnostic.report(
    Diagnostic(
      operation: operation, reason: "a size is [height, width], both 1 or more", facts: ["\(size)"]
    ), giving: [1, 1])
}
