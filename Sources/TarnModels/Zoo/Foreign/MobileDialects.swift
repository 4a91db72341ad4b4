import TarnNN
import TarnVision

/// Names of modules by those there.
private func named(_ theirs: [String], _ ours: [String]) -> [String: String] {
  Dictionary(zip(theirs, ours)) { first, _ in first }
}

extension MobileNetV1: Translated {
  func dialects(_ clues: Clues) -> [Dialect] {
    let (convs, norms) = (convolutionPaths, normPaths)
    let pairs = (1...13).flatMap { ["conv_dw_\($0)", "conv_pw_\($0)"] }
    let caffe = ["2_1", "2_2", "3_1", "3_2", "4_1", "4_2", "5_1", "5_2", "5_3", "5_4", "5_5"]
    let layers = (caffe + ["5_6", "6"]).flatMap { ["conv\($0)/dw", "conv\($0)/sep"] }
    let blocks = [1, 2, 2, 6, 2].enumerated().flatMap { stage, count in
      (0..<count).map { "blocks.\(stage).\($0)" }
    }
    func all(_ theirs: [String], _ norm: (String) -> String, _ last: String) -> [String: String] {
      named(theirs + theirs.map(norm) + [last], convs + norms + ["fc"])
    }
    let places = [0] + (0..<26).map { 3 + 3 * $0 }
    let kerasModules = all(["conv1"] + pairs, { "\($0)_bn" }, "conv_preds")
    let scales = named((["conv1"] + layers).map { "\($0)/scale" }, norms)
    let caffeModules = all(["conv1"] + layers, { "\($0)/bn" }, "fc7").merging(scales) { a, _ in a }
    let timmConvs: [String] = ["conv_stem"] + blocks.flatMap { ["\($0).conv_dw", "\($0).conv_pw"] }
    let timmNorms: [String] = ["bn1"] + blocks.flatMap { ["\($0).bn1", "\($0).bn2"] }
    let gluon = places.map { "features.\($0)" } + places.map { "features.\($0 + 1)" }
    let kinds = places.indices.map { "conv\($0)" } + places.indices.map { "batchnorm\($0)" }
    let ours = convs + norms + ["fc"]
    return [
      Dialect(
        origin: "Keras", modules: kerasModules,
        variant: NetworkVariant(epsilon: 1e-3, padsSame: true, clipsAtSix: true),
        preprocessing: .halves(256, 224)),
      Dialect(
        origin: "timm", modules: named(timmConvs + timmNorms + ["classifier"], ours),
        variant: NetworkVariant(clipsAtSix: true), preprocessing: .timmHalves()),
      Dialect(
        origin: "Caffe", modules: caffeModules, preprocessing: .caffe(scale: 0.017)),
      Dialect(
        origin: "MXNet Gluon", modules: named(gluon + ["output"], ours), preprocessing: .torch()),
      Dialect(
        origin: "MXNet Gluon", modules: named(kinds + ["dense0"], ours), preprocessing: .torch()),
    ]
  }
}

extension MobileNetV2: Translated {
  /// Blocks of the seven stages.
  private static let counts = [1, 2, 3, 4, 3, 3, 1]

  func dialects(_ clues: Clues) -> [Dialect] { [keras, timm(clues), transformers] }

  /// Names of the convolutions in order, of the first, of a block's with the widening one first, of the last.
  private func convolutions(
    _ first: String, _ block: (Int, [String]) -> [String], _ last: String
  ) -> [String] {
    let kinds = ["expand", "depthwise", "project"]
    return [first]
      + (0..<17).flatMap { block($0, Array($0 == 0 ? kinds.dropFirst() : kinds[...])) } + [last]
  }

  private var keras: Dialect {
    let convs = convolutions(
      "Conv1",
      { index, kinds in
        kinds.map { (index == 0 ? "expanded_conv" : "block_\(index)") + "_\($0)" }
      }, "Conv_1")
    let norms = ["bn_Conv1"] + convs.dropFirst().dropLast().map { "\($0)_BN" } + ["Conv_1_bn"]
    var modules = named(convs + norms, convolutionPaths + normPaths)
    for head in ["predictions", "Logits"] { modules[head] = "classifier.1" }
    return Dialect(
      origin: "Keras", modules: modules, variant: .tensorFlow, preprocessing: .halves(256, 224))
  }

  private func timm(_ clues: Clues) -> Dialect {
    let blocks = Self.counts.enumerated().flatMap { stage, count in
      (0..<count).map { "blocks.\(stage).\($0)" }
    }
    let convs = convolutions(
      "conv_stem",
      { index, kinds in
        (kinds.count == 2 ? ["conv_dw", "conv_pw"] : ["conv_pw", "conv_dw", "conv_pwl"])
          .map { "\(blocks[index]).\($0)" }
      }, "conv_head")
    let norms = convolutions(
      "bn1", { index, kinds in kinds.indices.map { "\(blocks[index]).bn\($0 + 1)" } }, "bn2")
    return Dialect(
      origin: "timm",
      modules: named(
        convs + norms + ["classifier"], convolutionPaths + normPaths + ["classifier.1"]),
      variant: clues.isTensorFlow(otherwise: false) ? .tensorFlow : .own,
      preprocessing: .torch(224, .bicubic))
  }

