import TarnNN
import TarnVision

/// Networks for small devices.
extension Zoo {
  static let mobile =
    [1, 0.75, 0.5, 0.25].map { mobileNetV1($0) } + [mobileNetV2(1)] + [
      Entry(
        "mobilenet-v3-small", "MobileNet", 2_542_856, head: "classifier.3",
        summary: "inverted residuals with squeeze and excitation (Howard et al., 2019)"
      ) { MobileNetV3(.small, classes: $0.classes) },
      Entry(
        "mobilenet-v3-large", "MobileNet", 5_483_032, head: "classifier.3",
        summary: "inverted residuals with squeeze and excitation (Howard et al., 2019)"
      ) { MobileNetV3(.large, classes: $0.classes) },
    ]

  /// As it is in names: `1` is left out, `0.5` is not `.5`.
  private static func named(_ version: Int, _ width: Double) -> String {
    "mobilenet-v\(version)" + (width == 1 ? "" : "-\(width)")
  }

  /// - Parameter name: as it was typed.
  static func mobileNetV1(_ width: Double, name: String? = nil) -> Entry {
    let published: [PublishedWeights] =
      switch width {
      case 1: [.tensorFlowMobileNet(width: "1.0", top1: 70.9, top5: 89.9)]
      case 0.75: [.tensorFlowMobileNet(width: "0.75", top1: 68.4, top5: 88.2)]
      case 0.5: [.tensorFlowMobileNet(width: "0.5", top1: 63.3, top5: 84.9)]
      case 0.25:
        [
          .tensorFlowMobileNet(
            width: "0.25", top1: 49.8, top5: 74.2,
            sha256: "6d39fd49b79e22e3e39b7514f0a405cc5d93dba8ef22054831e362c16db609e7")
        ]
      default: []
      }
    return Entry(
      name: name ?? named(1, width), family: "MobileNet",
      summary: "convolutions on each channel apart, \(width) times as wide (Howard et al., 2017)",
      inputShape: [3, 224, 224], classes: 1000,
      parameterCount: parameterCount { MobileNetV1(width: width) }, weights: published,
      heads: ["fc", "Logits.Conv2d_1c_1x1"],
      make: { options -> any Layer in
        options.variant.isFolded
          ? FoldedMobileNetV1(width: width, classes: options.classes)
          : MobileNetV1(width: width, classes: options.classes)
      }, renaming: nil)
  }

  static func mobileNetV2(_ width: Double, name: String? = nil) -> Entry {
    Entry(
      name ?? named(2, width), "MobileNet", parameterCount { MobileNetV2(width: width) },
      head: "classifier.1",
      summary: "inverted residuals with linear bottlenecks (Sandler et al., 2018)"
    ) { MobileNetV2(width: width, classes: $0.classes) }
  }

  static let efficient =
    EfficientNetLite.Scale.allCases.map { efficientNetLite($0) }
    + zip(
      EfficientNet.Scale.allCases,
      [
        5_288_548, 7_794_184, 9_109_994, 12_233_232, 19_341_616, 30_389_784, 43_040_704,
        66_347_960,
      ]
    ).map { scale, count in
      Entry(
        "efficientnet-b\(scale.rawValue)", "EfficientNet", count, head: "classifier.1",
        side: scale.side,
        summary: "depth, width and resolution scaled together (Tan and Le, 2019)"
      ) { EfficientNet(scale, classes: $0.classes) }
    }

  private static func efficientNetLite(_ scale: EfficientNetLite.Scale) -> Entry {
    let (count, published): (Int, PublishedWeights) =
      switch scale {
      case .lite0:
        (
          4_652_008,
          .efficientNetLite(
            0, side: scale.side, top1: 75.1,
            sha256: "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db")
        )
      case .lite1:
        (
          5_416_680,
          .efficientNetLite(
            1, side: scale.side, top1: 76.7,
            sha256: "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850")
        )
      case .lite2:
        (
          6_092_072,
          .efficientNetLite(
            2, side: scale.side, top1: 77.6,
            sha256: "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d")
        )
      case .lite3: (8_197_096, .efficientNetLite(3, side: scale.side, top1: 79.8))
      case .lite4: (13_006_568, .efficientNetLite(4, side: scale.side, top1: 81.5))
      }
    return Entry(
      name: "efficientnet-lite\(scale.rawValue)", family: "EfficientNet",
      summary: "EfficientNet without squeeze and excitation, for small devices (Google, 2020)",
      inputShape: [3, scale.side, scale.side], classes: 1000, parameterCount: count,
      weights: [published], heads: ["_fc"],
      make: { EfficientNetLite(scale, classes: $0.classes) }, renaming: nil)
  }
}
