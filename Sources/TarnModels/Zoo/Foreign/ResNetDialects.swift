import TarnNN
import TarnVision

extension ResNet: Translated {
  /// A block: its stage and place, how many convolutions it has, whether its shortcut has one.
  private struct Place {
    let stage: Int, index: Int, convolutions: Int, hasShortcut: Bool

    var path: String { "layer\(stage + 1).\(index)" }
    /// Its letter in the authors' names: `a`, `b`, ….
    var letter: String { String(UnicodeScalar(UInt8(ascii: "a") + UInt8(min(25, index)))) }
  }

  private var places: [Place] {
    let isBottleneck = Block.expansion > 1
    return [layer1, layer2, layer3, layer4].enumerated().flatMap { stage, blocks in
      blocks.layers.indices.map { index in
        Place(
          stage: stage, index: index, convolutions: isBottleneck ? 3 : 2,
          hasShortcut: index == 0 && (stage > 0 || isBottleneck))
      }
    }
  }

  /// Our names of all modules of blocks, by those that `conv` and `norm` give to the convolution of a number, 0 being that of the
  /// shortcut.
  private func blocks(
    _ conv: (Place, Int) -> String, _ norm: (Place, Int) -> String
  ) -> [String: String] {
    var modules: [String: String] = [:]
    for place in places {
      for number in 1...place.convolutions {
        modules[conv(place, number)] = "\(place.path).conv\(number)"
        modules[norm(place, number)] = "\(place.path).bn\(number)"
      }
      if place.hasShortcut {
        modules[conv(place, 0)] = "\(place.path).downsample.0"
        modules[norm(place, 0)] = "\(place.path).downsample.1"
      }
    }
    return modules
  }

  /// The normalisation behind each convolution.
  private var norms: [String: String] {
    let own = blocks({ "\($0.path) \($1) conv" }, { "\($0.path) \($1) norm" })
    var norms = ["conv1": "bn1"]
    for (name, conv) in own where name.hasSuffix("conv") {
      norms[conv] = own[name.dropLast(4) + "norm"]
    }
    return norms
  }

  func dialects(_ clues: Clues) -> [Dialect] {
    [keras, olderKeras, caffe, gluon, olderGluon, gluonCV, transformers].map { $0.folding(norms) }
  }

  private static func first(_ conv: String, _ norm: String, _ last: String...) -> [String: String] {
    [conv: "conv1", norm: "bn1"].merging(last.map { ($0, "fc") }) { first, _ in first }
  }

  private var keras: Dialect {
    let blocks = blocks(
      { "conv\($0.stage + 2)_block\($0.index + 1)_\($1)_conv" },
      { "conv\($0.stage + 2)_block\($0.index + 1)_\($1)_bn" })
    let ends = Self.first("conv1_conv", "conv1_bn", "predictions", "probs")
    return Dialect(
      origin: "Keras", modules: blocks.merging(ends) { first, _ in first },
      variant: NetworkVariant(epsilon: 1.001e-5, stridesFirst: true), preprocessing: .caffe())
  }

  /// `2a_branch2b`; the branch of the shortcut is 1.
  private static func authors(_ place: Place, _ number: Int) -> String {
    let branch = number == 0 ? "1" : "2\(["a", "b", "c"][min(2, number - 1)])"
    return "\(place.stage + 2)\(place.letter)_branch\(branch)"
  }

  /// The same in networks of 101 and more layers: `4b22_branch2b`.
  private static func deepAuthors(_ place: Place, _ number: Int) -> String {
    let branch = number == 0 ? "1" : "2\(["a", "b", "c"][min(2, number - 1)])"
    let block = place.index == 0 ? "a" : "b\(place.index)"
    return "\(place.stage + 2)\(block)_branch\(branch)"
  }

  private func authors(_ norms: [String]) -> [String: String] {
    var modules: [String: String] = [:]
    for name in [Self.authors, Self.deepAuthors] {
      for norm in norms {
        modules.merge(
          blocks({ "res" + name($0, $1) }, { norm + name($0, $1) })
        ) { first, _ in first }
      }
    }
    return modules
  }

