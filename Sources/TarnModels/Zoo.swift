import TarnCore
import TarnData
import TarnNN

/// The networks there are, by the names the command knows them by.
///
/// ```swift
/// let entry = try Zoo.entry("resnet50")
/// let model = entry.model(classes: 10)
/// let loaded = try Zoo.load(entry, contentsOf: URL(fileURLWithPath: "resnet50-11ad3fa6.pth"))
/// ```
public enum Zoo {
  /// All of them, family by family. ``entry(_:)`` knows `mobilenet-v2-0.5` and other widths as well.
  public static let entries: [Entry] =
    small + cifar + residual + vgg + classic + mobile + efficient + dense + modern

  /// Their names.
  public static var names: [String] { entries.map(\.name) }

  /// The network of this name, with `_` for `-` if one likes, as in `vgg16_bn`.
  ///
  /// - Throws: `DataError` for a name there is none of, with those that are near.
  public static func entry(_ name: String) throws -> Entry {
    let spelled = plain(name)
    if let entry = entries.first(where: { plain($0.name) == spelled }) ?? scaled(spelled) {
      return entry
    }
    let short = bare(name)
    if !short.isEmpty, let entry = entries.first(where: { bare($0.name) == short }) {
      return entry
    }
    throw DataError(
      .missing, file: "model", reason: "there is no network '\(name)'",
      hint: hint(for: spelled) ?? "there are \(names.joined(separator: ", "))")
  }

  private static func plain(_ name: String) -> String {
    String(name.lowercased().map { $0 == "_" ? "-" : $0 })
  }

  /// Letters and digits alone: `MobileNetV2` is `mobilenet-v2`.
  private static func bare(_ name: String) -> String {
    String(name.lowercased().filter { $0.isLetter || $0.isNumber })
  }

  private static func hint(for name: String) -> String? {
    let longer = names.filter { !name.isEmpty && plain($0).hasPrefix(name) }
    if longer.isEmpty { return suggestion(for: name, among: names) }
    return "there are \(longer.map { "'\($0)'" }.joined(separator: ", "))"
  }

  /// `mobilenet-v1-WIDTH` and `mobilenet-v2-WIDTH`.
  private static func scaled(_ name: String) -> Entry? {
    for version in 1...2 {
      let prefix = "mobilenet-v\(version)-"
      guard name.hasPrefix(prefix), let width = Double(name.dropFirst(prefix.count)), width > 0,
        width <= 100
      else { continue }
      return version == 1 ? mobileNetV1(width, name: name) : mobileNetV2(width, name: name)
    }
    return nil
  }

  static func parameterCount(_ make: () -> some Layer) -> Int {
    Initialization.skipped { make().parameterCount }
  }
}