  private var transformers: Dialect {
    let kinds = ["expand": "expand_1x1", "depthwise": "conv_3x3", "project": "reduce_1x1"]
    let paths = convolutions(
      "conv_stem.first_conv",
      { index, parts in
        parts.map { part in
          "\(index == 0 ? "conv_stem" : "layer.\(index - 1)").\(kinds[part] ?? part)"
        }
      }, "conv_1x1"
    ).map { "mobilenet_v2.\($0)" }
    return Dialect(
      origin: "Hugging Face transformers",
      modules: named(
        paths.map { "\($0).convolution" } + paths.map { "\($0).normalization" } + ["classifier"],
        convolutionPaths + normPaths + ["classifier.1"]),
      variant: .tensorFlow, preprocessing: .timmHalves())
  }
}

extension MobileNetV3: Translated {
  /// Blocks of timm's stages.
  private var counts: [Int] {
    features.layers.count > 14 ? [1, 2, 3, 4, 2, 3] : [1, 2, 3, 2, 3]
  }

  /// The blocks with the names of their parts: whether they widen, and whether they squeeze.
  private var blocks: [(path: String, widens: Bool, squeezes: Bool)] {
    features.layers.enumerated().compactMap { index, feature in
      guard let parts = feature.second?.block.layers else { return nil }
      let squeezes = parts.contains { $0.second != nil }
      return ("features.\(index).block", parts.count == (squeezes ? 4 : 3), squeezes)
    }
  }

  func dialects(_ clues: Clues) -> [Dialect] { [keras, timm(clues)] }

  private var last: String { "features.\(features.layers.count - 1)" }

  private var keras: Dialect {
    var modules = [
      "conv": "features.0.0", "conv_bn": "features.0.1", "conv_1": "\(last).0",
      "conv_1_bn": "\(last).1", "conv_2": "classifier.0", "logits": "classifier.3",
      // Before Keras 3.
      "Conv": "features.0.0", "Conv/BatchNorm": "features.0.1", "Conv_1": "\(last).0",
      "Conv_1/BatchNorm": "\(last).1", "Conv_2": "classifier.0", "Logits": "classifier.3",
    ]
    for (index, block) in blocks.enumerated() {
      let name = "expanded_conv" + (index == 0 ? "" : "_\(index)")
      let kinds = (block.widens ? ["expand"] : []) + ["depthwise"]
      for (separator, norm, squeeze) in [
        ("_", "_bn", ["squeeze_excite_conv", "squeeze_excite_conv_1"]),
        ("/", "/BatchNorm", ["squeeze_excite/Conv", "squeeze_excite/Conv_1"]),
      ] {
        var part = 0
        for kind in kinds {
          modules["\(name)\(separator)\(kind)"] = "\(block.path).\(part).0"
          modules["\(name)\(separator)\(kind)\(norm)"] = "\(block.path).\(part).1"
          part += 1
        }
        if block.squeezes {
          modules["\(name)\(separator)\(squeeze[0])"] = "\(block.path).\(part).fc1"
          modules["\(name)\(separator)\(squeeze[1])"] = "\(block.path).\(part).fc2"
          part += 1
        }
        modules["\(name)\(separator)project"] = "\(block.path).\(part).0"
        modules["\(name)\(separator)project\(norm)"] = "\(block.path).\(part).1"
      }
    }
    return Dialect(
      origin: "Keras", modules: modules, top: ["classifier.0"], variant: .tensorFlow,
      preprocessing: .halves(256, 224))
  }

  private func timm(_ clues: Clues) -> Dialect {
    var modules = [
      "conv_stem": "features.0.0", "bn1": "features.0.1", "conv_head": "classifier.0",
      "classifier": "classifier.3",
    ]
    let names = counts.enumerated().flatMap { stage, count in
      (0..<count).map { "blocks.\(stage).\($0)" }
    }
    for (block, name) in zip(blocks, names) {
      modules.merge(timmBlock(name, block.path, widens: block.widens, squeezes: block.squeezes)) {
        first, _ in first
      }
    }
    modules["blocks.\(counts.count).0.conv"] = "\(last).0"
    modules["blocks.\(counts.count).0.bn1"] = "\(last).1"
    let isTensorFlow = clues.isTensorFlow(otherwise: false)
    return Dialect(
      origin: "timm", modules: modules, top: ["classifier.0"],
      variant: isTensorFlow ? .tensorFlow : NetworkVariant(epsilon: 1e-5),
      preprocessing: .torch(224, .bicubic))
  }
}
