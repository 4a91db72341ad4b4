import Foundation
import Tarn
import TarnExchange
import TarnSchemas
import Testing

/// Exported and read again, a model computes the same; that ONNX Runtime agrees is checked by Tools/onnx_check.py.
@Suite struct ONNXExportTests {
  private func file() -> URL {
    FileManager.default.temporaryDirectory
      .appendingPathComponent("tarn-\(UInt64.random(in: 0 ... .max)).onnx")
  }

  private func roundTrip<Model: Layer>(
    _ model: Model, _ shape: [Int], options: ONNXExportOptions = .init(),
    _ tolerance: Double = 1e-4,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> ONNXModel {
    let url = file()
    defer { try? FileManager.default.removeItem(at: url) }
    try model.exportONNX(to: url, input: shape, options: options)
    let again = try ONNXModel(contentsOf: url)
    var shape = shape
    if options.dynamicBatch { shape[0] = 3 }
    let x = Tensor.normal(shape, key: RandomKey(seed: 5))
    expectClose(
      again(x), model(x), tolerance, "\(Model.self)", sourceLocation: sourceLocation)
    return again
  }

  @Test func perceptronKeepsItsNames() throws {
    let model = Initialization.seeded(1) { MLP(inputShape: [6], hidden: [5], classes: 3) }
    let again = try roundTrip(model, [1, 6])
    #expect(Set(again.weights.names) == Set(model.weights.names))
    #expect(again.operators.map(\.name).contains("Gemm"))
    #expect(again.inputs[0].shape == [nil, 6])
  }

  @Test func images() throws {
    try Initialization.seeded(2) {
      _ = try roundTrip(LeNet(inputShape: [1, 12, 12], classes: 3), [1, 1, 12, 12])
      let again = try roundTrip(
        ResNet<BasicBlock>(counts: (1, 1, 1, 1), classes: 4), [1, 3, 32, 32])
      let kinds = Set(again.operators.map(\.name))
      #expect(kinds.isSuperset(of: ["Conv", "BatchNormalization", "MaxPool", "GlobalAveragePool"]))
      #expect(!kinds.contains("Mul") && !kinds.contains("Sqrt"))
      #expect(again.weights["layer1.0.conv1.weight"]?.shape == [64, 64, 3, 3])
      #expect(again.weights["bn1.running_var"]?.shape == [64])
    }
  }

  @Test func sequences() throws {
    let fixed = ONNXExportOptions(dynamicBatch: false)
    try Initialization.seeded(3) {
      let lstm = try roundTrip(
        LSTM(3, 4, layers: 2, bidirectional: true), [5, 2, 3], options: fixed)
      #expect(lstm.operators.contains { $0.name == "LSTM" && $0.count == 4 })
      _ = try roundTrip(GRU(3, 4), [5, 2, 3], options: fixed)
      _ = try roundTrip(LSTM(3, 4, batchFirst: true), [1, 5, 3])
      _ = try roundTrip(RNN(3, 4), [5, 2, 3], options: fixed)
    }
  }

  private struct Attention: Layer {
    var norm = LayerNorm(8)
    var query = Linear(8, 8), key = Linear(8, 8)
    func callAsFunction(_ x: Tensor) -> Tensor {
      let y = norm(x)
      return x + query(y).matmul(key(y), transposed: true).softmax().matmul(y).gelu()
    }
  }

  @Test func attention() throws {
    let again = try Initialization.seeded(4) { try roundTrip(Attention(), [1, 5, 8]) }
    let kinds = Set(again.operators.map(\.name))
    #expect(kinds.isSuperset(of: ["LayerNormalization", "Softmax", "MatMul"]))
  }

  private struct Everything: Layer {
    var w = Tensor([[1, 2, 3], [0.5, -1, 2]] as [[Float]])
    func callAsFunction(_ x: Tensor) -> Tensor {
      let a = x.matmul(w).exp().log1p() - x.matmul(w).abs().sqrt() * 0.5
      let b = which(a .> 0.3, a, a.tanh()).clamped(min: -1, max: 1.5)
      let c = Tensor.concatenated([b, b.flipped(1), a[0..., 1..<3]], axis: 1).padded([
        (0, 0), (1, 2),
      ])
      let order = c.argSort(axis: 1, descending: true)
      let d = c.takeAlong(order, axis: 1) + c.cumulativeSum(axis: 1) % 0.7
      let e = d.expandedDims(1).broadcast(to: [x.shape[0], 2, d.shape[1]])
      let f = e.max(axis: 2) + e.argMax(axis: 2).cast(to: .float32) + e.product(axis: 2)
      return f.logAddExp(f * 2) / f.variance(axes: [1], keepDims: true).sqrt()
    }
  }

  @Test func primitives() throws {
    _ = try roundTrip(
      Everything(), [2, 2], options: ONNXExportOptions(opset: 18, dynamicBatch: false), 1e-3)
  }

  @Test func severalInputsAndOutputs() throws {
    let model = Initialization.seeded(6) { Linear(3, 2) }
    let url = file()
    defer { try? FileManager.default.removeItem(at: url) }
    let a = Tensor.normal([2, 3], key: RandomKey(seed: 1))
    let b = Tensor.normal([2, 2], key: RandomKey(seed: 2))
    try model.exportONNX(to: url, inputs: [("a", a), ("b", b)]) { model, inputs in
      let y = model(inputs["a"] ?? a)
      return ["sum": y + (inputs["b"] ?? b), "squares": y * y]
    }
    let results = try ONNXModel(contentsOf: url).run(["a": a, "b": b])
    expectClose(results["sum"], model(a) + b)
    expectClose(results["squares"], model(a) * model(a))
  }

  private struct Noisy: Layer {
    var w = Tensor([1] as [Float])
    func callAsFunction(_ x: Tensor) -> Tensor { x.erfInverse() * w }
  }

  @Test func whatONNXCannotSayIsRefused() {
    expectError("inverse of the error function") {
      try Noisy().exportONNX(to: file(), input: [1, 2])
    }
    expectError("operator set 3") {
      try Noisy().exportONNX(to: file(), input: [1, 2], options: ONNXExportOptions(opset: 3))
    }
  }
}
