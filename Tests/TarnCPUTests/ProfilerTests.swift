import CTarnKernels
import Foundation
import Tarn
import Testing

/// Other tests run beside these and their kernels are heard too: expectations are about what must be among the rows.
@Suite struct ProfilerTests {
  private func net() -> Sequential<Linear, ReLU, Linear> {
    Sequential(
      Linear(37, 53, key: RandomKey(seed: 1)), ReLU(), Linear(53, 11, key: RandomKey(seed: 2)))
  }

  @Test func kernelsAndLayersOfAForwardPass() throws {
    let model = net()
    let x = Tensor.normal([29, 37], key: RandomKey(seed: 3)).evaluate()
    let (y, profile) = Profiler.record { model(x).evaluate() }
    #expect(y.shape == [29, 11])
    #expect(profile.seconds > 0 && profile.kernelSeconds > 0)
    #expect(profile.peakGflops > 0 && profile.peakGbPerSecond > 0)
    let names = Set(profile.layers.map(\.name))
    #expect(names.contains("0 Linear(37 → 53)"), "\(names)")
    #expect(names.contains("2 Linear(53 → 11)"), "\(names)")
    #expect(profile.kernels.contains { $0.name.hasPrefix("matmul") && ($0.gflops ?? 0) > 0 })
    #expect(abs(profile.kernels.reduce(0) { $0 + $1.share } - 1) < 1e-9)
    #expect(abs(profile.layers.reduce(0) { $0 + $1.seconds } - profile.kernelSeconds) < 1e-6)
    let seconds = profile.kernels.map(\.seconds)
    #expect(seconds == seconds.sorted(by: >), "the slowest first")
    #expect(profile.description.contains("GFLOP/s") && profile.description.contains("layer"))
  }

  @Test func gradientsHaveNamesOfTheirOwn() {
    let model = net()
    let x = Tensor.normal([23, 37], key: RandomKey(seed: 4)).evaluate()
    let (_, profile) = Profiler.record {
      let gradient = grad(
        { (model: Sequential<Linear, ReLU, Linear>) in model(x).squared().mean() }, at: model)
      Tensor.evaluate(gradient.tensors(.trainable))
    }
    let names = Set(profile.layers.map(\.name))
    #expect(names.contains("0 Linear(37 → 53), backward"), "\(names)")
    #expect(names.contains("2 Linear(53 → 11), backward"), "\(names)")
  }

  /// A product of [61, 67] and [67, 71] takes 2 · 61 · 67 · 71 operations on 4 (61 · 67 + 67 · 71 + 61 · 71) bytes.
  @Test func whatAProductCosts() throws {
    let a = Tensor.normal([61, 67], key: RandomKey(seed: 5)).evaluate()
    let b = Tensor.normal([67, 71], key: RandomKey(seed: 6)).evaluate()
    let (_, profile) = Profiler.record { a.matmul(b).evaluate() }
    let events = try events(of: profile)
    let product = try #require(
      events.first { $0.name.hasPrefix("matmul") && $0.args.shape.suffix(2) == [61, 71] })
    #expect(product.args.operations == 2 * 61 * 67 * 71)
    #expect(product.args.bytes == 4 * (61 * 67 + 67 * 71 + 61 * 71))
    #expect(product.dur > 0 && product.ts >= 0 && product.ph == "X")
  }

  private struct Trace: Decodable {
    struct Event: Decodable {
      struct Arguments: Decodable {
        var layer: String?
        var shape: [Int]
        var operations: Int
        var bytes: Int
      }
      var name: String
      var ph: String
      var ts: Double
      var dur: Double
      var args: Arguments
    }
    var traceEvents: [Event]
  }

  private func events(of profile: Profile) throws -> [Trace.Event] {
    try JSONDecoder().decode(Trace.self, from: profile.trace).traceEvents
  }

  /// Labels must neither change results nor the plans of others.
  @Test func aProfileChangesNoBits() {
    let model = net()
    let x = Tensor.normal([19, 37], key: RandomKey(seed: 7)).evaluate()
    let before = model(x).bytes()
    let (during, _) = Profiler.record { model(x).bytes() }
    #expect(before == during)
    #expect(model(x).bytes() == before)
  }

  @Test func errorsAreThrownOn() {
    struct Failure: Error {}
    #expect(throws: Failure.self) { try Profiler.record { throw Failure() } }
    let (_, profile) = Profiler.record {}
    #expect(profile.kernels.allSatisfy { $0.count > 0 })
  }

  @Test func memoryIsCounted() {
    let big = Tensor.normal([1 << 20], key: RandomKey(seed: 8)).evaluate()
    let memory = Machine.tensorMemory
    #expect(memory.used >= big.count * 4)
    #expect(memory.peak >= memory.used)
  }
}
