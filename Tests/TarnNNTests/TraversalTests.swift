import Foundation
import Tarn
import Testing

private enum Head: Codable, Sendable {
  case linear(Linear, scale: Double)
  case fixed(Tensor)
}

private struct Wrapper<Inner: Layer>: Layer {
  var inner: Inner
  func callAsFunction(_ x: Tensor) -> Tensor { inner(x) }
}

private final class Shared: Codable, Sendable {
  let w: Tensor
  init(_ w: Tensor) { self.w = w }
}

/// One of everything that a module can hold.
private struct Everything: Module {
  var plain = Tensor([1, 2] as [Float])
  var optional: Tensor? = Tensor([3] as [Float])
  var absent: Tensor?
  var list = [Linear(1, 2), Linear(2, 1, bias: false)]
  var optionals: [Tensor?] = [nil, Tensor([4] as [Float])]
  var byName: [String: Linear] = Dictionary(
    uniqueKeysWithValues: (0..<12).map { ("layer\($0)", Linear($0 + 1, 1, bias: false)) })
  var byNumber = [7: Tensor([5] as [Float])]
  var nested = Wrapper(inner: Wrapper(inner: Linear(2, 2)))
  var head = Head.linear(Linear(3, 1), scale: 0.5)
  var fixed = Head.fixed(Tensor([6] as [Float]))
  var shared = Shared(Tensor([7] as [Float]))
  var sequence = Sequential {
    Linear(2, 3); ReLU(); Linear(3, 1)
  }
  @Buffer var mean = Tensor([8, 9] as [Float])
  var counter = Tensor([1] as [Int64])
  var width = 12
  var rate: Float = 0.25
  var sizes = [3, 4]
  var text = "a \"quoted\"\nline"
  var infinite = -Double.infinity
  var activation = Activation.gelu
  var url = URL(fileURLWithPath: "/somewhere")

  enum CodingKeys: String, CodingKey {
    case plain = "embedding.weight"
    case optional, absent, list, optionals, byName, byNumber, nested, head, fixed, shared, sequence
    case mean = "running_mean"
    case counter, width, rate, sizes, text, infinite, activation, url
  }
}

@Suite struct TraversalTests {
  private let everything = Everything()

  @Test func namesArePaths() {
    let names = everything.namedTensors.map(\.name)
    let dictionary = (0..<12).map { "layer\($0)" }.sorted().map { "byName.\($0).weight" }
    #expect(
      names == [
        "embedding.weight", "optional", "list.0.weight", "list.0.bias", "list.1.weight",
        "optionals.1",
      ] + dictionary + [
        "byNumber.7", "nested.inner.inner.weight", "nested.inner.inner.bias",
        "head.linear._0.weight",
        "head.linear._0.bias", "fixed.fixed._0", "shared.w", "sequence.0.weight", "sequence.0.bias",
        "sequence.2.weight", "sequence.2.bias", "running_mean", "counter",
      ])
    #expect(everything.buffers.map(\.name) == ["running_mean", "counter"])
    #expect(everything.parameters.count == names.count - 2)
    #expect(everything.parameterCount == everything.parameters.reduce(0) { $0 + $1.tensor.count })
  }

  @Test func rebuildingKeepsEverythingElse() throws {
    let doubled = everything.mapTensors { $0 * 2 }
    for (new, old) in zip(doubled.parameters, everything.parameters) {
      #expect(new.name == old.name)
      expectClose(new.tensor, old.tensor * 2, 0, new.name)
    }
    #expect(doubled.mean.array(of: Float.self) == [8, 9])
    #expect(doubled.width == 12 && doubled.rate == 0.25 && doubled.sizes == [3, 4])
    #expect(doubled.text == everything.text && doubled.infinite == -.infinity)
    #expect(doubled.activation == .gelu && doubled.url == everything.url)
    guard case .linear(_, let scale) = doubled.head else {
      Issue.record("the case of an enum changed")
      return
    }
    #expect(scale == 0.5 && doubled.absent == nil && doubled.optionals[0] == nil)
  }

  /// Two dictionaries with the same keys seldom have the same order.
  @Test func dictionariesArePairedByKey() {
    var other = everything
    other.byName = Dictionary(minimumCapacity: 500)
    for number in (0..<12).reversed() {
      other.byName["layer\(number)"] = Linear(number + 1, 1, bias: false)
    }
    let sum = everything + other
    for (name, layer) in sum.byName {
      guard let a = everything.byName[name], let b = other.byName[name] else { continue }
      expectClose(layer.weight, a.weight + b.weight, 0, name)
    }
    #expect(sum.byName.count == 12)
  }

  @Test func replacingAll() {
    let tensors = everything.tensors(.all)
    let zeros = everything.zeroed
    #expect(zeros.tensors(.all).allSatisfy { $0.abs().sum().item() == 0 })
    let back = zeros.replacing(.all, with: tensors)
    for (a, b) in zip(back.tensors(.all), tensors) { expectClose(a, b, 0) }
    let message = diagnostic { _ = everything.replacing(.all, with: Array(tensors.dropLast())) }
    #expect(message?.reason == "it was given the wrong number of tensors")
  }

  @Test func arithmetic() {
    let model = Linear(2, 1).mapParameters { _, w in .full(w.shape, 2) }
    expectClose((model + 0.5 * model).weight, .full([1, 2], 3))
    expectClose((-model / 2 - model * 3).weight, .full([1, 2], -7))
    expectClose(dot(model, model), Tensor(12))
    expectClose(model.norm(), Tensor(12).sqrt())
    expectClose((Tensor(3) * model).weight, .full([1, 2], 6))
    let half = BatchNorm1d(2).cast(to: .bfloat16)
    #expect(half.runningMean.dtype == .bfloat16 && half.batchesTracked.dtype == .int64)
    let message = diagnostic { _ = model + Linear(3, 1) }
    #expect(message?.facts == ["left  weight [1, 2]", "right weight [1, 3]"])
  }

  @Test func buffersComeFromTheLeft() {
    var norm = BatchNorm1d(2)
    norm.runningMean = Tensor([5, 6] as [Float])
    #expect((norm + 3 * BatchNorm1d(2)).runningMean.array(of: Float.self) == [5, 6])
  }

  @Test func gradientHasTheModelsType() {
    let model = Linear(2, 1)
    let x = Tensor([[1, 2]] as [[Float]])
    let gradient = grad({ $0(x).sum() }, at: model)
    expectClose(gradient.weight, x)
    expectClose(hvp({ $0(x).squared().sum() }, at: model, along: gradient).weight, x * 12)
  }
}

