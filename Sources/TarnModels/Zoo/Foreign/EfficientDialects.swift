import TarnNN
import TarnVision

/// Modules of a block of timm's mobile networks: of one that widens `conv_pw`, `conv_dw`, `conv_pwl`, else `conv_dw`, `conv_pw`.
func timmBlock(
  _ theirs: String, _ ours: String, widens: Bool, squeezes: Bool
) -> [String: String] {
  let names = widens ? ["conv_pw", "conv_dw", "conv_pwl"] : ["conv_dw", "conv_pw"]
  var modules: [String: String] = [:]
  for (number, name) in names.enumerated() {
    let place = number + (squeezes && number == names.count - 1 ? 1 : 0)
    modules["\(theirs).\(name)"] = "\(ours).\(place).0"
    modules["\(theirs).bn\(number + 1)"] = "\(ours).\(place).1"
  }
  if squeezes {
    modules["\(theirs).se.conv_reduce"] = "\(ours).\(names.count - 1).fc1"
    modules["\(theirs).se.conv_expand"] = "\(ours).\(names.count - 1).fc2"
  }
  return modules
}

extension EfficientNet: Translated {
  private var last: Int { features.layers.count - 1 }

  func dialects(_ clues: Clues) -> [Dialect] {
    var keras = [
      "stem_conv": "features.0.0", "stem_bn": "features.0.1", "top_conv": "features.\(last).0",
      "top_bn": "features.\(last).1", "predictions": "classifier.1", "probs": "classifier.1",
    ]
    var timm = [
      "conv_stem": "features.0.0", "bn1": "features.0.1", "conv_head": "features.\(last).0",
      "bn2": "features.\(last).1", "classifier": "classifier.1",
    ]
    for (stage, feature) in features.layers.enumerated() {
      for (index, block) in (feature.second?.layers ?? []).enumerated() {
        let ours = "features.\(stage).\(index).block"
        let widens = block.block.layers.count == 4
        timm.merge(
          timmBlock("blocks.\(stage - 1).\(index)", ours, widens: widens, squeezes: true)
        ) { first, _ in first }
        let letter = String(UnicodeScalar(UInt8(ascii: "a") + UInt8(min(25, index))))
        let parts =
          (widens ? [("expand_conv", "expand_bn")] : []) + [("dwconv", "bn")]
        for (place, part) in parts.enumerated() {
          keras["block\(stage)\(letter)_\(part.0)"] = "\(ours).\(place).0"
          keras["block\(stage)\(letter)_\(part.1)"] = "\(ours).\(place).1"
        }
        let next = parts.count
        keras["block\(stage)\(letter)_se_reduce"] = "\(ours).\(next).fc1"
        keras["block\(stage)\(letter)_se_expand"] = "\(ours).\(next).fc2"
        keras["block\(stage)\(letter)_project_conv"] = "\(ours).\(next + 1).0"
        keras["block\(stage)\(letter)_project_bn"] = "\(ours).\(next + 1).1"
      }
    }
    // The sizes from b5 on timm has from TensorFlow alone; there the network's own ε is TensorFlow's.
    let isLarge = features.layers.first?.first?.norm.settings.epsilon == 1e-3
    let isTensorFlow = clues.isTensorFlow(otherwise: isLarge)
    let side = clues.side
    return [
      Dialect(
        origin: "Keras", modules: keras,
        ignored: ["mean", "variance", "count"].reduce(into: []) {
          $0.insert("normalization.\($1)")
        },
        variant: .tensorFlow, preprocessing: Self.kerasRule(clues, side)),
      Dialect(
        origin: "timm", modules: timm,
        variant: isTensorFlow ? .tensorFlow : NetworkVariant(epsilon: 1e-5),
        preprocessing: .torch(side, .bicubic)),
    ]
  }

  /// The network normalises its input itself. Its published weights have deviations where variances belong, and divide by
  /// their roots once more.
  private static func kerasRule(_ clues: Clues, _ side: Int) -> Preprocessing {
    guard let (mean, variance) = clues.statistics else { return .torch(side, .bicubic) }
    let isPublished = zip(variance, Preprocessing.imageNetDeviation).allSatisfy {
      abs($0 - $1) < 1e-3
    }
    return .torch(
      side, .bicubic, mean: mean,
      deviation: isPublished ? variance : variance.map { max(1e-7, $0).squareRoot() })
  }
}

extension EfficientNetLite: Translated {
  func dialects(_ clues: Clues) -> [Dialect] {
    var modules = [
      "conv_stem": "_conv_stem", "bn1": "_bn0", "conv_head": "_conv_head", "bn2": "_bn1",
      "classifier": "_fc",
    ]
    var (stage, index, channels) = (-1, 0, (0, 0))
    for (number, block) in blocks.layers.enumerated() {
      // A stage begins where channels or the kernel change.
      let shape = (block.project.conv.weight.shape[0], block.depthwise.conv.weight.shape[2])
      (stage, index) = shape == channels ? (stage, index + 1) : (stage + 1, 0)
      channels = shape
      let theirs = "blocks.\(stage).\(index)"
      let names =
        block.expand == nil ? ["conv_dw", "conv_pw"] : ["conv_pw", "conv_dw", "conv_pwl"]
      let ours =
        (block.expand == nil ? [] : ["_expand_conv"]) + ["_depthwise_conv", "_project_conv"]
      let norms = (block.expand == nil ? [] : ["_bn0"]) + ["_bn1", "_bn2"]
      for (place, name) in names.enumerated() {
        modules["\(theirs).\(name)"] = "_blocks.\(number).\(ours[place])"
        modules["\(theirs).bn\(place + 1)"] = "_blocks.\(number).\(norms[place])"
      }
    }
    return [
      Dialect(
        origin: "timm", modules: modules,
        refusal: clues.isTensorFlow(otherwise: true)
          ? nil : "they are of timm's own training, with another padding than the network's",
        preprocessing: .timmHalves(clues.side))
    ]
  }
}
