import Foundation
import Tarn
import Testing

/// Weights as people publish them, and as they go wrong.
@Suite struct ZooLoadTests {
  /// The golden numbers of a network under its own names.
  private func weights(_ name: String, classes: Int? = nil, auxiliaries: Bool? = nil) throws
    -> Weights
  {
    func golden(_ model: some Layer) throws -> Weights { try model.withGoldenWeights().weights }
    let entry = try Zoo.entry(name)
    let model = Initialization.skipped {
      entry.model(classes: classes, hasAuxiliaries: auxiliaries)
    }
    return try golden(model)
  }

  private func load(
    _ name: String, _ weights: Weights, classes: Int? = nil
  ) throws -> Zoo.Loaded {
    try Initialization.seeded(1) {
      try Zoo.load(try Zoo.entry(name), weights: weights, classes: classes)
    }
  }

  private func same(_ a: any Layer, _ b: Weights) -> Bool {
    let stored = a.namedTensors
    return stored.count == b.count
      && stored.allSatisfy { name, tensor in
        b[name].map { (tensor - $0).abs().sum().item() == 0 } ?? false
      }
  }

  @Test func wrappersAndMissingCounts() throws {
    let plain = try weights("cifar-resnet20")
    let published = plain.renamed {
      $0.hasSuffix("num_batches_tracked") ? nil : "module." + $0
    }
    let loaded = try load("cifar-resnet20", published)
    #expect(same(loaded.model, plain))
    #expect(loaded.classes == 10 && loaded.labels == .cifar10)
    #expect(loaded.report.kept.allSatisfy { $0.hasSuffix("num_batches_tracked") })
  }

  @Test func olderSpellingsOfDenseNets() throws {
    let plain = try weights("densenet121", classes: 10)
    let old = plain.renamed { name in
      var name = name
      for part in ["norm1", "norm2", "conv1", "conv2"] where name.contains("denselayer") {
        name = name.replacing(".\(part).", with: ".\(part.dropLast()).\(part.suffix(1)).")
      }
      return name
    }
    #expect(old["features.denseblock1.denselayer1.norm.1.weight"] != nil)
    #expect(same(try load("densenet121", old).model, plain))
  }

  @Test func olderSpellingsAndSizesOfTransformers() throws {
    let small = VisionTransformer(.b32, side: 64, classes: 7)
    let plain = try small.withGoldenWeights().weights
    let old = plain.renamed {
      $0.replacing(".mlp.0.", with: ".mlp.linear_1.").replacing(
        ".mlp.3.", with: ".mlp.linear_2.")
    }
    let loaded = try load("vit-b-32", old)
    #expect(same(loaded.model, plain))
    #expect(loaded.classes == 7 && loaded.inputShape == [3, 64, 64])
    #expect(loaded.labels == nil && loaded.published == nil)
  }

  @Test func namesOfTheAuthorsOfSqueezeNet() throws {
    // The layers of their files in order, and ours.
    let fires = (2...9).flatMap { fire in
      ["squeeze1x1", "expand1x1", "expand3x3"].map { "fire\(fire)/\($0)" }
    }
    let layers = ["conv1"] + fires + ["conv10"]
    for name in ["squeezenet1_0", "squeezenet1_1"] {
      let plain = try weights(name, classes: 4)
      let old = layers.flatMap { layer in ["weight", "bias"].map { "\(layer).\($0)" } }
      // Tensors stand in the same order, but that of a fire module's three is theirs.
      let caffe = Weights(zip(old, plain.all).map { (name: $0, tensor: $1.tensor) })
      #expect(caffe.count == plain.count)
      #expect(same(try load(name, caffe).model, plain))
    }
  }

  @Test(arguments: [true, false]) func auxiliaryClassifiersComeWithTheWeights(has: Bool) throws {
    for name in ["googlenet", "inception-v3"] {
      let plain = try weights(name, classes: 3, auxiliaries: has)
      #expect(plain.names.contains { $0.lowercased().hasPrefix("aux") } == has)
      let loaded = try load(name, plain)
      #expect(same(loaded.model, plain))
    }
  }

