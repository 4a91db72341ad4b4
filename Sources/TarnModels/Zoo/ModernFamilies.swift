import TarnNN
import TarnVision

/// Dense networks, and those since transformers.
extension Zoo {
  static let dense = [
    denseNet("densenet121", 7_978_856, .densenet121),
    denseNet("densenet161", 28_681_000, .densenet161),
    denseNet("densenet169", 14_149_480, .densenet169),
    denseNet("densenet201", 20_013_928, .densenet201),
  ]

  private static func denseNet(_ name: String, _ count: Int, _ size: DenseNet.Size) -> Entry {
    Entry(
      name, "DenseNet", count, head: "classifier",
      summary: "each layer sees all before it (Huang et al., 2016)", renaming: withoutDots
    ) { DenseNet(size, classes: $0.classes) }
  }

  /// Published files say `denselayer1.norm.1.weight` for `denselayer1.norm1.weight`.
  private static let withoutDots: @Sendable (String) -> String = { name in
    var parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard let layer = parts.firstIndex(where: { $0.hasPrefix("denselayer") }),
      layer + 3 < parts.count, ["norm", "conv"].contains(parts[layer + 1]),
      ["1", "2"].contains(parts[layer + 2])
    else { return name }
    parts.replaceSubrange(layer + 1...layer + 2, with: [parts[layer + 1] + parts[layer + 2]])
    return parts.joined(separator: ".")
  }

  static let modern =
    [
      convNeXt("convnext-tiny", 28_589_128, .tiny), convNeXt("convnext-small", 50_223_688, .small),
      convNeXt("convnext-base", 88_591_464, .base), convNeXt("convnext-large", 197_767_336, .large),
    ] + [
      transformer("vit-b-16", 86_567_656, .b16), transformer("vit-b-32", 88_224_232, .b32),
      transformer("vit-l-16", 304_326_632, .l16), transformer("vit-l-32", 306_535_400, .l32),
    ]

  private static func convNeXt(_ name: String, _ count: Int, _ size: ConvNeXt.Size) -> Entry {
    Entry(
      name, "ConvNeXt", count, head: "classifier.2",
      summary: "convolutions in the manner of transformers (Liu et al., 2022)"
    ) { ConvNeXt(size, classes: $0.classes) }
  }

  private static func transformer(
    _ name: String, _ count: Int, _ size: VisionTransformer.Size
  ) -> Entry {
    Entry(
      name, "Vision Transformer", count, head: "heads.head",
      summary: "a transformer over patches of \(size.patch)×\(size.patch) pixels "
        + "(Dosovitskiy et al., 2020)",
      renaming: { name in
        // Published files say `mlp.linear_1` and `mlp.linear_2`.
        name.replacing(".mlp.linear_1.", with: ".mlp.0.")
          .replacing(".mlp.linear_2.", with: ".mlp.3.")
      }
    ) { VisionTransformer(size, side: $0.side ?? 224, classes: $0.classes) }
  }
}
