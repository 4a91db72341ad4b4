import Tarn
import Testing

@Suite struct InitializationTests {
  private func spread(_ initializer: Initializer, _ shape: [Int]) -> (
    deviation: Double, largest: Double
  ) {
    let w = initializer.tensor(shape, key: RandomKey(seed: 11))
    return (w.standardDeviation().item(), w.abs().max().item())
  }

  /// Fans of [64, 32, 3, 3]: 288 and 576.
  private static let distributions: [(Initializer, Double, Double)] = [
    (Initializer.standard, 1 / (3 * 288.0).squareRoot(), 1 / 288.0.squareRoot()),
    (.xavierUniform(gain: 2), 2 * (2 / 864.0).squareRoot(), 2 * (6 / 864.0).squareRoot()),
    (.xavierNormal(), (2 / 864.0).squareRoot(), .infinity),
    (.kaimingUniform(), (2 / 288.0).squareRoot(), (6 / 288.0).squareRoot()),
    (.kaimingNormal(fan: .output), (2 / 576.0).squareRoot(), .infinity),
    (.normal(mean: 0, deviation: 0.1), 0.1, .infinity),
    (.uniform(from: -1, to: 1), 1 / 3.0.squareRoot(), 1),
    (.truncatedNormal(deviation: 2, from: -2, to: 2), 2 * 0.5396, 2),
  ]
  @Test(arguments: distributions)
  func spreads(_ initializer: Initializer, _ deviation: Double, _ bound: Double) {
    let (found, largest) = spread(initializer, [64, 32, 3, 3])
    #expect(abs(found / deviation - 1) < 0.02)
    #expect(largest <= bound * (1 + 1e-6))
    if bound.isFinite { #expect(largest > 0.99 * bound) }
  }

  @Test(arguments: [[6, 4], [4, 6], [4, 2, 3]]) func orthogonal(_ shape: [Int]) {
    let w = Initializer.orthogonal(gain: 2).tensor(shape, key: RandomKey(seed: 1)).reshaped([
      shape[0], -1,
    ])
    let small = shape[0] <= w.shape[1] ? w.matmul(w.transposed()) : w.transposed().matmul(w)
    expectClose(small, .eye(small.shape[0]) * 4, 1e-5)
  }

  @Test func gains() {
    #expect(
      Initializer.gain(for: .tanh) == 5 / 3.0 && Initializer.gain(for: .relu) == 2.0.squareRoot())
  }

  /// The key decides, else the scope's seed and the place in it, and nothing else.
  @Test func everyLayerFollowsItsKey() {
    func all(_ key: RandomKey?) -> [[UInt8]] {
      let parameters =
        Linear(3, 2, key: key).parameters + Conv1d(2, 2, kernel: 3, key: key).parameters
        + Conv2d(2, 2, kernel: 3, key: key).parameters + Embedding(3, 2, key: key).parameters
        + ConvTranspose1d(2, 2, kernel: 3, key: key).parameters
        + ConvTranspose2d(2, 2, kernel: 3, key: key).parameters
      return parameters.map { $0.tensor.bytes() }
    }
    let key = RandomKey(seed: 9)
    let given = all(key)
    #expect(given.count == 11)
    #expect(all(key) == given)
    #expect(Initialization.seeded(1) { all(key) } == given)
    #expect(zip(all(RandomKey(seed: 10)), given).allSatisfy { $0 != $1 })
    let scoped = Initialization.seeded(1) { all(nil) }
    #expect(Initialization.with(key: RandomKey(seed: 1)) { all(nil) } == scoped)
    #expect(zip(Initialization.seeded(2) { all(nil) }, scoped).allSatisfy { $0 != $1 })
    // A layer with a key of its own takes none of the scope's, and a scope inside is apart.
    let disturbed = Initialization.seeded(1) {
      _ = Linear(5, 5, key: key)
      _ = Initialization.seeded(3) { Linear(5, 5) }
      return all(nil)
    }
    #expect(disturbed == scoped)
  }

  @Test func seeds() {
    func weights(_ seed: UInt64) -> [Float] {
      Initialization.seeded(seed) { [Linear(3, 3), Linear(3, 3)] }.flatMap {
        $0.weight.array(of: Float.self)
      }
    }
    #expect(weights(1) == weights(1) && weights(1) != weights(2))
    #expect(weights(1)[..<9] != weights(1)[9...])
    let key = RandomKey(seed: 9)
    #expect(
      Linear(2, 2, key: key).weight.array(of: Float.self)
        == Linear(2, 2, key: key).weight.array(of: Float.self))
    #expect(Initialization.skipped { Linear(4, 4) }.weight.abs().sum().item() == 0)
    #expect(Linear(4, 4).weight.abs().sum().item() > 0)
  }
}

@Suite struct LoadingTests {
  private let weights = Initialization.seeded(1) { ResNet() }.weights
  private let model = Initialization.seeded(2) { ResNet() }

  @Test func everything() throws {
    let (loaded, report) = try model.loading(weights)
    #expect(report.isComplete && report.loaded == ResNet.names)
    for (name, tensor) in loaded.namedTensors {
      expectClose(tensor, try weights.tensor(name), 0, name)
    }
  }

  @Test func allMistakesAtOnce() throws {
    var broken = weights
    broken["fc.bias"] = nil
    broken["fc.weight"] = .zeros([1000, 8])
    broken["extra"] = .zeros([1])
    let error = #expect(throws: LoadError.self) { try model.loading(broken) }
    let report = try #require(error?.report)
    #expect(report.missing == ["fc.bias"] && report.unused == ["extra"])
    #expect(report.mismatched.map(\.name) == ["fc.weight"])
    let (kept, allowed) = try model.loading(broken, allowing: ["fc.*", "extra"])
    #expect(allowed.kept == ["fc.weight", "fc.bias"] && allowed.isComplete)
    expectClose(kept.fc.weight, model.fc.weight, 0)
    expectClose(kept.conv1.weight, try weights.tensor("conv1.weight"), 0)
    let (loose, rest) = try model.loading(broken, strict: false)
    #expect(rest.missing == ["fc.bias"])
    expectClose(loose.fc.bias ?? .zeros([0]), model.fc.bias ?? .zeros([1]), 0)
  }

  @Test func renamingAndTypes() throws {
    let file = weights.prefixed("module.").renamed { $0.contains("num_batches") ? nil : $0 }
    var half = Weights()
    for (name, tensor) in file.all { half[name] = tensor.cast(to: .float16) }
    let (loaded, report) = try model.loading(
      half, renaming: { String($0.dropFirst("module.".count)) })
    #expect(report.kept.allSatisfy { $0.hasSuffix("num_batches_tracked") } && !report.kept.isEmpty)
    #expect(loaded.conv1.weight.dtype == .float32)
    expectClose(loaded.conv1.weight, try weights.tensor("conv1.weight"), 1e-3)
  }
}
