import TarnData
import TarnVision

/// Weights of a network that somebody published: where they are, what they are good for, and what is to be done to a picture
/// before.
///
/// ```swift
/// let published = try Zoo.entry("resnet50").weights[0]
/// print(published.resource.url, published.accuracy?.top1 ?? 0)
/// ```
public struct PublishedWeights: Sendable, Hashable, Codable {
  /// Which of a network's weights, as `IMAGENET1K_V2`.
  public var name: String
  /// The file, its address, its digest or how that begins, its licence.
  public var resource: Resource
  /// How to get the file where the resource's address is not that of the file itself; nil where it is.
  public var instructions: String?
  /// How many classes it tells apart.
  public var classes: Int
  /// Where the names of the classes are from.
  public var labels: ClassLabels
  /// Shares of pictures of the validation set in per cent, as published; nil where nobody said.
  public var accuracy: Accuracy?
  /// What is done to a picture before.
  public var preprocessing: Preprocessing

  /// Per cent.
  public struct Accuracy: Sendable, Hashable, Codable {
    /// Pictures whose class came first.
    public var top1: Double
    /// Pictures whose class was among the first five.
    public var top5: Double?
  }

  public init(
    name: String, resource: Resource, instructions: String? = nil, classes: Int = 1000,
    labels: ClassLabels = .imageNet,
    accuracy: Accuracy? = nil, preprocessing: Preprocessing = .imageNet
  ) {
    (self.name, self.resource, self.instructions) = (name, resource, instructions)
    (self.classes, self.labels, self.accuracy) = (classes, labels, accuracy)
    self.preprocessing = preprocessing
  }

  /// Whether a file of this name or digest is it, whatever folder it lies in and whatever its ending.
  ///
  /// - Parameter sha256: hexadecimal digits; they decide where they are known on both sides.
  public func matches(file: String, sha256: String? = nil) -> Bool {
    if let sha256, let known = resource.sha256 { return sha256.lowercased().hasPrefix(known) }
    func stem(_ file: String) -> Substring {
      let name = file.split(separator: "/").last ?? ""
      return name.lastIndex(of: ".").map { name[..<$0] } ?? name[...]
    }
    return stem(file) == stem(resource.file)
  }
}

/// The names of a network's classes.
public enum ClassLabels: String, Sendable, Hashable, Codable {
  /// The 1000 of ImageNet's challenge.
  case imageNet
  /// The same after one for what is none of them.
  case imageNetWithBackground
  case cifar10
  /// Digits 0 … 9.
  case digits

  /// The names in the order of the classes; synonyms stand behind commas.
  public var names: [String] {
    switch self {
    case .imageNet: ImageNetClasses.all.map(\.name)
    case .imageNetWithBackground: ["background"] + ImageNetClasses.all.map(\.name)
    case .cifar10:
      [
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
      ]
    case .digits: (0..<10).map { "\($0)" }
    }
  }

  /// Where class 0 of the set itself stands: 1 after a background.
  public var firstClass: Int { self == .imageNetWithBackground ? 1 : 0 }
}

extension PublishedWeights {
  /// One of torchvision's. The digits after the last `-` of a file's name begin its digest.
  static func torchvision(
    _ file: String, _ name: String, top1: Double, top5: Double, crop: Int = 224,
    resize: Int = 256, _ interpolation: Preprocessing.Interpolation = .bilinear,
    mean: [Double] = Preprocessing.imageNetMean,
    deviation: [Double] = Preprocessing.imageNetDeviation,
    licence: String = "BSD-3-Clause (torchvision)"
  ) -> PublishedWeights {
    let stem = file.split(separator: ".").first ?? ""
    return PublishedWeights(
      name: name,
      resource: Resource(
        file: file, url: "https://download.pytorch.org/models/\(file)",
        sha256: stem.split(separator: "-").last.map(String.init), licence: licence),
      accuracy: Accuracy(top1: top1, top5: top5),
      preprocessing: Preprocessing(
        resize: .shortSide(resize), rounding: .torchvision, crop: [crop, crop],
        interpolation: interpolation, mean: mean,
        deviation: deviation))
  }
}
