import TarnNN
import TarnVision

/// The first networks, and those that go deep.
extension Zoo {
  static let small = [
    Entry(
      name: "lenet", family: "LeNet",
      summary: "two convolutions and three linear layers (LeCun et al., 1998), for digits",
      inputShape: [1, 28, 28], classes: 10, parameterCount: 61_706, weights: [], heads: ["fc3"],
      make: { LeNet(inputShape: [1, 28, 28], classes: $0.classes) }, renaming: nil)
  ]

  static let cifar = [
    (
      20, 269_722,
      PublishedWeights.akamaster(
        20, top1: 91.73, digits: "12fca82f",
        sha256: "12fca82f0bebc4135bf1f32f6e3710e61d5108578464b84fd6d7f5c1b04036c8")
    ),
    (32, 464_154, .akamaster(32, top1: 92.63, digits: "d509ac18")),
    (44, 658_586, .akamaster(44, top1: 93.10, digits: "014dd654")),
    (56, 853_018, .akamaster(56, top1: 93.39, digits: "4bfd9763")),
    (110, 1_727_962, .akamaster(110, top1: 93.68, digits: "1d1ed7c2")),
  ].map { (depth: Int, count: Int, weights: PublishedWeights) in
    Entry(
      name: "cifar-resnet\(depth)", family: "CIFAR ResNet",
      summary: "residual network of \(depth) layers for 32×32 pixels (He et al., 2015)",
      inputShape: [3, 32, 32], classes: 10, parameterCount: count, weights: [weights],
      heads: ["linear"], make: { CIFARResNet(depth: depth, classes: $0.classes) }, renaming: nil)
  }

  static let residual = [
    resNet("resnet18", 11_689_512) { ResNet.resNet18(classes: $0) },
    resNet("resnet34", 21_797_672) { ResNet.resNet34(classes: $0) },
    resNet("resnet50", 25_557_032) { ResNet.resNet50(classes: $0) },
    resNet("resnet101", 44_549_160) { ResNet.resNet101(classes: $0) },
    resNet("resnet152", 60_192_808) { ResNet.resNet152(classes: $0) },
    resNet("resnext50-32x4d", 25_028_904) { ResNet.resNeXt50(classes: $0) },
    resNet("resnext101-32x8d", 88_791_336) {
      ResNet<Bottleneck>(counts: (3, 4, 23, 3), classes: $0, groups: 32, groupWidth: 8)
    },
    resNet("resnext101-64x4d", 83_455_272) {
      ResNet<Bottleneck>(counts: (3, 4, 23, 3), classes: $0, groups: 64, groupWidth: 4)
    },
    resNet("wide-resnet50-2", 68_883_240) { ResNet.wideResNet50(classes: $0) },
    resNet("wide-resnet101-2", 126_886_696) {
      ResNet<Bottleneck>(counts: (3, 4, 23, 3), classes: $0, groupWidth: 128)
    },
  ]

  private static func resNet(
    _ name: String, _ count: Int, _ make: @escaping @Sendable (Int) -> any Layer
  ) -> Entry {
    let (family, kind) =
      name.hasPrefix("resnext")
      ? ("ResNeXt", "residual network with grouped convolutions (Xie et al., 2016)")
      : name.hasPrefix("wide")
        ? ("Wide ResNet", "residual network with wide blocks (Zagoruyko and Komodakis, 2016)")
        : ("ResNet", "residual network (He et al., 2015)")
    return Entry(name, family, count, head: "fc", summary: kind) { make($0.classes) }
  }

  static let vgg = zip(
    VGG.Depth.allCases,
    [
      (132_863_336, 132_868_840), (133_047_848, 133_053_736), (138_357_544, 138_365_992),
      (143_667_240, 143_678_248),
    ]
  ).flatMap { depth, counts in
    [
      vgg(depth, counts.0, batchNorm: false), vgg(depth, counts.1, batchNorm: true),
    ]
  }

  private static func vgg(_ depth: VGG.Depth, _ count: Int, batchNorm: Bool) -> Entry {
    Entry(
      "vgg\(depth.rawValue)" + (batchNorm ? "-bn" : ""), "VGG", count, head: "classifier.6",
      summary: "\(depth.rawValue) layers of 3×3 convolutions"
        + (batchNorm ? " with batch normalisation" : "") + " (Simonyan and Zisserman, 2014)"
    ) { VGG(depth, batchNorm: batchNorm, classes: $0.classes) }
  }

  static let classic = [
    Entry(
      "alexnet", "AlexNet", 61_100_840, head: "classifier.6",
      summary: "the network of 2012 in one column (Krizhevsky, 2014)"
    ) { AlexNet(classes: $0.classes) },
    Entry(
      "googlenet", "Inception", 6_624_904, head: "fc", "aux1.fc2", "aux2.fc2",
      summary: "Inception modules with batch normalisation (Szegedy et al., 2014)"
    ) {
      GoogLeNet(
        classes: $0.classes, hasAuxiliaries: $0.hasAuxiliaries ?? false,
        isOriginal: $0.variant.isOriginal)
    },
    Entry(
      "inception-v3", "Inception", 27_161_264, head: "fc", "AuxLogits.fc", side: 299,
      summary: "Inception modules with rows and columns (Szegedy et al., 2015)"
    ) { InceptionV3(classes: $0.classes, hasAuxiliary: $0.hasAuxiliaries ?? true) },
    Entry(
      "squeezenet1_0", "SqueezeNet", 1_248_424, head: "classifier.1",
      summary: "fire modules with few parameters (Iandola et al., 2016)"
    ) { SqueezeNet(.v1_0, classes: $0.classes) },
    Entry(
      "squeezenet1_1", "SqueezeNet", 1_235_496, head: "classifier.1",
      summary: "fire modules with few parameters and 2.4 times fewer operations than 1.0",
      more: [.caffeModelSqueezeNet, .caffeSqueezeNet]
    ) { SqueezeNet(.v1_1, classes: $0.classes) },
  ]
}
