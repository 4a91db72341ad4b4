import Tarn
import Testing

@Suite struct OptimizerTests {
  private let x = Tensor([[0, 0], [0, 1], [1, 0], [1, 1]] as [[Float]])
  private let labels = Tensor([0, 1, 1, 0] as [Int64])
  private func xor() -> Sequential<Linear, Tanh, Linear> {
    Initialization.seeded(4) {
      Sequential {
        Linear(2, 8); Tanh(); Linear(8, 2)
      }
    }
  }

  @Test func learnsXOR() {
    var model = xor()
    var optimizer = AdamW(learningRate: 0.05)
    var loss = Tensor(0)
    for number in 0..<150 {
      let step = valueGradientAndUpdates(at: model, key: RandomKey(seed: UInt64(number))) {
        crossEntropy($0(x), labels)
      }
      optimizer.update(&model, with: step)
      loss = step.value
    }
    #expect(loss.item() < 0.02)
    #expect(zeroOne(model(x), labels).item() == 0)
    #expect(optimizer.stepCount == 150)
  }

  @Test func groups() {
    var model = xor()
    let start = model
    var optimizer = SGD(
      learningRate: 0.1, weightDecay: 0.5,
      groups: [
        ParameterGroup("0", isFrozen: true), ParameterGroup("*.bias", rate: 10, weightDecay: 0),
      ])
    optimizer.update(&model, along: model.mapTensors { .ones(like: $0) })
    expectClose(model.layers.0.weight, start.layers.0.weight, 0)
    expectClose(model.layers.2.weight, start.layers.2.weight * 0.95 - 0.1, 1e-6)
    expectClose(model.layers.2.bias ?? .zeros([0]), (start.layers.2.bias ?? .zeros([0])) - 1, 1e-6)
  }

  /// What a training loop does: record the step and both averages, then compute everything at once.
  @Test func averagesAreRecordedIntoTheStep() {
    for kind in [WeightAverage<Linear>.Kind.exponential(decay: 0.9), .mean] {
      let models = (0..<4).map { Linear(3, 2, key: RandomKey(seed: $0)) }
      var (computed, recorded) = (WeightAverage<Linear>(kind), WeightAverage<Linear>(kind))
      for model in models {
        computed.update(model)
        recorded.record(model)
      }
      Tensor.evaluate(recorded.tensors(.all))
      let (a, b) = (computed.model?.weight, recorded.model?.weight)
      #expect(a?.bytes() == b?.bytes() && recorded.count == 4)
      let expected =
        kind == .mean
        ? (models[0] + models[1] + models[2] + models[3]) / 4
        : models.dropFirst().reduce(models[0]) { $0 * 0.9 + $1 * 0.1 }
      expectClose(b ?? .zeros([0]), expected.weight, 1e-6)
    }
  }

  @Test func savedAndReadBackItGoesOnTheSame() throws {
    let folder = try TemporaryFolder()
    var model = xor()
    var optimizer = Adam(learningRate: 0.1, amsgrad: true, groups: [ParameterGroup("0", rate: 2)])
    func run(_ optimizer: inout Adam, _ model: inout Sequential<Linear, Tanh, Linear>) {
      for _ in 0..<3 {
        let (loss, gradient) = valueAndGrad({ crossEntropy($0(x), labels) }, at: model)
        optimizer.update(&model, along: gradient, computing: [loss])
      }
    }
    run(&optimizer, &model)
    try optimizer.save(to: folder.url, name: "optimizer")
    var again = try Adam(contentsOf: folder.url, name: "optimizer")
    #expect(again.stepCount == 3 && again.groups == optimizer.groups)
    #expect(optimizer.namedTensors.map(\.name).contains("state.2.weight.exp_avg_sq"))
    var copy = model
    run(&optimizer, &model)
    run(&again, &copy)
    for (a, b) in zip(model.tensors(.all), copy.tensors(.all)) { expectClose(a, b, 0) }
  }

  @Test func sharpnessAware() {
    // f = ½ c w²: the gradient at w + ρ is c (w + ρ) for w > 0.
    var model = Row(w: Tensor([3] as [Double]))
    var optimizer = SAM(SGD(learningRate: 0.1), rho: 0.5)
    let loss = optimizer.update(&model) { model in
      valueAndGrad({ (0.5 * 2 * $0.w.squared()).sum() }, at: model)
    }
    #expect(loss.item() == 9)
    expectClose(model.w, Tensor([3 - 0.1 * 2 * 3.5] as [Double]), 1e-9)
  }

  @Test func anotherModelsGradient() {
    var model = Linear(2, 2)
    let message = diagnostic {
      var optimizer = SGD()
      var other = BatchNorm1d(2, affine: false)
      optimizer.update(&other, along: other)
      var narrow = model
      narrow.bias = nil
      optimizer.update(&model, along: narrow)
    }
    #expect(message?.reason == "the gradient is of another model")
  }
}
