import Foundation
import Tarn
import TarnExchange
import TarnSchemas
import Testing

@Suite struct ONNXModelTests {
  /// y = relu(x w + b)
  private func dense() throws -> ONNXModel {
    var sketch = ONNXSketch()
    sketch.give("w", Tensor([[0.5, -1, 2], [1, 0.25, -0.5]] as [[Float]]))
    sketch.give("b", Tensor([0.1, 0.2, 0.3] as [Float]))
    sketch.add("MatMul", ["x", "w"], ["p"], name: "product")
    sketch.add("Add", ["p", "b"], ["s"], name: "sum")
    sketch.add("Relu", ["s"], name: "relu")
    return try sketch.model()
  }

  private func formula(_ x: Tensor, _ w: Tensor, _ b: Tensor) -> Tensor { (x.matmul(w) + b).relu() }

  @Test func parametersAreInitializers() throws {
    let model = try dense()
    #expect(model.parameters.map(\.name) == ["w", "b"])
    #expect(model.parameterCount == 9)
    #expect(model.inputs.map(\.name) == ["x"] && model.outputs.map(\.name) == ["y"])
    let x = Tensor([[1, 2], [-3, 0.5]] as [[Float]])
    let weights = model.weights
    expectClose(model(x), formula(x, try weights.tensor("w"), try weights.tensor("b")))
  }

  @Test func derivativesByInputsAndInitializers() throws {
    let model = try dense()
    let x = Tensor([[1, 2], [-3, 0.5]] as [[Float]])
    let (w, b) = (model.tensors(.all)[0], model.tensors(.all)[1])
    let byModel = grad({ $0(x).squared().sum() }, at: model)
    let byFormula = grad({ formula(x, $0[0], $0[1]).squared().sum() }, at: [w, b])
    expectClose(byModel.tensors(.all)[0], byFormula[0], 1e-5, "w")
    expectClose(byModel.tensors(.all)[1], byFormula[1], 1e-5, "b")
    let byInput = grad({ model($0).squared().sum() }, at: x)
    expectClose(byInput, grad({ formula($0, w, b).squared().sum() }, at: x), 1e-5, "x")
  }

  @Test func vectorised() throws {
    let model = try dense()
    let x = Tensor.normal([4, 3, 2], key: RandomKey(seed: 1))
    let whole = Tensor.stacked((0..<4).map { model(x[$0]) })
    expectClose(vmap(over: x) { model($0) }, whole)
  }

  @Test func trains() throws {
    let x = Tensor.normal([16, 2], key: RandomKey(seed: 2))
    let target = formula(
      x, Tensor([[1, 0, 1], [0, 1, 1]] as [[Float]]), Tensor([0, 0, 0.5] as [Float]))
    var model = try dense()
    func loss(_ model: ONNXModel) -> Tensor { (model(x) - target).squared().mean() }
    let before = loss(model).item()
    for _ in 0..<20 { model = (model - grad(loss, at: model) * 0.2).evaluated() }
    #expect(loss(model).item() < 0.5 * before)
  }

