import Foundation
import Tarn
import Testing

/// Where `Tools/goldens.py --check networks` wrote.
private let states = ProcessInfo.processInfo.environment["TARN_ZOO_STATES"].map {
  URL(fileURLWithPath: $0)
}

/// Networks with the weights that PyTorch starts them with, in every format it writes: they load strictly, and answers and
/// gradients are its own.
@Suite(.enabled(if: states != nil, "for Tools/goldens.py --check"), .serialized)
struct ZooStateTests {
  /// Networks whose answers are there.
  private static let names: [String] = {
    guard let states,
      let files = try? FileManager.default.contentsOfDirectory(atPath: states.path)
    else { return [] }
    return files.filter { $0.hasSuffix(".expected.safetensors") }
      .map { String($0.dropLast(".expected.safetensors".count)) }.sorted()
  }()

  @Test(arguments: names) func agreesWithPyTorch(name: String) throws {
    let folder = try #require(states)
    let expected = try Weights(
      contentsOf: folder.appendingPathComponent("\(name).expected.safetensors"))
    let entry = try Zoo.entry(name)
    let input = try expected.tensor("input")
    var loaded: Zoo.Loaded?
    var errors: [(String, Double)] = []
    for ending in ["safetensors", "pth", "legacy.pth"] {
      let file = folder.appendingPathComponent("\(name).\(ending)")
      guard FileManager.default.fileExists(atPath: file.path) else { continue }
      let found = try Zoo.load(entry, contentsOf: file)
      #expect(found.report.isComplete && found.report.kept.isEmpty, "\(ending)")
      let error = relativeError(found.model(input), try expected.tensor("logits"))
      #expect(error < 1e-4, "\(ending)")
      errors.append(("logits", error))
      loaded = found
    }
    errors += try step(withoutDropout(entry, try #require(loaded)), input, expected)
    let figures = Dictionary(errors) { max($0, $1) }
    let line = figures.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    try (line.joined(separator: " ") + " formats \(errors.count { $0.0 == "logits" })\n").write(
      to: folder.appendingPathComponent("\(name).figures"), atomically: true, encoding: .utf8)
  }

  /// Errors of one training step in double precision; in single, rounding turns rectifiers on and off.
  private func step(
    _ model: some Layer, _ input: Tensor, _ expected: Weights
  ) throws -> [(String, Double)] {
    let labels = Tensor((0..<input.shape[0]).map { $0 })
    let found = TrainedNetwork(model.cast(to: .float64), input.cast(to: .float64), labels)
    let logits = relativeError(found.logits, try expected.tensor("training_logits"))
    let loss = relativeError(found.loss, try expected.tensor("loss"))
    #expect(logits < 1e-5 && loss < 1e-5)
    let wanted = try found.gradients.map { try expected.tensor("gradient.\($0.name)") }
    let norms = wanted.map { $0.norm().item() }
    // A gradient may be zero but for rounding, as before a normalisation.
    let least = 1e-6 * (norms.max() ?? 0)
    var worst = 0.0
    for (index, gradient) in found.gradients.enumerated() {
      let error = (gradient.tensor - wanted[index]).norm().item() / max(norms[index], least)
      #expect(error < 1e-5, "\(gradient.name)")
      worst = max(worst, error)
    }
    return [("training", max(logits, loss)), ("gradients", worst)]
  }

  /// The loaded network with all that is random in training turned off.
  private func withoutDropout(_ entry: Zoo.Entry, _ loaded: Zoo.Loaded) throws -> any Layer {
    func filled(_ model: some Layer) throws -> any Layer {
      try model.loading(Weights(loaded.model.namedTensors)).model
    }
    let model = Initialization.skipped { Self.still(entry, loaded) }
    return try filled(model)
  }

  private static func still(_ entry: Zoo.Entry, _ loaded: Zoo.Loaded) -> any Layer {
    let classes = loaded.classes
    let number = entry.name.split { !$0.isNumber }.first.flatMap { Int($0) } ?? 0
    switch loaded.model {
    case is VGG:
      let depth = VGG.Depth(rawValue: number) ?? .vgg11
      return VGG(depth, batchNorm: entry.name.hasSuffix("bn"), classes: classes, dropout: 0)
    case is AlexNet: return AlexNet(classes: classes, dropout: 0)
    case let model as GoogLeNet:
      var still = GoogLeNet(classes: classes, hasAuxiliaries: model.aux1 != nil, dropout: 0)
      still.aux1?.dropout = Dropout(0)
      still.aux2?.dropout = Dropout(0)
      return still
    case let model as InceptionV3:
      return InceptionV3(classes: classes, hasAuxiliary: model.auxiliary != nil, dropout: 0)
    case is SqueezeNet:
      return SqueezeNet(
        entry.name.hasSuffix("0") ? .v1_0 : .v1_1, classes: classes, dropout: 0)
    case is MobileNetV2: return MobileNetV2(classes: classes, dropout: 0)
    case is MobileNetV3:
      return MobileNetV3(
        entry.name.hasSuffix("small") ? .small : .large, classes: classes, dropout: 0)
    case is EfficientNet:
      let scale = EfficientNet.Scale(rawValue: number) ?? .b0
      return EfficientNet(scale, classes: classes, dropout: 0, drop: 0)
    case is EfficientNetLite:
      let scale = EfficientNetLite.Scale(rawValue: number) ?? .lite0
      return EfficientNetLite(scale, classes: classes, dropout: 0, drop: 0)
    case is ConvNeXt:
      let sizes: [String: ConvNeXt.Size] = [
        "convnext-tiny": .tiny, "convnext-small": .small, "convnext-base": .base,
      ]
      return ConvNeXt(sizes[entry.name] ?? .large, classes: classes, drop: 0)
    case var model as MobileNetV1:
      model.dropout = Dropout(0)
      return model
    default: return loaded.model
    }
  }
}