  /// Before 2019, with the names of the authors' files for Caffe.
  private var olderKeras: Dialect {
    Dialect(
      origin: "Keras (before 2.2.5)",
      modules: authors(["bn"]).merging(Self.first("conv1", "bn_conv1", "fc1000")) { a, _ in a },
      variant: NetworkVariant(epsilon: 1e-3, stridesFirst: true), preprocessing: .caffe())
  }

  /// By the authors: normalisations in two layers.
  private var caffe: Dialect {
    var modules = authors(["bn", "scale"])
    modules.merge(Self.first("conv1", "bn_conv1", "fc1000")) { first, _ in first }
    modules["scale_conv1"] = "bn1"
    return Dialect(
      origin: "Caffe", modules: modules,
      variant: NetworkVariant(stridesFirst: true, poolsOverEnd: true), preprocessing: .caffe())
  }

  /// MXNet's, by places: `features.4.0.body.3`.
  private var gluon: Dialect {
    func path(_ place: Place, _ number: Int, _ offset: Int) -> String {
      let block = "features.\(place.stage + 4).\(place.index)"
      return number == 0
        ? "\(block).downsample.\(offset)" : "\(block).body.\(3 * number - 3 + offset)"
    }
    return Dialect(
      origin: "MXNet Gluon",
      modules: blocks({ path($0, $1, 0) }, { path($0, $1, 1) })
        .merging(Self.first("features.0", "features.1", "output")) { first, _ in first },
      variant: NetworkVariant(stridesFirst: true), preprocessing: .torch())
  }

  /// MXNet's before 1.3, by kinds and numbers: `resnetv10_stage1_conv0`, less the beginning.
  private var olderGluon: Dialect {
    var modules = Self.first("conv0", "batchnorm0", "dense0")
    for stage in 0..<4 {
      var number = 0
      for place in places where place.stage == stage {
        let order = Array(1...place.convolutions) + (place.hasShortcut ? [0] : [])
        for conv in order {
          let (layer, norm) =
            conv == 0 ? ("downsample.0", "downsample.1") : ("conv\(conv)", "bn\(conv)")
          modules["stage\(stage + 1)_conv\(number)"] = "\(place.path).\(layer)"
          modules["stage\(stage + 1)_batchnorm\(number)"] = "\(place.path).\(norm)"
          number += 1
        }
      }
    }
    return Dialect(
      origin: "MXNet Gluon", modules: modules, variant: NetworkVariant(stridesFirst: true),
      preprocessing: .torch())
  }

  /// GluonCV's, of the form that torchvision has (`resnet50_v1b`).
  private var gluonCV: Dialect {
    func path(_ place: Place, _ number: Int, _ kind: String, _ offset: Int) -> String {
      let block = "layers\(place.stage + 1).\(place.index)"
      return number == 0 ? "\(block).downsample.\(offset)" : "\(block).\(kind)\(number)"
    }
    return Dialect(
      origin: "GluonCV",
      modules: blocks({ path($0, $1, "conv", 0) }, { path($0, $1, "bn", 1) })
        .merging(Self.first("conv1", "bn1", "fc")) { first, _ in first },
      preprocessing: .torch())
  }

  private var transformers: Dialect {
    func path(_ place: Place, _ number: Int, _ kind: String) -> String {
      let block = "resnet.encoder.stages.\(place.stage).layers.\(place.index)"
      return "\(block).\(number == 0 ? "shortcut" : "layer.\(number - 1)").\(kind)"
    }
    let stem = "resnet.embedder.embedder"
    return Dialect(
      origin: "Hugging Face transformers",
      modules: blocks({ path($0, $1, "convolution") }, { path($0, $1, "normalization") })
        .merging(
          Self.first("\(stem).convolution", "\(stem).normalization", "classifier.1")
        ) { first, _ in first },
      preprocessing: .torch(224, .bicubic))
  }
}
