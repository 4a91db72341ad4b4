import TarnCore
import TarnData
import TarnNN

/// The networks there are, by the names the command knows them by.
///
/// ```swift
/// let entry = try Zoo.entry("resnet50")
/// let model = entry.model(classes: 10)
/// ```
public enum Zoo {
  /// A network by name.
  public struct Entry: Sendable {
    /// As typed on a command line.
    public let name: String
    /// Shape of one picture, [C, H, W].
    public let inputShape: [Int]
    /// How many parameters it has with 1000 classes.
    public let parameterCount: Int
    private let make: @Sendable (Int) -> any Layer

    init(_ name: String, _ parameterCount: Int, _ make: @escaping @Sendable (Int) -> any Layer) {
      (self.name, self.parameterCount, self.make) = (name, parameterCount, make)
      inputShape = [3, 224, 224]
    }

    /// The network with random weights, those of the enclosing `Initialization` scope.
    public func model(classes: Int = 1000) -> any Layer { make(classes) }
  }

  /// All of them, family by family. ``entry(_:)`` knows `mobilenet-v2-0.5` and other widths as well.
  public static let entries: [Entry] =
    residual + vgg + [
      Entry("mobilenet-v2", 3_504_872) { MobileNetV2(classes: $0) },
      Entry("googlenet", 6_624_904) { GoogLeNet(classes: $0) },
      Entry("alexnet", 61_100_840) { AlexNet(classes: $0) },
      Entry("squeezenet1_0", 1_248_424) { SqueezeNet(.v1_0, classes: $0) },
      Entry("squeezenet1_1", 1_235_496) { SqueezeNet(.v1_1, classes: $0) },
    ]

  /// Their names.
  public static var names: [String] { entries.map(\.name) }

  /// The network of this name, with `_` for `-` if one likes, as in `vgg16_bn`.
  ///
  /// - Throws: `DataError` for a name there is none of.
  public static func entry(_ name: String) throws -> Entry {
    let spelled = plain(name)
    if let entry = entries.first(where: { plain($0.name) == spelled }) { return entry }
    if let entry = scaled(spelled) { return entry }
    throw DataError(
      .missing, file: "model", reason: "there is no network '\(name)'",
      hint: suggestion(for: name, among: names) ?? "there are \(names.joined(separator: ", "))")
  }

  private static func plain(_ name: String) -> String {
    String(name.lowercased().map { $0 == "_" ? "-" : $0 })
  }

  private static let residual = [
    Entry("resnet18", 11_689_512) { ResNet.resNet18(classes: $0) },
    Entry("resnet34", 21_797_672) { ResNet.resNet34(classes: $0) },
    Entry("resnet50", 25_557_032) { ResNet.resNet50(classes: $0) },
    Entry("resnet101", 44_549_160) { ResNet.resNet101(classes: $0) },
    Entry("resnet152", 60_192_808) { ResNet.resNet152(classes: $0) },
    Entry("resnext50-32x4d", 25_028_904) { ResNet.resNeXt50(classes: $0) },
    Entry("wide-resnet50-2", 68_883_240) { ResNet.wideResNet50(classes: $0) },
  ]

  private static let vgg = zip(
    VGG.Depth.allCases,
    [
      (132_863_336, 132_868_840), (133_047_848, 133_053_736), (138_357_544, 138_365_992),
      (143_667_240, 143_678_248),
    ]
  ).flatMap { depth, counts in
    [
      Entry("vgg\(depth.rawValue)", counts.0) { VGG(depth, classes: $0) },
      Entry("vgg\(depth.rawValue)-bn", counts.1) { VGG(depth, batchNorm: true, classes: $0) },
    ]
  }

  /// `mobilenet-v2-WIDTH`.
  private static func scaled(_ name: String) -> Entry? {
    let prefix = "mobilenet-v2-"
    guard name.hasPrefix(prefix), let width = Double(name.dropFirst(prefix.count)),
      width > 0, width <= 100
    else { return nil }
    let count = Initialization.skipped { MobileNetV2(width: width).parameterCount }
    return Entry(name, count) { MobileNetV2(width: width, classes: $0) }
  }
}
