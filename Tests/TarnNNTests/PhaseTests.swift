import Tarn
import Testing

@Suite struct PhaseTests {
  private let x = Tensor.normal([4, 3, 8, 8], key: RandomKey(seed: 3))
  private let labels = Tensor([0, 1, 2, 1] as [Int64])
  private let model = Initialization.seeded(5) { ResNet() }

  @Test func namesAreThoseOfPyTorch() {
    #expect(model.namedTensors.map(\.name) == ResNet.names)
  }

  @Test func updatesUnderAGradient() {
    let step = valueGradientAndUpdates(at: model, key: RandomKey(seed: 1)) {
      crossEntropy($0(x), labels)
    }
    #expect(
      step.updates.names
        == ResNet.names.filter { $0.contains("running") || $0.contains("num") }.sorted())
    let mean = model.conv1(x).mean(0, 2, 3)
    expectClose(step.updates["bn1.running_mean"] ?? .zeros([0]), mean * 0.1, 1e-6)
    let next = model.applying(step.updates)
    #expect(next.bn1.batchesTracked.item() == 1 && model.bn1.batchesTracked.item() == 0)
    expectClose(next.fc.weight, model.fc.weight, 0)
    #expect(step.gradient.bn1.runningMean.abs().sum().item() == 0)
    #expect(step.gradient.fc.weight.abs().sum().item() > 0)
  }

  @Test func updatesUnderACheckpoint() {
    let (_, plain) = Phase.training(key: RandomKey(seed: 1)) {
      withUpdates(model) { model in grad({ $0(x).sum() }, at: model) }
    }
    let (gradient, checkpoint) = Phase.training(key: RandomKey(seed: 1)) {
      withUpdates(model) { model in
        grad({ model in checkpointed { (x: Tensor) in model(x) }(x).sum() }, at: model)
      }
    }
    #expect(checkpoint.names == plain.names)
    for (a, b) in zip(checkpoint.values, plain.values) { expectClose(a, b, 1e-6) }
    let direct = valueGradientAndUpdates(at: model, key: RandomKey(seed: 1)) { $0(x).sum() }
      .gradient
    for (a, b) in zip(gradient.parameters, direct.parameters) {
      expectClose(a.tensor, b.tensor, 1e-4, a.name)
    }
  }

  @Test func updatesUnderCompile() {
    let labels = labels
    let step = compile { (input: Pair<ResNet, Pair<Tensor, RandomKey>>) in
      valueGradientAndUpdates(at: input.first, key: input.second.second) {
        crossEntropy($0(input.second.first), labels)
      }
    }
    let compiled = step(Pair(model, Pair(x, RandomKey(seed: 1))))
    let direct = valueGradientAndUpdates(at: model, key: RandomKey(seed: 1)) {
      crossEntropy($0(x), labels)
    }
    expectClose(compiled.value, direct.value, 1e-6)
    #expect(compiled.updates.names == direct.updates.names)
    for (a, b) in zip(compiled.updates.values, direct.updates.values) { expectClose(a, b, 1e-6) }
    for (a, b) in zip(compiled.gradient.parameters, direct.gradient.parameters) {
      expectClose(a.tensor, b.tensor, 1e-5, a.name)
    }
    let again = step(Pair(model.applying(compiled.updates), Pair(x, RandomKey(seed: 2))))
    #expect(again.updates["bn1.num_batches_tracked"]?.item() == 2)
  }

  @Test func aLayerCalledTwiceUpdatesTwice() {
    let norm = BatchNorm1d(2)
    let x = Tensor([[1, 2], [3, 6]] as [[Float]])
    let (_, updates) = Phase.training(key: RandomKey(seed: 1)) {
      withUpdates(norm) { norm in (norm(x), norm(x)) }
    }
    #expect(updates["num_batches_tracked"]?.item() == 2)
    expectClose(updates["running_mean"] ?? x, Tensor([0.38, 0.76] as [Float]), 1e-6)
  }

  @Test func inferenceUpdatesNothing() {
    let (y, updates) = withUpdates(model) { $0(x) }
    #expect(updates.isEmpty && y.shape == [4, 3])
    let inner = Phase.training(key: RandomKey(seed: 1)) {
      Phase.inference { Phase.current.isTraining }
    }
    #expect(!inner && !Phase.current.isTraining)
  }

  @Test func oneValueHasNoVariance() {
    let message = diagnostic {
      _ = Phase.training(key: RandomKey(seed: 1)) { BatchNorm1d(2)(.ones([1, 2])) }
    }
    #expect(message?.reason == "a batch of one value per channel has no variance")
  }
}

@Suite struct DropoutTests {
  let x = Tensor.ones([64, 64])

  @Test func dropsAndScales() {
    let layer = Dropout(0.25)
    #expect(layer(x).sum().item() == 4096)
    let y = Phase.training(key: RandomKey(seed: 1)) { layer(x) }
    let values = Set(y.array(of: Float.self))
    #expect(values == [0, 1 / 0.75])
    #expect(abs(y.mean().item() - 1) < 0.05)
  }

  @Test func keysComeInOrder() {
    func run(_ seed: UInt64) -> [[Float]] {
      Phase.training(key: RandomKey(seed: seed)) {
        [Dropout()(x), Dropout()(x)].map { $0.array(of: Float.self) }
      }
    }
    let (a, b) = (run(1), run(1))
    #expect(a == b && a[0] != a[1] && run(2)[0] != a[0])
  }

  @Test func wholeChannels() {
    let y = Phase.training(key: RandomKey(seed: 1)) { Dropout2d(0.5)(.ones([16, 8, 3, 3])) }
    let sums = Set(y.sum(2, 3).array(of: Float.self))
    #expect(sums == [0, 18])
  }

  @Test func probability() {
    #expect(diagnostic { _ = Dropout(1.5) }?.reason == "a probability lies between 0 and 1")
    let none = Phase.training(key: RandomKey(seed: 1)) { Dropout(1)(x) }
    #expect(none.sum().item() == 0)
  }
}
