import TarnNN
import TarnVision

extension VGG: Translated {
  /// `block1_conv1`, …, as the authors count them.
  private func blocks(_ name: (Int, Int) -> String) -> [String] {
    var names: [String] = []
    var (block, number) = (1, 1)
    for feature in features.layers {
      if feature.first != nil {
        names.append(name(block, number))
        number += 1
      } else if feature.second?.second?.second != nil {
        (block, number) = (block + 1, 1)
      }
    }
    return names
  }

  private func modules(_ names: [String], _ last: [String]) -> [String: String] {
    Dictionary(zip(names + last, convolutionPaths + linearPaths)) { first, _ in first }
  }

  func dialects(_ clues: Clues) -> [Dialect] {
    let hidden = Array(linearPaths.prefix(2))
    let count = features.layers.count
    let places = convolutionPaths
    var gluon = modules(places, ["features.\(count)", "features.\(count + 2)", "output"])
    var olderGluon = modules(
      places.indices.map { "conv\($0)" }, ["dense0", "dense1", "dense2"])
    for (number, norm) in normPaths.enumerated() {
      gluon[norm] = norm
      olderGluon["batchnorm\(number)"] = norm
    }
    var timm = modules(places, ["pre_logits.fc1", "pre_logits.fc2", "head.fc"])
    for norm in normPaths { timm[norm] = norm }
    return [
      Dialect(
        origin: "Keras",
        modules: modules(
          blocks { "block\($0)_conv\($1)" }, ["fc1", "fc2", "predictions"]),
        pixelsFirst: ["fc1": 7], top: hidden, preprocessing: .caffe()),
      Dialect(
        origin: "Caffe", modules: modules(blocks { "conv\($0)_\($1)" }, ["fc6", "fc7", "fc8"]),
        top: hidden, preprocessing: .caffe()),
      Dialect(origin: "timm", modules: timm, top: hidden, preprocessing: .torch()),
      Dialect(origin: "MXNet Gluon", modules: gluon, top: hidden, preprocessing: .torch()),
      Dialect(origin: "MXNet Gluon", modules: olderGluon, top: hidden, preprocessing: .torch()),
    ]
  }
}

extension AlexNet: Translated {
  func dialects(_ clues: Clues) -> [Dialect] {
    let ours = convolutionPaths + linearPaths
    let places = ["0", "2", "4", "5", "6", "9", "11"].map { "features.\($0)" } + ["output"]
    let older = (0..<5).map { "conv\($0)" } + (0..<3).map { "dense\($0)" }
    return [places, older].map {
      Dialect(
        origin: "MXNet Gluon", modules: Dictionary(zip($0, ours)) { first, _ in first },
        preprocessing: .torch())
    }
  }
}

extension SqueezeNet: Translated {
  func dialects(_ clues: Clues) -> [Dialect] {
    let ours = convolutionPaths
    let fires = ours.dropFirst().dropLast().map { path in
      path.replacing(".squeeze", with: ".0.0").replacing(".expand1x1", with: ".1.0.0")
        .replacing(".expand3x3", with: ".1.1.0")
    }
    let authors = (2...9).flatMap { fire in
      ["squeeze1x1", "expand1x1", "expand3x3"].map { "fire\(fire)/\($0)" }
    }
    var caffe = Preprocessing.caffe(256, 227)
    caffe.mean = [104, 117, 123]
    return [
      Dialect(
        origin: "Caffe", modules: Self.named(["conv1"] + authors + ["conv10"], ours),
        preprocessing: caffe),
      Dialect(
        origin: "MXNet Gluon", modules: Self.named(["features.0"] + fires + ["output.0"], ours),
        preprocessing: .torch()),
      Dialect(
        origin: "MXNet Gluon", modules: Self.named(ours.indices.map { "conv\($0)" }, ours),
        preprocessing: .torch()),
    ]
  }

  private static func named(_ theirs: [String], _ ours: [String]) -> [String: String] {
    Dictionary(zip(theirs, ours)) { first, _ in first }
  }
}

