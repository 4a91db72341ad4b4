import Foundation
import Tarn
import Testing

@Suite struct SequentialTests {
  private static func model(_ isDeep: Bool) -> some Layer {
    Sequential {
      Linear(4, 4)
      if isDeep { Linear(4, 4) }
      if isDeep {
        Linear(4, 4)
        Tanh()
      }
      if isDeep { PReLU() } else { GELU() }
      if isDeep {
        Tanh()
      } else {
        Linear(4, 4)
        Linear(4, 4)
      }
      Linear(4, 2)
    }
  }

  @Test func conditions() {
    #expect(
      Self.model(true).parameters.map(\.name) == [
        "0.weight", "0.bias", "1.weight", "1.bias", "2.0.weight", "2.0.bias", "3.weight",
        "5.weight", "5.bias",
      ])
    #expect(
      Self.model(false).parameters.map(\.name) == [
        "0.weight", "0.bias", "4.0.weight", "4.0.bias", "4.1.weight", "4.1.bias", "5.weight",
        "5.bias",
      ])
    let paths = Self.model(true).summary(inputShape: [1, 4]).rows.map(\.path)
    #expect(paths == ["0", "1", "2.0", "2.1", "3", "4", "5"])
  }

  @Test(arguments: [true, false]) func conditionsTrainSaveAndLoad(isDeep: Bool) throws {
    func check<Model: Layer>(_ model: Model) throws {
      let x = Tensor.ones([3, 4])
      let gradient = grad({ $0(x).squared().sum() }, at: model)
      #expect(gradient.parameters.map(\.name) == model.parameters.map(\.name))
      #expect(gradient.parameters.allSatisfy { $0.tensor.abs().sum().item() > 0 })
      let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
        "tarn-conditions-\(isDeep)-\(UUID().uuidString)")
      defer { try? FileManager.default.removeItem(at: folder) }
      try model.save(to: folder)
      expectClose(try Model(contentsOf: folder)(x), model(x), 0)
    }
    try check(Self.model(isDeep))
  }

  @Test func chosenLayersAreAtHand() {
    let isWide = true
    var model = Sequential {
      if isWide { Linear(2, 8) }
      if isWide { ReLU() } else { Tanh() }
    }
    #expect(model.layers.0.layer?.weight.shape == [8, 2])
    #expect(model.layers.1.first != nil && model.layers.1.second == nil)
    model = Sequential(OptionalLayer(nil), model.layers.1)
    #expect(model.parameterCount == 0)
    #expect(model(.ones([1, 2])).shape == [1, 2])
  }

  /// As the comment on `Sequential` says; in a variable, as the compiler treats those apart.
  @Test func fieldsAreAtHand() {
    var model = Sequential {
      Conv2d(1, 6, kernel: 5, padding: 2); ReLU(); MaxPool2d(2)
      Flatten(); Linear(1176, 10)
    }
    #expect(model.layers.4.weight.shape == [10, 1176])
    model = model.mapParameters { $0 == "4.bias" ? .zeros(like: $1) : $1 }
    let bias = model.layers.4.bias
    #expect(bias?.array(of: Float.self) == [Float](repeating: 0, count: 10))
    var pair = Sequential {
      Linear(2, 3); Tanh()
    }
    #expect(pair.layers.0.weight.shape == [3, 2])
    let (linear, _) = pair.layers
    pair = Sequential(linear, Tanh())
    expectClose(pair.layers.0.weight, linear.weight, 0)
    let one = Sequential { Linear(4, 2) }
    let weight = one.layers.weight
    #expect(weight.shape == [2, 4])
  }
}
