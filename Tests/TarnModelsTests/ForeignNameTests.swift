import Foundation
import Tarn
import Testing

/// Networks under the names that others give their tensors. Their numbers are compared by `Tools/foreign_check.py`.
@Suite struct ForeignNameTests {
  /// A network's tensors under other names.
  private func weights(
    _ name: String, classes: Int = 10, source: String = "weights", _ rename: (String) -> String?
  ) throws -> Weights {
    func golden(_ model: some Layer) throws -> Weights { try model.withGoldenWeights().weights }
    let entry = try Zoo.entry(name)
    let model = Initialization.skipped { entry.model(classes: classes) }
    let plain = try golden(model)
    var result = Weights(source: source)
    for (name, tensor) in plain.renamed(rename).all { result[name] = tensor }
    return result
  }

  private func load(_ name: String, _ weights: Weights, classes: Int? = nil) throws -> Zoo.Loaded {
    try Initialization.seeded(1) {
      try Zoo.load(try Zoo.entry(name), weights: weights, classes: classes)
    }
  }

  private func tensors(_ model: any Layer) -> [String: Tensor] {
    Dictionary(model.namedTensors.map { ($0.name, $0.tensor) }) { first, _ in first }
  }

  private func difference(_ a: Tensor?, _ b: Tensor?) throws -> Double {
    (try #require(a) - (try #require(b))).abs().max().item()
  }

  /// `layer1.0.conv2` as Keras has it.
  private func keras(_ name: String) -> String? {
    if name.hasSuffix("num_batches_tracked") { return nil }
    let parts = name.split(separator: ".").map(String.init)
    guard let stage = Int(parts[0].dropFirst(5)), let block = Int(parts[1]) else {
      return ["conv1": "conv1_conv", "bn1": "conv1_bn", "fc": "predictions"][parts[0]]
        .map { "\($0).\(parts[1])" }
    }
    let place = "conv\(stage + 1)_block\(block + 1)_"
    if parts[2] == "downsample" {
      return "\(place)0_\(parts[3] == "0" ? "conv" : "bn").\(parts[4])"
    }
    return "\(place)\(parts[2].last ?? "0")_\(parts[2].dropLast()).\(parts[3])"
  }

  @Test func kerasResNetIsAVariantOfTheNetwork() throws {
    let own = try weights("resnet50") { $0 }
    var foreign = try weights("resnet50", keras)
    foreign["conv1_conv.bias"] = .full([64], 0.5, dtype: .float32)
    let loaded = try load("resnet50", foreign)
    #expect(loaded.origin == "Keras" && loaded.report.unused.isEmpty)
    #expect(loaded.variant == NetworkVariant(epsilon: 1.001e-5, stridesFirst: true))
    #expect(loaded.preprocessing.channelOrder == .bgr)
    let model = try #require(loaded.model as? ResNet<Bottleneck>)
    let block = try #require(model.layer2.layers.first)
    #expect(block.conv1.settings.stride == [2, 2] && block.conv2.settings.stride == [1, 1])
    #expect(block.bn2.settings.epsilon == 1.001e-5)
    let found = tensors(model)
    #expect(try difference(found["layer3.4.bn2.weight"], own["layer3.4.bn2.weight"]) == 0)
    // A bias before a normalisation is a shift of its mean.
    let shift = try #require(own["bn1.running_mean"]) - 0.5
    #expect(try difference(found["bn1.running_mean"], shift) == 0)
  }

  @Test func weightsOfTheNetworksOwnAreNoVariant() throws {
    let loaded = try load("resnet50", weights("resnet50") { $0 })
    #expect(loaded.origin == nil && loaded.variant == .own)
  }

  @Test func authorsNamesAreCaffesOnlyWithScales() throws {
    // Keras had the same names, but of its own normalisation, until 2019.
    func authors(_ name: String, scale: Bool) -> String? {
      guard let name = keras(name) else { return nil }
      let parts = name.split(separator: ".").map(String.init)
      let isScale = scale && ["weight", "bias"].contains(parts[1])
      if parts[0] == "predictions" { return "fc1000.\(parts[1])" }
      if parts[0] == "conv1_conv" { return "conv1.\(parts[1])" }
      if parts[0] == "conv1_bn" { return "\(isScale ? "scale" : "bn")_conv1.\(parts[1])" }
      let words = parts[0].dropFirst(4).split(separator: "_")
      let letters = ["a", "b", "c", "d", "e", "f"]
      let block = (Int(words[1].dropFirst(5)) ?? 1) - 1
      let branch = words[2] == "0" ? "1" : "2" + letters[(Int(words[2]) ?? 1) - 1]
      let kind = words[3] == "conv" ? "res" : isScale ? "scale" : "bn"
      return "\(kind)\(words[0])\(letters[block])_branch\(branch).\(parts[1])"
    }
    let older = try load("resnet50", weights("resnet50") { authors($0, scale: false) })
    #expect(older.variant == NetworkVariant(epsilon: 1e-3, stridesFirst: true))
    let caffe = try load("resnet50", weights("resnet50") { authors($0, scale: true) })
    #expect(caffe.origin == "Caffe")
    #expect(caffe.variant == NetworkVariant(stridesFirst: true, poolsOverEnd: true))
    let pool = try #require(caffe.model as? ResNet<Bottleneck>).maxPool
    #expect(pool.settings.ceil && pool.settings.padding == [0, 0])
  }

  @Test func filesWithoutALastLayerNeedANumberOfClasses() throws {
    let foreign = try weights("resnet50") { name in
      keras(name).flatMap { $0.hasPrefix("predictions") ? nil : $0 }
    }
    #expect {
      try load("resnet50", foreign)
    } throws: { error in
      "\(error)".contains("no last layer") && "\(error)".contains("tarn train images")
    }
    let loaded = try load("resnet50", foreign, classes: 3)
    #expect(loaded.classes == 3)
    let kept = loaded.report.kept.filter { !$0.hasSuffix("num_batches_tracked") }
    #expect(Set(kept) == ["fc.weight", "fc.bias"])
  }