extension DenseNet: Translated {
  func dialects(_ clues: Clues) -> [Dialect] {
    // Older files have `conv1/conv`, later ones `conv1_conv`.
    var modules = ["bn": "features.norm5", "predictions": "classifier", "fc1000": "classifier"]
    for (conv, ours) in [("conv1/conv", "conv0"), ("conv1_conv", "conv0")] {
      modules[conv] = "features.\(ours)"
    }
    for norm in ["conv1/bn", "conv1_bn"] { modules[norm] = "features.norm0" }
    let blocks = [
      features.denseblock1, features.denseblock2, features.denseblock3, features.denseblock4,
    ]
    for (block, content) in blocks.enumerated() {
      for layer in content.layers.layers.indices {
        let theirs = "conv\(block + 2)_block\(layer + 1)"
        let ours = "features.denseblock\(block + 1).denselayer\(layer + 1)"
        modules["\(theirs)_0_bn"] = "\(ours).norm1"
        modules["\(theirs)_1_conv"] = "\(ours).conv1"
        modules["\(theirs)_1_bn"] = "\(ours).norm2"
        modules["\(theirs)_2_conv"] = "\(ours).conv2"
      }
      modules["pool\(block + 2)_bn"] = "features.transition\(block + 1).norm"
      modules["pool\(block + 2)_conv"] = "features.transition\(block + 1).conv"
    }
    return [
      Dialect(
        origin: "Keras", modules: modules, variant: NetworkVariant(epsilon: 1.001e-5),
        preprocessing: .torch())
    ]
  }
}

extension GoogLeNet: Translated {
  /// Caffe's `bvlc_googlenet`.
  func dialects(_ clues: Clues) -> [Dialect] {
    var modules = [
      "conv1/7x7_s2": "conv1.conv", "conv2/3x3_reduce": "conv2.conv", "conv2/3x3": "conv3.conv",
      "loss3/classifier": "fc",
    ]
    for block in ["3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"] {
      for (theirs, ours) in [
        "1x1": "branch1", "3x3_reduce": "branch2.0", "3x3": "branch2.1", "5x5_reduce": "branch3.0",
        "5x5": "branch3.1", "pool_proj": "branch4.1",
      ] {
        modules["inception_\(block)/\(theirs)"] = "inception\(block).\(ours).conv"
      }
    }
    for number in 1...2 {
      for (theirs, ours) in ["conv": "conv.conv", "fc": "fc1", "classifier": "fc2"] {
        modules["loss\(number)/\(theirs)"] = "aux\(number).\(ours)"
      }
    }
    var rule = Preprocessing.caffe()
    rule.mean = [104, 117, 123]
    return [
      Dialect(
        origin: "Caffe", modules: modules, variant: NetworkVariant(isOriginal: true),
        preprocessing: rule)
    ]
  }
}

extension InceptionV3: Translated {
  /// Keras's layers are numbered in the order in which they are made, which is ours.
  func dialects(_ clues: Clues) -> [Dialect] {
    let isOwn = { (path: String) in !path.hasPrefix("AuxLogits") }
    let number = { (place: Int) in place == 0 ? "" : "_\(place)" }
    var modules = Dialect.numbered(convolutionPaths.filter(isOwn)) { "conv2d\(number($0))" }
    modules.merge(
      Dialect.numbered(normPaths.filter(isOwn)) { "batch_normalization\(number($0))" }
    ) { first, _ in first }
    modules["predictions"] = "fc"
    // Normalisations without a scale, where variables have numbers only.
    var tensors: [String: String] = [:]
    for (theirs, ours) in modules where theirs.hasPrefix("batch") {
      for (place, variable) in ["bias", "running_mean", "running_var"].enumerated() {
        tensors["\(theirs).\(place)"] = "\(ours).\(variable)"
      }
    }
    return [
      Dialect(
        origin: "Keras", modules: modules, tensors: tensors,
        variant: NetworkVariant(leavesOutMargins: true),
        preprocessing: .halves(342, 299))
    ]
  }
}