@Suite struct ConfigurationTests {
  @Test func configurationWithoutWeights() throws {
    let text = try Linear(2, 1).configuration()
    #expect(
      text == """
        {
          "weight": {"$tensor": "weight", "dtype": "float32", "shape": [1, 2]},
          "bias": {"$tensor": "bias", "dtype": "float32", "shape": [1]}
        }

        """)
    #expect(try Conv2d(1, 2, kernel: 3).configuration().contains("\"stride\": [1, 1]"))
  }

  @Test func savedAndReadBack() throws {
    let folder = try TemporaryFolder()
    let model = Everything()
    try model.save(to: folder.url)
    let again = try Everything(contentsOf: folder.url)
    #expect(again.namedTensors.map(\.name) == model.namedTensors.map(\.name))
    for (a, b) in zip(again.tensors(.all), model.tensors(.all)) { expectClose(a, b, 0) }
    #expect(again.buffers.map(\.name) == ["running_mean", "counter"])
    #expect(again.text == model.text && again.infinite == -.infinity && again.rate == 0.25)
    #expect(again.width == 12 && again.sizes == [3, 4] && again.activation == .gelu)
    #expect(again.url == model.url)
  }

  @Test func anotherModelsFiles() throws {
    let folder = try TemporaryFolder()
    try Linear(2, 1).save(to: folder.url)
    let error = #expect(throws: ModelFileError.self) { try BatchNorm1d(contentsOf: folder.url) }
    #expect(error?.description.contains("does not describe a BatchNorm1d") == true)
    #expect(error?.description.contains("settings") == true)
    try Linear(3, 1).weights.write(to: folder.url.appendingPathComponent("model.safetensors"))
    let mixed = #expect(throws: ModelFileError.self) { try Linear(contentsOf: folder.url) }
    #expect(mixed?.reason.contains("\"weight\" [1, 2]") == true)
  }

  @Test func tensorAsPlainData() throws {
    let text = try JSONEncoder().encode(Tensor([1.5, -2] as [Float]))
    let again = try JSONDecoder().decode(Tensor.self, from: text)
    #expect(again.dtype == .float32 && again.array(of: Float.self) == [1.5, -2])
    let wrong = Data(#"{"dtype": "int8", "shape": [3], "values": [1, 2]}"#.utf8)
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(Tensor.self, from: wrong) }
    let overflow = Data(#"{"dtype": "int8", "shape": [9223372036854775807, 2], "values": []}"#.utf8)
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(Tensor.self, from: overflow) }
  }
}

/// A folder that is removed when the test ends.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory
      .appendingPathComponent("tarn-\(UInt64.random(in: 0 ... .max))")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit {
    do { try FileManager.default.removeItem(at: url) } catch { print("left behind: \(url.path)") }
  }
}

/// A model whose fields have initial values, which decoding evaluates once more.
private struct WithInitialValues: Layer {
  var first = Linear(2, 3)
  var second = Linear(3, 1, key: RandomKey(seed: 2))
  func callAsFunction(_ x: Tensor) -> Tensor { second(first(x)) }
}

@Suite struct InitialValueTests {
  @Test func rebuildingDrawsNoRandomNumbers() {
    func run(rebuilding: Bool) -> [Float] {
      Initialization.seeded(1) {
        let model = WithInitialValues()
        if rebuilding { _ = model.mapTensors { $0 } }
        return Linear(2, 2).weight.array(of: Float.self)
      }
    }
    #expect(run(rebuilding: false) == run(rebuilding: true))
    let model = WithInitialValues()
    let same = model.mapTensors { $0 }
    for (a, b) in zip(same.tensors(.all), model.tensors(.all)) { expectClose(a, b, 0) }
  }
}