  @Test func savedAndReadAgain() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("tarn-onnx-\(UInt64.random(in: 0 ... .max))")
    defer { try? FileManager.default.removeItem(at: folder) }
    let model = try dense().mapTensors { $0 * 2 }
    try model.save(to: folder)
    let again = try ONNXModel(contentsOf: folder, name: "model")
    let x = Tensor([[1, 2]] as [[Float]])
    expectClose(again(x), model(x))
  }

  @Test func weightsOfAFile() throws {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("tarn-\(UInt64.random(in: 0 ... .max)).weights")
    defer { try? FileManager.default.removeItem(at: file) }
    var sketch = ONNXSketch()
    sketch.give("w", Tensor([1, 2] as [Float]))
    sketch.add("Add", ["x", "w"])
    try Data(try sketch.bytes).write(to: file)
    let weights = try Weights(contentsOf: file)
    #expect(weights.names == ["w"] && weights["w"]?.array(of: Float.self) == [1, 2])
  }

  @Test func shapesAreComputedWhileRecording() throws {
    var sketch = ONNXSketch()
    sketch.give("rest", Tensor([-1] as [Int64]))
    sketch.give("zero", Tensor([0] as [Int64]))
    sketch.add("Shape", ["x"], ["s"])
    sketch.add("Gather", ["s", "zero"], ["n"])
    sketch.add("Concat", ["n", "rest"], ["t"], [.integer("axis", 0)])
    sketch.add("Reshape", ["x", "t"])
    let model = try sketch.model()
    let x = Tensor.normal([2, 3, 4], key: RandomKey(seed: 3))
    #expect(model(x).shape == [2, 12])
    // Under vmap and in a compiled function there are no numbers, and none are needed.
    #expect(vmap(over: x.expandedDims(0)) { model($0) }.shape == [1, 2, 12])
    expectClose(compile { model($0) }(x), x.reshaped([2, 12]))
  }

  @Test func deadNodesAndConstantsAreLeftOut() throws {
    var sketch = ONNXSketch()
    sketch.give("two", Tensor([2] as [Int64]))
    sketch.add("Mul", ["two", "two"], ["four"])
    sketch.add("Cast", ["four"], ["real"], [.integer("to", 1)])
    sketch.add("Exp", ["x"], ["unused"])
    sketch.add("Add", ["x", "real"])
    let model = try sketch.model()
    #expect(model.operators.map(\.name) == ["Add"])
    expectClose(model(Tensor([1] as [Float])), Tensor([5] as [Float]))
  }

  @Test func whatIsNotSupportedIsListedAtOnce() throws {
    var sketch = ONNXSketch()
    sketch.add("StringNormalizer", ["x"], ["a"], name: "first")
    sketch.add("StringNormalizer", ["a"], ["b"], name: "second")
    sketch.add("Telepathy", ["b"], name: "third")
    let model = try sketch.model()
    #expect(model.unsupported.map(\.name) == ["StringNormalizer", "Telepathy"])
    #expect(model.unsupported[0].nodes == ["first", "second"] && model.unsupported[0].opset == 17)
    expectError("StringNormalizer", "Telepathy", "third") {
      _ = try model.run(["x": Tensor([1] as [Float])])
    }
  }

  @Test func randomNumbersAreSeeded() throws {
    var sketch = ONNXSketch(inputs: [])
    sketch.add("RandomNormal", [], ["y"], [.integers("shape", [5])])
    var model = try sketch.model()
    let first = try #require(model([:])["y"])
    expectClose(model([:])["y"], first)
    model.seed = 1
    #expect(model([:])["y"]?.isClose(to: first) == false)
  }

  @Test func functionsSeeTheirAttributes() throws {
    var function = ONNXFunctionProto()
    (function.name, function.domain, function.input, function.output) = (
      "Leaky", "test", ["a"], ["b"]
    )
    function.attribute = ["slope"]
    var reference = ONNXAttributeProto()
    (reference.name, reference.type, reference.refAttrName) = ("alpha", 1, "slope")
    function.node = [ONNXSketch.node("LeakyRelu", ["a"], ["b"], [reference])]
    var sketch = ONNXSketch()
    sketch.proto.functions = [function]
    sketch.add("Leaky", ["x"], ["y"], [.real("slope", 0.5)])
    sketch.proto.graph.node[0].domain = "test"
    expectClose(
      try sketch.model()(Tensor([-2, 3] as [Float])), Tensor([-1, 3] as [Float]))
  }
}

extension ONNXAttributeProto {
  static func integer(_ name: String, _ value: Int) -> ONNXAttributeProto {
    var attribute = ONNXAttributeProto()
    (attribute.name, attribute.type, attribute.i) = (name, 2, Int64(value))
    return attribute
  }

  static func integers(_ name: String, _ values: [Int]) -> ONNXAttributeProto {
    var attribute = ONNXAttributeProto()
    (attribute.name, attribute.type, attribute.ints) = (name, 7, values.map { Int64($0) })
    return attribute
  }

  static func real(_ name: String, _ value: Float) -> ONNXAttributeProto {
    var attribute = ONNXAttributeProto()
    (attribute.name, attribute.type, attribute.f) = (name, 1, value)
    return attribute
  }
}
