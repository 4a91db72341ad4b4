import Foundation
import TarnCore
import TarnData

/// A random rectangle of a picture replaced, with a probability; on the numbers a network takes.
///
/// Zhong, Zheng, Kang, Li, Yang, *Random Erasing Data Augmentation*, 2017. Defaults are torchvision's.
public struct RandomErasing: Sendable, Hashable {
  /// What comes in place of the pixels.
  public enum Filling: Sendable, Hashable {
    /// A number for each channel, or one for all.
    case constant([Float])
    /// Normal numbers with mean 0 and deviation 1.
    case noise
  }

  public var probability: Double
  /// Share of the picture's area.
  public var scale: ClosedRange<Double>
  /// Height over width.
  public var ratio: ClosedRange<Double>
  public var filling: Filling

  public init(
    probability: Double = 0.5, scale: ClosedRange<Double> = 0.02...0.33,
    ratio: ClosedRange<Double> = 0.3...3.3, filling: Filling = .constant([0])
  ) {
    (self.probability, self.scale) = (probability, scale)
    (self.ratio, self.filling) = (ratio, filling)
    if scale.lowerBound < 0 || ratio.lowerBound <= 0 {
      Diagnostic.report(
        Diagnostic(
          operation: "RandomErasing", reason: "shares must be 0 or more, and ratios above 0",
          facts: ["scale \(scale)", "ratio \(ratio)"]))
    }
  }

  /// A picture, [C, H, W], `float32`, with a rectangle erased or as it was.
  public func callAsFunction(_ picture: Tensor, using generator: inout SeededGenerator) -> Tensor {
    guard picture.rank == 3 else {
      return picture.rejected("RandomErasing", "a picture has the shape [C, H, W]")
    }
    var values = picture.array(of: Float.self)
    values.withUnsafeMutableBufferPointer { room in
      if let base = room.baseAddress { erase(base, picture.shape, using: &generator) }
    }
    return Tensor(values, shape: picture.shape)
  }

  /// - Parameter shape: [C, H, W] of the numbers at `planes`.
  func erase(
    _ planes: UnsafeMutablePointer<Float>, _ shape: [Int], using generator: inout SeededGenerator
  ) {
    guard generator.chance(probability),
      let area = area(height: shape[1], width: shape[2], using: &generator)
    else { return }
    for channel in 0..<shape[0] {
      for y in area.y..<(area.y + area.height) {
        let row = planes + (channel * shape[1] + y) * shape[2]
        for x in area.x..<(area.x + area.width) {
          switch filling {
          case .constant(let values):
            row[x] = values.isEmpty ? 0 : values[min(channel, values.count - 1)]
          case .noise: row[x] = Float(generator.normal())
          }
        }
      }
    }
  }

  /// Of ten rectangles the first that fits; nil if none does.
  private func area(
    height: Int, width: Int, using generator: inout SeededGenerator
  ) -> PixelRectangle? {
    for _ in 0..<10 {
      let area = Double(height * width) * generator.uniform(scale)
      let shape = exp(generator.uniform(log(ratio.lowerBound)...log(ratio.upperBound)))
      let (h, w) = ((area * shape).squareRoot().rounded(), (area / shape).squareRoot().rounded())
      guard h >= 1, w >= 1, h < Double(height), w < Double(width) else { continue }
      let y = generator.integer(below: height - Int(h) + 1)
      let x = generator.integer(below: width - Int(w) + 1)
      return PixelRectangle(x: x, y: y, width: Int(w), height: Int(h))
    }
    return nil
  }
}