  @Test func whatIsMissingInForeignWeightsIsToldByOurName() throws {
    var foreign = try weights("resnet50", keras)
    foreign["conv3_block2_1_conv.weight"] = nil
    foreign["stranger.weight"] = .zeros([3])
    #expect {
      try load("resnet50", foreign)
    } throws: { error in
      guard let report = (error as? LoadError)?.report else { return false }
      return report.missing == ["layer2.1.conv1.weight"] && report.unused == ["stranger.weight"]
    }
  }

  /// timm's names of MobileNet v3, small.
  private func timm(_ name: String) -> String? {
    let parts = name.split(separator: ".").map(String.init)
    let rest = parts.dropFirst(2).joined(separator: ".")
    switch (parts[0], Int(parts[1]) ?? 0) {
    case ("classifier", 0): return "conv_head.\(parts[2])"
    case ("classifier", _): return "classifier.\(parts[2])"
    case (_, 0): return (parts[2] == "0" ? "conv_stem." : "bn1.") + parts[3]
    case (_, 12): return (parts[2] == "0" ? "blocks.5.0.conv." : "blocks.5.0.bn1.") + parts[3]
    case (_, let index):
      // Stages of 1, 2, 3, 2, 3 blocks; which squeeze, and which widen.
      let ends = [1, 3, 6, 8, 11]
      let stage = ends.firstIndex { index <= $0 } ?? 0
      let place = "blocks.\(stage).\(index - 1 - (stage == 0 ? 0 : ends[stage - 1]))"
      let names = index == 1 ? ["conv_dw", "conv_pw"] : ["conv_pw", "conv_dw", "conv_pwl"]
      let squeezes = ![2, 3].contains(index)
      guard var part = Int(parts[3]) else { return rest }
      if squeezes, part == names.count - 1 {
        return "\(place).se.\(parts[4] == "fc1" ? "conv_reduce" : "conv_expand").\(parts[5])"
      }
      if squeezes, part == names.count { part -= 1 }
      return "\(place).\(parts[4] == "0" ? names[part] : "bn\(part + 1)").\(parts[5])"
    }
  }

  @Test func timmHasTwoOfANameAndTheFileTellsWhich() throws {
    let own = try weights("mobilenet-v3-small") { $0 }
    for (file, variant) in [
      ("mobilenetv3_small_100.lamb_in1k.safetensors", NetworkVariant(epsilon: 1e-5)),
      (
        "tf_mobilenetv3_small_100.in1k.safetensors", NetworkVariant(epsilon: 1e-3, padsSame: true)
      ),
    ] {
      let loaded = try load(
        "mobilenet-v3-small", weights("mobilenet-v3-small", source: "/a/\(file)", timm))
      #expect(loaded.origin == "timm" && loaded.variant == variant && loaded.report.unused.isEmpty)
      let found = tensors(loaded.model)
      for name in ["features.4.block.2.fc1.weight", "features.11.block.3.1.bias"] {
        #expect(try difference(found[name], own[name]) == 0, "\(name)")
      }
      // A stride of two with TensorFlow's padding begins a pixel later.
      let x = Tensor.normal([1, 3, 32, 32], key: RandomKey(seed: 3))
      #expect(loaded.model(x).shape == [1, 10])
    }
  }

  @Test func queriesKeysAndValuesAreJoined() throws {
    let size = VisionTransformer.Size(patch: 32, depth: 12, heads: 12, width: 768, hidden: 3072)
    let model = Initialization.seeded(1) { VisionTransformer(size, side: 64, classes: 3) }
    let names = [
      "class_token": "vit.embeddings.cls_token",
      "encoder.pos_embedding": "vit.embeddings.position_embeddings",
      "conv_proj": "vit.embeddings.patch_embeddings.projection", "encoder.ln": "vit.layernorm",
      "heads.head": "classifier", "ln_1": "layernorm_before", "ln_2": "layernorm_after",
      "self_attention.out_proj": "attention.output.dense", "mlp.0": "intermediate.dense",
      "mlp.3": "output.dense",
    ]
    var foreign = Weights(source: "model.safetensors")
    for (name, tensor) in model.namedTensors {
      let pieces = name.split(separator: ".", maxSplits: 3).map(String.init)
      if let direct = names[name] {
        foreign[direct] = tensor
      } else if pieces.count == 4, pieces[1] == "layers" {
        let block = "vit.encoder.layer.\(pieces[2].dropFirst("encoder_layer_".count))"
        if let kind = ["in_proj_weight": "weight", "in_proj_bias": "bias"].first(where: {
          pieces[3].hasSuffix($0.key)
        })?.value {
          for (part, third) in zip(["query", "key", "value"], tensor.split(3, axis: 0)) {
            foreign["\(block).attention.attention.\(part).\(kind)"] = third
          }
        } else if let dot = pieces[3].lastIndex(of: "."),
          let module = names[String(pieces[3][..<dot])]
        {
          foreign["\(block).\(module)\(pieces[3][dot...])"] = tensor
        }
      } else if let dot = name.lastIndex(of: "."), let module = names[String(name[..<dot])] {
        foreign["\(module)\(name[dot...])"] = tensor
      }
    }
    let loaded = try load("vit-b-32", foreign)
    #expect(loaded.origin == "Hugging Face transformers" && loaded.inputShape == [3, 64, 64])
    let found = tensors(loaded.model)
    for (name, tensor) in model.namedTensors {
      #expect(try difference(found[name], tensor) == 0, "\(name)")
    }
  }

  @Test func gluonsNumberOfTheNetworkIsNothing() throws {
    let own = try weights("squeezenet1_1") { $0 }
    var foreign = Weights(source: "squeezenet.params")
    for (place, tensor) in own.all.enumerated() {
      let (name, value) = tensor
      foreign["squeezenet3_conv\(place / 2).\(name.hasSuffix("bias") ? "bias" : "weight")"] = value
    }
    let loaded = try load("squeezenet1_1", foreign)
    #expect(loaded.origin == "MXNet Gluon" && loaded.preprocessing.channelOrder == .rgb)
    #expect(
      try difference(
        tensors(loaded.model)["features.7.expand3x3.weight"], own["features.7.expand3x3.weight"])
        == 0)
  }

  @Test func aConfigurationBesideSaysWhatIsDoneToPictures() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "foreign-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("model.safetensors")
    try weights("mobilenet-v3-small", timm).write(to: file)
    let config = folder.appendingPathComponent("config.json")
    let sound = """
      {"architecture": "tf_mobilenetv3_small_100", "pretrained_cfg": {"input_size": [3, 192, 192],
      "interpolation": "bicubic", "crop_pct": 0.75, "mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6]}}
      """
    try sound.write(to: config, atomically: true, encoding: .utf8)
    let loaded = try Zoo.load(Zoo.entry("mobilenet-v3-small"), contentsOf: file)
    #expect(loaded.preprocessing.mean == [0.1, 0.2, 0.3])
    #expect(
      loaded.preprocessing.crop == [192, 192] && loaded.preprocessing.resize == .shortSide(256))
    #expect(loaded.variant.padsSame)
    // One that is damaged is none.
    for length in stride(from: 0, to: sound.utf8.count, by: 7) {
      try String(sound.prefix(length)).write(to: config, atomically: true, encoding: .utf8)
      let plain = try Zoo.load(Zoo.entry("mobilenet-v3-small"), contentsOf: file)
      #expect(!plain.variant.padsSame && plain.preprocessing.crop == [224, 224])
    }
  }

  @Test func aVariantIsKeptWithTheModel() throws {
    let variant = NetworkVariant(epsilon: 1e-3, padsSame: true)
    let entry = try Zoo.entry("mobilenet-v2-0.35")
    func saved(_ model: some Layer) throws {
      let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
        "variant-\(UUID().uuidString)")
      defer { try? FileManager.default.removeItem(at: folder) }
      try model.save(to: folder)
      let again = try MobileNetV2(contentsOf: folder)
      let x = Tensor.normal([1, 3, 33, 33], key: RandomKey(seed: 3))
      #expect(try difference(model(x), again(x)) == 0)
      let own = try MobileNetV2(width: 0.35, classes: 5).loading(again.weights).model
      #expect(try difference(own(x), again(x)) > 0)
    }
    let model = Initialization.seeded(1) { entry.model(classes: 5, variant: variant) }
    try saved(model)
  }

  @Test func caffesGoogLeNetIsAsItsAuthorsHadIt() throws {
    let model = Initialization.seeded(1) {
      GoogLeNet(classes: 3, hasAuxiliaries: true, isOriginal: true)
    }
    let stems = ["conv1": "conv1/7x7_s2", "conv2": "conv2/3x3_reduce", "conv3": "conv2/3x3"]
    let branches = [
      "branch1": "1x1", "branch2.0": "3x3_reduce", "branch2.1": "3x3", "branch3.0": "5x5_reduce",
      "branch3.1": "5x5", "branch4.1": "pool_proj",
    ]
    let foreign = model.weights.renamed { name in
      var parts = name.split(separator: ".").map(String.init)
      guard let variable = parts.popLast() else { return nil }
      if parts.last == "conv" { parts.removeLast() }
      let path = parts.joined(separator: ".")
      let layer: String? =
        if path == "fc" {
          "loss3/classifier"
        } else if parts[0].hasPrefix("aux") {
          "loss\(parts[0].dropFirst(3))/"
            + (["fc1": "fc", "fc2": "classifier"][parts.dropFirst().first ?? ""] ?? "conv")
        } else if parts[0].hasPrefix("inception") {
          branches[parts.dropFirst().joined(separator: ".")].map {
            "inception_\(parts[0].dropFirst(9))/\($0)"
          }
        } else {
          stems[path]
        }
      return layer.map { "\($0).\(variable)" }
    }
    #expect(foreign.count == model.namedTensors.count)
    let loaded = try load("googlenet", foreign)
    #expect(loaded.origin == "Caffe" && loaded.variant == NetworkVariant(isOriginal: true))
    #expect(loaded.report.isComplete && loaded.preprocessing.mean == [104, 117, 123])
    let found = tensors(loaded.model)
    for (name, tensor) in model.namedTensors {
      #expect(try difference(found[name], tensor) == 0, "\(name)")
    }
    let x = Tensor.normal([1, 3, 224, 224], key: RandomKey(seed: 3))
    let logits = try #require(loaded.model as? GoogLeNet).allLogits(x)
    #expect(logits.map(\.shape) == [[1, 3], [1, 3], [1, 3]])
    // Another number of classes keeps all but the last layers, those on the way too.
    let other = try load("googlenet", foreign, classes: 5)
    #expect(other.report.kept.count == 6 && other.variant.isOriginal)
    let without = try Zoo.load(
      Zoo.entry("googlenet"), weights: foreign, classes: 3, hasAuxiliaries: false)
    #expect((without.model as? GoogLeNet)?.hasAuxiliaries == false)
  }

  @Test func layersOfEarlyKeras3AreToldByTheirOrder() throws {
    var foreign = try weights("resnet50") { $0.hasSuffix("num_batches_tracked") ? nil : $0 }
    let own = foreign
    // Kinds and numbers in the order of Keras's layers: a shortcut stands before the last convolution.
    var order: [String] = []
    for name in own.names {
      let path = name.split(separator: ".").dropLast().joined(separator: ".")
      if order.last != path { order.append(path) }
    }
    for place in order.indices where order[place].hasSuffix("downsample.0") {
      let shortcut = Array(order[place...(place + 1)])
      order.removeSubrange(place...(place + 1))
      order.insert(contentsOf: shortcut, at: place - 2)
    }
    var counts: [String: Int] = [:]
    var names: [String: String] = [:]
    for path in order {
      let isNorm = own["\(path).running_mean"] != nil
      let kind = isNorm ? "batch_normalization" : path == "fc" ? "dense" : "conv2d"
      names[path] = kind + (counts[kind].map { "_\($0)" } ?? "")
      counts[kind, default: 0] += 1
    }
    foreign = own.renamed { name in
      name.lastIndex(of: ".").flatMap { dot in
        names[String(name[..<dot])].map { $0 + name[dot...] }
      }
    }
    foreign.metadata["names of layers"] = "missing"
    let loaded = try load("resnet50", foreign)
    #expect(loaded.origin == "Keras" && loaded.variant.stridesFirst)
    let found = tensors(loaded.model)
    for (name, tensor) in own.all {
      #expect(try difference(found[name], tensor) == 0, "\(name)")
    }
  }
}
