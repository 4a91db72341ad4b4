import Tarn
import Testing

/// Networks against torchvision's.
@Suite struct TorchvisionTests {
  @Test("Tensors have torchvision's names, shapes and order", arguments: Zoo.names)
  func names(name: String) throws {
    let text = try goldens.get().tensor("names/\(name)/text").array(of: Int.self)
    let expected = String(decoding: text.map { UInt8($0) }, as: UTF8.self).split(separator: "\n")
    let tensors = Initialization.skipped { try? Zoo.entry(name).model() }?.namedTensors ?? []
    let found = tensors.map { "\($0.name) \($0.tensor.shape)" }
    for (line, other) in zip(found, expected) { #expect(line == String(other)) }
    #expect(found.count == expected.count)
  }

  static let cases: [GoldenNetwork] = [
    GoldenNetwork("resnet18") { ResNet.resNet18(classes: 10) },
    GoldenNetwork("resnet50") { ResNet.resNet50(classes: 10) },
    GoldenNetwork("resnext50-32x4d") { ResNet.resNeXt50(classes: 10) },
    GoldenNetwork("mobilenet-v2") { MobileNetV2(classes: 10, dropout: 0) },
    GoldenNetwork("googlenet") {
      var model = GoogLeNet(classes: 10, hasAuxiliaries: true, dropout: 0)
      model.aux1?.dropout = Dropout(0)
      model.aux2?.dropout = Dropout(0)
      return model
    },
    GoldenNetwork("squeezenet1_0") { SqueezeNet(.v1_0, classes: 10, dropout: 0) },
    GoldenNetwork("squeezenet1_1") { SqueezeNet(.v1_1, classes: 10, dropout: 0) },
    GoldenNetwork("mobilenet-v3-small") { MobileNetV3(.small, classes: 10, dropout: 0) },
    GoldenNetwork("efficientnet-b0") { EfficientNet(.b0, classes: 10, dropout: 0, drop: 0) },
    GoldenNetwork("inception-v3", side: 80) { InceptionV3(classes: 10, dropout: 0) },
    GoldenNetwork("cifar-resnet20") { CIFARResNet(depth: 20) },
    GoldenNetwork("mobilenet-v1-0.25") { MobileNetV1(width: 0.25, classes: 10, dropout: 0) },
    GoldenNetwork("efficientnet-lite0") {
      EfficientNetLite(.lite0, classes: 10, dropout: 0, drop: 0)
    },
    GoldenNetwork("densenet-small") {
      DenseNet(.init(counts: (2, 3, 2, 2), growth: 8, start: 16), classes: 10)
    },
    GoldenNetwork("convnext-small-sized") {
      ConvNeXt(.init(counts: [2, 2], widths: [16, 24]), classes: 10)
    },
    GoldenNetwork("vit-small") {
      VisionTransformer(
        .init(patch: 16, depth: 2, heads: 4, width: 48, hidden: 96), side: 64, classes: 10)
    },
  ]

  @Test("Logits are torchvision's", arguments: cases)
  func logits(network: GoldenNetwork) throws {
    func check(_ model: some Layer) throws {
      let expected = try goldens.get().tensor("\(network.name)/logits")
      let logits = try model.withGoldenWeights()(network.pictures)
      #expect(relativeError(logits, expected) < 1e-5)
    }
    try check(network.make())
  }

  /// In double precision: in single, rounding turns rectifiers on and off, and gradients that have passed many of them differ
  /// by a per cent and more between any two programs.
  @Test("A training step is torchvision's", arguments: cases)
  func step(network: GoldenNetwork) throws {
    func check(_ model: some Layer) throws {
      let expected = try goldens.get().strippingPrefix("\(network.name)/")
      let found = TrainedNetwork(
        try model.withGoldenWeights().cast(to: .float64), network.pictures.cast(to: .float64),
        network.labels)
      #expect(relativeError(found.logits, try expected.tensor("training_logits")) < 1e-6)
      #expect(relativeError(found.loss, try expected.tensor("loss")) < 1e-6)
      let norms = try expected.tensor("norms").array(of: Double.self)
      let products = try expected.tensor("products").array(of: Double.self)
      // Gradients that are zero but for rounding, as before a normalisation, are so in their own way.
      let least = 1e-6 * (norms.max() ?? 0)
      #expect(found.gradients.count == norms.count)
      for (index, gradient) in found.gradients.enumerated() where index < norms.count {
        let (name, g) = gradient
        let along = (g * numbers("along " + name, g.shape)).sum().item()
        let tolerance = 1e-6 * max(norms[index], least)
        #expect(abs(g.norm().item() - norms[index]) < tolerance, "\(name)")
        #expect(abs(along - products[index]) < tolerance, "\(name)")
      }
      guard let buffers = expected["buffers"]?.array(of: Double.self) else { return }
      #expect(found.buffers.count == buffers.count)
      for (buffer, norm) in zip(found.buffers, buffers) {
        #expect(abs(buffer.tensor.norm().item() - norm) < 1e-6 * norm, "\(buffer.name)")
      }
    }
    try check(network.make())
  }
}

/// A network of the golden file.
struct GoldenNetwork: Sendable, CustomTestStringConvertible {
  let name: String
  /// Pixels of the pictures' side, and how many there are.
  let side: Int, batch: Int
  let make: @Sendable () -> any Layer
  var testDescription: String { name }
  var pictures: Tensor { 2 * numbers("input", [batch, 3, side, side]) }
  var labels: Tensor { Tensor((0..<batch).map { $0 }) }

  init(
    _ name: String, side: Int = 64, batch: Int = 4, _ make: @escaping @Sendable () -> any Layer
  ) {
    (self.name, self.side, self.batch) = (name, side, batch)
    self.make = { Initialization.skipped(make) }
  }
}

/// What one training step gives.
struct TrainedNetwork {
  var logits: Tensor
  var loss: Tensor
  var gradients: [(name: String, tensor: Tensor)]
  /// The running statistics after it.
  var buffers: [(name: String, tensor: Tensor)]

  /// The loss is the cross-entropy; that of auxiliary classifiers counts for 0.3.
  init<Model: Layer>(_ model: Model, _ x: Tensor, _ labels: Tensor) {
    var outputs: [Tensor] = []
    let step = valueGradientAndUpdates(at: model, key: RandomKey(seed: 1)) { (model: Model) in
      outputs =
        (model as? GoogLeNet)?.outputs(x).all ?? (model as? InceptionV3)?.outputs(x).all
        ?? [model(x)]
      return outputs.enumerated().reduce(Tensor(0.0)) { sum, output in
        sum + crossEntropy(output.element, labels) * (output.offset == 0 ? 1 : 0.3)
      }
    }
    logits = outputs[0]
    loss = step.value
    gradients = step.gradient.parameters
    buffers = model.applying(step.updates).buffers.filter { $0.tensor.dtype.isFloating }
    Tensor.evaluate([logits, loss] + gradients.map(\.tensor) + buffers.map(\.tensor))
  }
}
