/// What is done to a picture before a network sees it: the rule travels with the weights, since weights trained under one
/// rule are poor under another.
///
/// ```swift
/// let rule = Preprocessing(resize: .shortSide(256), crop: [224, 224], interpolation: .bicubic)
/// ```
public struct Preprocessing: Sendable, Hashable, Codable {
  /// How the picture gets near the network's size.
  public enum Resize: Sendable, Hashable, Codable {
    /// The shorter side becomes this long, the other follows.
    case shortSide(Int)
    /// Both sides are set, whatever becomes of the proportions.
    case exactly(height: Int, width: Int)
    /// As it is.
    case none
  }

  /// How the longer side gets a whole number of pixels where the shorter one is given, and where a middle begins that falls
  /// between two pixels.
  public enum Rounding: String, Sendable, Hashable, Codable, CaseIterable {
    /// The side to the nearest whole number, halves up; the middle at the first of the two.
    case nearest
    /// As torchvision's `Resize` and `CenterCrop` do: the side down; the middle at the even one of the two.
    case torchvision
  }

  public enum Interpolation: String, Sendable, Hashable, Codable, CaseIterable {
    case nearest, bilinear, bicubic
  }

  public enum ChannelOrder: String, Sendable, Hashable, Codable, CaseIterable {
    case rgb, bgr
  }

  public var resize: Resize
  /// Of the longer side under ``Resize/shortSide(_:)``, and of the middle's place.
  public var rounding: Rounding
  /// [H, W] cut out of the middle after resizing; nil: all of it.
  public var crop: [Int]?
  public var interpolation: Interpolation
  public var channelOrder: ChannelOrder
  /// x = (byte · scale − mean) / deviation.
  public var scale: Double
  /// One number a channel, in ``channelOrder``.
  public var mean: [Double]
  /// One number a channel, in ``channelOrder``.
  public var deviation: [Double]

  public init(
    resize: Resize = .shortSide(256), rounding: Rounding = .nearest, crop: [Int]? = [224, 224],
    interpolation: Interpolation = .bilinear, channelOrder: ChannelOrder = .rgb,
    scale: Double = 1 / 255, mean: [Double] = imageNetMean, deviation: [Double] = imageNetDeviation
  ) {
    (self.resize, self.rounding) = (resize, rounding)
    (self.crop, self.interpolation) = (crop, interpolation)
    (self.channelOrder, self.scale) = (channelOrder, scale)
    (self.mean, self.deviation) = (mean, deviation)
  }

  /// Mean of ImageNet's red, green and blue, of bytes scaled to 0…1.
  public static let imageNetMean = [0.485, 0.456, 0.406]
  /// Standard deviation of ImageNet's red, green and blue, of bytes scaled to 0…1.
  public static let imageNetDeviation = [0.229, 0.224, 0.225]
  /// Torchvision's evaluation rule: short side 256, centre 224, bilinear, ImageNet's statistics.
  public static let imageNet = Preprocessing(rounding: .torchvision)
}
