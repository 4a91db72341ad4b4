import Foundation
import TarnCore
import TarnData
import TarnInterop
import TarnVision

/// What is known of weights beside their tensors: the file's name, and what lies with it.
struct Clues: Sendable {
  /// The file's name without folders.
  var file: String
  /// Pixels of a picture's side that the network was published for.
  var side = 224
  /// The network by the name its makers gave it, as `tf_efficientnet_b0`.
  var architecture: String?
  /// What is done to a picture before, where a file beside says so.
  var preprocessing: Preprocessing?
  /// Means and variances of channels that the weights have in them, of bytes brought to 0 … 1.
  var statistics: (mean: [Double], variance: [Double])?

  init(file: String) {
    self.file = file.split(separator: "/").last.map(String.init) ?? file
  }

  /// With `config.json` and `preprocessor_config.json` of the same folder, as on Hugging Face's hub.
  init(of url: URL) {
    self.init(file: url.lastPathComponent)
    let folder = url.deletingLastPathComponent()
    if let config = Self.json(folder.appendingPathComponent("config.json")) {
      architecture = config["architecture"]?.string
      preprocessing = Self.timm(config["pretrained_cfg"] ?? config)
    }
    if let config = Self.json(folder.appendingPathComponent("preprocessor_config.json")) {
      preprocessing = Self.transformers(config) ?? preprocessing
    }
  }

  /// Whether TensorFlow's padding and ε are meant, where timm has both under the same names of tensors.
  func isTensorFlow(otherwise usual: Bool) -> Bool {
    let name = (architecture ?? file).lowercased()
    if name.hasPrefix("tf_") || name.contains("/tf_") { return true }
    return architecture != nil || name.hasPrefix("efficientnet_") ? false : usual
  }

  /// A small JSON file; nil if there is none that can be read.
  private static func json(_ url: URL) -> JSON? {
    guard let file = try? FileBytes(mapping: url), file.count < 4_000_000 else { return nil }
    return try? JSON(file, 0..<file.count)
  }

  /// timm's `pretrained_cfg`.
  private static func timm(_ config: JSON) -> Preprocessing? {
    guard let mean = numbers(config["mean"]), let deviation = positive(config["std"]),
      let shape = config["input_size"]?.array?.compactMap(\.int), shape.count == 3,
      (1...4096).contains(shape[1])
    else { return nil }
    let share = number(config["crop_pct"]) ?? 0.875
    return .torch(
      shape[1], share: min(1, max(0.1, share)),
      config["interpolation"]?.string == "bilinear" ? .bilinear : .bicubic, mean: mean,
      deviation: deviation)
  }

  /// The rule of an image processor of `transformers`.
  private static func transformers(_ config: JSON) -> Preprocessing? {
    guard let mean = numbers(config["image_mean"]), let deviation = positive(config["image_std"])
    else { return nil }
    let interpolation: Preprocessing.Interpolation =
      config["resample"]?.int == 3 ? .bicubic : config["resample"]?.int == 0 ? .nearest : .bilinear
    var rule = Preprocessing(
      rounding: .torchvision, interpolation: interpolation, mean: mean, deviation: deviation)
    let whole = side(config["size"])
    guard let size = side(config["crop_size"]) ?? whole, let scaled = whole else { return nil }
    if config["do_center_crop"] == .bool(true) {
      (rule.resize, rule.crop) = (.shortSide(scaled), [size, size])
    } else if let share = number(config["crop_pct"]), share > 0.1, share < 1, scaled < 384 {
      rule.resize = .shortSide(Int(Double(scaled) / share))
      rule.crop = [scaled, scaled]
    } else {
      (rule.resize, rule.crop) = (.exactly(height: scaled, width: scaled), nil)
    }
    return rule
  }

  private static func side(_ size: JSON?) -> Int? {
    let side = size?.int ?? size?["shortest_edge"]?.int ?? size?["height"]?.int
    return side.flatMap { (1...4096).contains($0) ? $0 : nil }
  }

  private static func number(_ json: JSON?) -> Double? {
    guard case .number(let text)? = json else { return nil }
    return Double(text)
  }

  private static func positive(_ json: JSON?) -> [Double]? {
    numbers(json).flatMap { $0.allSatisfy { $0 > 1e-6 } ? $0 : nil }
  }

  /// Three numbers, of which none is absurd.
  private static func numbers(_ json: JSON?) -> [Double]? {
    guard let numbers = json?.array?.compactMap({ number($0) }), numbers.count == 3,
      numbers.allSatisfy({ $0.isFinite && abs($0) < 1000 })
    else { return nil }
    return numbers
  }
}
