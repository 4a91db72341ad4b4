import Foundation
import TarnCore
import TarnData

/// A random change of a picture.
///
/// All randomness comes from the generator, so the same numbers give the same picture.
///
/// ```swift
/// struct RandomInversion: ImageTransform {
///   func callAsFunction(_ image: Image, using generator: inout SeededGenerator) -> Image {
///     generator.chance(0.5) ? image.inverted : image
///   }
/// }
/// ```
public protocol ImageTransform: Sendable {
  func callAsFunction(_ image: Image, using generator: inout SeededGenerator) throws -> Image

  /// Height and width of every result; nil where they depend on the picture.
  var outputSize: [Int]? { get }
}

extension ImageTransform {
  public var outputSize: [Int]? { nil }
}

/// What is done to pictures at random before a network learns from them.
///
/// ```swift
/// let augmentation = Augmentation(
///   [RandomResizedCrop(224), RandomHorizontalFlip(), ColourJitter(brightness: 0.4)],
///   erasing: RandomErasing(probability: 0.25))
/// let source = try ImageFolder(photos).train.augmented(augmentation, seed: 1)
/// ```
public struct Augmentation: Sendable {
  /// One after another. Where none sets a size (as ``RandomResizedCrop`` does), pictures are first
  /// scaled and cropped as their ``Preprocessing`` says.
  public var transforms: [any ImageTransform]
  /// At the end, on the numbers the network takes.
  public var erasing: RandomErasing?

  public init(_ transforms: [any ImageTransform] = [], erasing: RandomErasing? = nil) {
    (self.transforms, self.erasing) = (transforms, erasing)
  }

  /// A random part scaled to the size, and mirrored half of the time: what networks for photographs are
  /// usually trained with.
  public static func standard(_ size: [Int], interpolation: Interpolation = .bilinear)
    -> Augmentation
  {
    Augmentation([
      RandomResizedCrop(size, interpolation: interpolation), RandomHorizontalFlip(),
    ])
  }

  /// Height and width of every result; nil where no transform sets them.
  public var outputSize: [Int]? { transforms.last { $0.outputSize != nil }?.outputSize }

  /// The picture changed, without erasing.
  public func callAsFunction(
    _ image: Image, using generator: inout SeededGenerator
  ) throws -> Image {
    try transforms.reduce(image) { try $1($0, using: &generator) }
  }
}

extension SeededGenerator {
  /// A number from the range, whose ends are both possible.
  mutating func uniform(_ range: ClosedRange<Double>) -> Double {
    uniform(from: range.lowerBound, to: range.upperBound)
  }

  /// A whole number from −most to most, made by rounding.
  mutating func shift(_ most: Double) -> Double {
    uniform(from: -most, to: most).rounded()
  }

  /// From Beta(α, β): Γ(α) / (Γ(α) + Γ(β)).
  mutating func beta(_ alpha: Double, _ beta: Double) -> Double {
    let (a, b) = (gamma(alpha), gamma(beta))
    return a + b > 0 ? a / (a + b) : 0.5
  }

  /// From Γ(shape, 1) by the method of Marsaglia and Tsang, 2000.
  private mutating func gamma(_ shape: Double) -> Double {
    if shape < 1 {
      // Γ(a) = Γ(a + 1) · U^(1/a)
      let boosted = gamma(shape + 1)
      return boosted * pow(uniform(), 1 / shape)
    }
    let d = shape - 1 / 3
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = normal()
      let root = 1 + c * x
      guard root > 0 else { continue }
      let v = root * root * root
      if log(1 - uniform()) < 0.5 * x * x + d - d * v + d * log(v) { return d * v }
    }
  }
}
