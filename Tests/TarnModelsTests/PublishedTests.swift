import Foundation
import Tarn
import Testing

/// Where the real weights and what they should give are: the tests that need them run only if it is set.
private let data = ProcessInfo.processInfo.environment["TARN_DATA"].map {
  URL(fileURLWithPath: $0)
}

/// Weights that people trained, with the answers PyTorch gives.
@Suite(.enabled(if: data != nil, "TARN_DATA does not say where the weights are"))
struct PublishedTests {
  @Test(arguments: [
    ("squeezenet1_1", "squeezenet1_1/squeezenet1_1_float32.safetensors", "squeezenet1_1"),
    (
      "mobilenet-v1-0.25",
      "mobilenet_v1_0.25_224/mobilenet_v1_0.25_224_bnfolded_float32.safetensors",
      "mobilenet_v1_0.25_224"
    ),
    (
      "efficientnet-lite0", "efficientnet-lite0/efficientnet-lite0-57934424.pth",
      "efficientnet_lite0"
    ),
    ("cifar-resnet20", "cifar10-resnet20/resnet20-12fca82f.th", "cifar10_resnet20"),
  ])
  func logits(name: String, file: String, golden: String) throws {
    let folder = try #require(data)
    let entry = try Zoo.entry(name)
    let loaded = try Zoo.load(
      entry, contentsOf: folder.appendingPathComponent("models/\(file)"))
    #expect(loaded.published == entry.weights.last)
    #expect(loaded.report.isComplete)
    let expected = try Weights(
      contentsOf: folder.appendingPathComponent("golden/\(golden)_logits.safetensors"))
    let inputs = expected.names.filter { $0.hasSuffix("input") }
    #expect(!inputs.isEmpty)
    for input in inputs {
      let logits = loaded.model(try expected.tensor(input))
      let wanted = try expected.tensor(String(input.dropLast(5)) + "logits")
      #expect(logits.shape == wanted.shape)
      #expect((logits - wanted).abs().max().item() < 1e-3, "\(input)")
    }
  }

  @Test func aDigestTellsWhatARenamedFileIs() throws {
    let folder = try #require(data)
    let entry = try Zoo.entry("squeezenet1_1")
    let copy = FileManager.default.temporaryDirectory
      .appendingPathComponent("renamed-\(UUID().uuidString).bin")
    try FileManager.default.createSymbolicLink(
      at: copy,
      withDestinationURL: folder.appendingPathComponent(
        "models/squeezenet1_1/squeezenet1_1_float32.safetensors"))
    defer { try? FileManager.default.removeItem(at: copy) }
    let loaded = try Zoo.load(entry, contentsOf: copy)
    #expect(loaded.published?.name == "CAFFE")
  }
}
