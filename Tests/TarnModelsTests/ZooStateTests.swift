import Foundation
import Tarn
import Testing

/// Where `Tools/goldens.py --states` wrote.
private let states = ProcessInfo.processInfo.environment["TARN_ZOO_STATES"]

/// Networks with the weights that torchvision starts them with: they load strictly, and answers and gradients are its own.
@Suite(.enabled(if: states != nil), .serialized) struct ZooStateTests {
  @Test(arguments: networks)
  func agreesWithTorchvision(network: GoldenNetwork) throws {
    func check(_ model: some Layer) throws {
      let file = URL(fileURLWithPath: try #require(states))
        .appendingPathComponent("\(network.name).safetensors")
      let stored = try Weights(contentsOf: file)
      let model = try model.loading(stored.strippingPrefix("state.")).model
      let pictures = 2 * numbers("input", [4, 3, 64, 64])
      #expect(relativeError(model(pictures), try stored.tensor("logits")) < 1e-4)
      let found = TrainedNetwork(
        model.cast(to: .float64), pictures.cast(to: .float64), Tensor([0, 1, 2, 3]))
      #expect(relativeError(found.logits, try stored.tensor("training_logits")) < 1e-5)
      #expect(relativeError(found.loss, try stored.tensor("loss")) < 1e-5)
      for (name, gradient) in found.gradients {
        let expected = try stored.tensor("gradient.\(name)")
        // A gradient may be zero but for rounding.
        #expect((gradient - expected).norm().item() < 1e-5 * max(1e-6, expected.norm().item()))
      }
    }
    try check(network.make())
  }

  private static let networks: [GoldenNetwork] =
    TorchvisionTests.cases
    + [
      GoldenNetwork("resnet34") { ResNet.resNet34(classes: 10) },
      GoldenNetwork("resnet101") { ResNet.resNet101(classes: 10) },
      GoldenNetwork("resnet152") { ResNet.resNet152(classes: 10) },
      GoldenNetwork("wide-resnet50-2") { ResNet.wideResNet50(classes: 10) },
      GoldenNetwork("alexnet") { AlexNet(classes: 10, dropout: 0) },
    ]
    + VGG.Depth.allCases.flatMap { depth in
      [
        GoldenNetwork("vgg\(depth.rawValue)") { VGG(depth, classes: 10, dropout: 0) },
        GoldenNetwork("vgg\(depth.rawValue)-bn") {
          VGG(depth, batchNorm: true, classes: 10, dropout: 0)
        },
      ]
    }
}
