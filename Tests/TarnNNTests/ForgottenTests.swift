import Tarn
import Testing
import _TarnTestKit

private struct Forgetful: Module {
  var kept = Linear(2, 1)
  var lost = [Linear(1, 1, bias: false)]
  enum CodingKeys: String, CodingKey { case kept }
}

@Suite struct ForgottenTests {
  @Test func fieldsLeftOutOfCodingKeys() {
    #expect(forgottenTensors(in: Forgetful()) == ["lost.0.weight"])
    #expect(Forgetful().parameters.map(\.name) == ["kept.weight", "kept.bias"])
  }

  @Test func layersForgetNothing() {
    #expect(forgottenTensors(in: ResNet()).isEmpty)
    #expect(
      forgottenTensors(
        in: Sequential {
          PReLU(2); ConvTranspose2d(1, 2, kernel: 2)
        }
      ).isEmpty)
    #expect(forgottenTensors(in: Residual(GroupNorm(groups: 1, 2), shortcut: LayerNorm(3))).isEmpty)
    #expect(forgottenTensors(in: Chain([Embedding(2, 2)])).isEmpty)
  }
}