  @Test func anotherNumberOfClassesGetsANewHead() throws {
    let plain = try weights("squeezenet1_1")
    let loaded = try load("squeezenet1_1", plain, classes: 37)
    #expect(loaded.classes == 37 && loaded.labels == nil && loaded.published == nil)
    #expect(Set(loaded.report.kept) == ["classifier.1.weight", "classifier.1.bias"])
    let tensors = Dictionary(loaded.model.namedTensors.map { ($0.name, $0.tensor) }) { $1 }
    let head = try #require(tensors["classifier.1.weight"])
    #expect(head.shape[0] == 37 && head.abs().sum().item() > 0)
    let first = try #require(tensors["features.0.weight"])
    #expect((first - (try plain.tensor("features.0.weight"))).abs().sum().item() == 0)
  }

  @Test func sameNumberOfClassesKeepsTheHead() throws {
    let plain = try weights("mobilenet-v3-small")
    let loaded = try load("mobilenet-v3-small", plain, classes: 1000)
    #expect(loaded.report.isComplete && loaded.report.kept.isEmpty)
    #expect(loaded.labels == .imageNet && same(loaded.model, plain))
  }

  @Test func whatDoesNotFitIsListedAtOnce() throws {
    var broken = try weights("resnet18")
    broken["layer1.0.conv1.weight"] = nil
    broken["layer2.0.conv1.weight"] = .zeros([2, 2])
    broken["layer9.weight"] = .zeros([1])
    #expect {
      try load("resnet18", broken)
    } throws: { error in
      guard let report = (error as? LoadError)?.report else { return false }
      return report.missing == ["layer1.0.conv1.weight"] && report.unused == ["layer9.weight"]
        && report.mismatched.map(\.name) == ["layer2.0.conv1.weight"]
    }
    // A new head does not excuse the rest.
    #expect(throws: LoadError.self) { try load("resnet18", broken, classes: 5) }
    #expect(throws: LoadError.self) { try load("resnet34", try weights("resnet18")) }
  }

  @Test func bothLayoutsOfMobileNet() throws {
    let plain = try weights("mobilenet-v1-0.25")
    let loaded = try load("mobilenet-v1-0.25", plain)
    #expect(loaded.model is MobileNetV1 && loaded.preprocessing == .imageNet)
    let folded = try FoldedMobileNetV1(width: 0.25).withGoldenWeights().weights
    let other = try load("mobilenet-v1-0.25", folded)
    #expect(other.model is FoldedMobileNetV1 && same(other.model, folded))
    #expect(other.classes == 1001 && other.labels == .imageNetWithBackground)
    #expect(other.preprocessing.mean == [127.5, 127.5, 127.5])
    #expect(try load("mobilenet-v1-0.25", folded, classes: 5).classes == 5)
  }

  @Test func preprocessingTravelsWithTheWeights() throws {
    func named(_ file: String) throws -> Weights {
      Weights(try weights("squeezenet1_1").all, source: "/some/where/\(file)")
    }
    let caffe = try load("squeezenet1_1", named("squeezenet1_1_float32.safetensors"))
    #expect(caffe.published?.name == "CAFFE" && caffe.preprocessing.channelOrder == .bgr)
    let torch = try load("squeezenet1_1", named("squeezenet1_1-b8a52dc0.pth"))
    #expect(torch.published?.name == "IMAGENET1K_V1" && torch.preprocessing == .imageNet)
    let unknown = try load("squeezenet1_1", named("mine.pth"))
    #expect(unknown.published == nil && unknown.preprocessing == .imageNet)
    let digest = "5e0e0174e876295f2d34aea57c293662c859afd7d0af9b4853a4fc9aaa69d9ca"
    let told = try Zoo.load(
      Zoo.entry("squeezenet1_1"), weights: named("mine.pth"), sha256: digest)
    #expect(told.published?.name == "CAFFE")
  }
}
