import Foundation
import Tarn
import TarnExchange
import TarnSchemas
import Testing

@Suite struct ONNXHostileTests {
  private let x = ["x": Tensor([1, 2] as [Float])]

  @Test func cycles() {
    expectError("cycle") {
      var sketch = ONNXSketch()
      sketch.add("Add", ["x", "b"], ["a"])
      sketch.add("Relu", ["a"], ["b"])
      sketch.add("Relu", ["b"])
      _ = try sketch.model()
    }
  }

  @Test func namesThatDoNotFit() {
    expectError("nothing gives its input 'z'") {
      var sketch = ONNXSketch()
      sketch.add("Add", ["x", "z"])
      _ = try sketch.model()
    }
    expectError("two things give the value 'y'") {
      var sketch = ONNXSketch()
      sketch.add("Relu", ["x"])
      sketch.add("Abs", ["x"])
      _ = try sketch.model()
    }
    expectError("nothing gives the output 'y'") { _ = try ONNXSketch().model() }
    expectError("the input 'x' is missing") {
      var sketch = ONNXSketch()
      sketch.add("Relu", ["x"])
      _ = try sketch.model().run([:])
    }
    expectError("no input 'w'", "did you mean 'x'") {
      var sketch = ONNXSketch()
      sketch.add("Relu", ["x"])
      _ = try sketch.model().run(["x": Tensor([1] as [Float]), "w": Tensor([1] as [Float])])
    }
  }

  @Test func orderDoesNotMatter() throws {
    var sketch = ONNXSketch()
    sketch.add("Relu", ["a"])
    sketch.add("Neg", ["x"], ["a"])
    expectClose(try sketch.model()(Tensor([-1, 1] as [Float])), Tensor([1, 0] as [Float]))
  }

  @Test func tensorsWithoutTheirData() {
    for dims in [[1000, 1000], [Int64.max, 2], [-1], [0, 1 << 40, 1 << 40]] as [[Int64]] {
      expectError("tensor 'w'") {
        var sketch = ONNXSketch()
        sketch.give("w", Tensor([1, 2] as [Float]))
        sketch.proto.graph.initializer[0].dims = dims
        sketch.add("Add", ["x", "w"])
        _ = try sketch.model()
      }
    }
  }

  /// Two numbers in a row of a milliard would take 4 GB as soon as the file is opened.
  @Test func sparseTensorsThatAreTooThin() throws {
    func made(_ length: Int64) throws -> ONNXModel {
      var sketch = ONNXSketch()
      sketch.give("w", Tensor([1, 2] as [Float]))
      sketch.give("i", Tensor([0, 1]))
      var sparse = ONNXSparseTensorProto()
      (sparse.values, sparse.indices) = (
        sketch.proto.graph.initializer[0], sketch.proto.graph.initializer[1]
      )
      sparse.dims = [length]
      sketch.proto.graph.initializer = []
      sketch.proto.graph.sparseInitializer = [sparse]
      sketch.add("Add", ["x", "w"])
      return try sketch.model()
    }
    expectClose(try made(2)(Tensor([1, 2] as [Float])), Tensor([2, 4] as [Float]))
    expectError("spread over [1073741824]", "too thin") { _ = try made(1 << 30) }
  }

  @Test func absurdSizesAreRefused() {
    func made(_ type: String, _ numbers: [Int], _ more: [(String, Tensor)] = []) throws {
      var sketch = ONNXSketch()
      sketch.give("n", Tensor(numbers))
      for (name, tensor) in more { sketch.give(name, tensor) }
      let inputs = type == "ConstantOfShape" ? ["n"] : ["x", "n"] + more.map(\.0)
      sketch.add(type, inputs)
      _ = try sketch.model().run(x)
    }
    let huge = 1 << 40
    expectError("ConstantOfShape", "elements") { try made("ConstantOfShape", [huge, 2]) }
    expectError("Expand", "elements") { try made("Expand", [huge, 2]) }
    expectError("Tile") { try made("Tile", [huge]) }
    expectError("Pad") { try made("Pad", [0, huge]) }
    expectError("Range", "elements") {
      var sketch = ONNXSketch()
      for (name, value) in [("a", 0), ("b", huge), ("c", 1)] {
        sketch.give(name, Tensor([value], shape: []))
      }
      sketch.add("Range", ["a", "b", "c"])
      _ = try sketch.model().run([:])
    }
    expectError("Resize") {
      try made("Resize", [], [("scales", Tensor([1e12] as [Float]))])
    }
  }

  @Test func limitsCanBeSet() throws {
    var sketch = ONNXSketch()
    sketch.give("n", Tensor([100]))
    sketch.add("Expand", ["x", "n"])
    var model = try sketch.model()
    #expect(model(Tensor([1] as [Float])).shape == [100])
    model.elementLimit = 99
    expectError("99 elements allowed") { _ = try model.run(["x": Tensor([1] as [Float])]) }
  }

  @Test func functionsThatCallThemselves() {
    expectError("function") {
      var sketch = ONNXSketch()
      for (name, other) in [("A", "B"), ("B", "A")] {
        var function = ONNXFunctionProto()
        (function.name, function.domain) = (name, "test")
        (function.input, function.output) = (["a"], ["b"])
        function.node = [
          ONNXSketch.node(other, ["a"], ["c"]), ONNXSketch.node(other, ["c"], ["b"]),
        ]
        for place in 0..<2 { function.node[place].domain = "test" }
        sketch.proto.functions.append(function)
      }
      sketch.add("A", ["x"])
      sketch.proto.graph.node[0].domain = "test"
      _ = try sketch.model()
    }
  }

  @Test func deepNesting() {
    expectError("nested") {
      var sketch = ONNXSketch()
      var inner = ONNXGraphProto()
      inner.output = [ONNXSketch.port("v")]
      inner.node = [ONNXSketch.node("Relu", ["x"], ["v"])]
      for _ in 0..<28 {
        var branch = ONNXAttributeProto()
        (branch.name, branch.type, branch.g) = ("then_branch", 5, inner)
        var outer = ONNXGraphProto()
        outer.output = [ONNXSketch.port("v")]
        outer.node = [ONNXSketch.node("If", ["x"], ["v"], [branch])]
        inner = outer
      }
      sketch.proto.graph.node = inner.node
      sketch.proto.graph.node[0].output = ["y"]
      _ = try sketch.model()
    }
  }

  @Test func endlessLoops() {
    expectError("runs too long") {
      var body = ONNXGraphProto()
      body.input = ["i", "c", "v"].map { ONNXSketch.port($0) }
      body.node = [
        ONNXSketch.node("Identity", ["c"], ["d"]), ONNXSketch.node("Relu", ["v"], ["w"]),
      ]
      body.output = ["d", "w"].map { ONNXSketch.port($0) }
      var attribute = ONNXAttributeProto()
      (attribute.name, attribute.type, attribute.g) = ("body", 5, body)
      var sketch = ONNXSketch()
      sketch.add("Loop", ["", "", "x"], ["y"], [attribute])
      var model = try sketch.model()
      model.nodeLimit = 2000
      _ = try model.run(x)
    }
  }

  @Test func dataOutsideOfTheFolder() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("tarn-onnx-\(UInt64.random(in: 0 ... .max))")
    let inside = folder.appendingPathComponent("model")
    try FileManager.default.createDirectory(at: inside, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let numbers = Data(Tensor([3, 4] as [Float]).bytes())
    try numbers.write(to: folder.appendingPathComponent("secret.bin"))
    try numbers.write(to: inside.appendingPathComponent("weights.bin"))
    try FileManager.default.createSymbolicLink(
      at: inside.appendingPathComponent("link.bin"),
      withDestinationURL: folder.appendingPathComponent("secret.bin"))
    func model(_ location: String, offset: String = "0") throws -> ONNXModel {
      var sketch = ONNXSketch()
      sketch.give("w", Tensor([1, 2] as [Float]))
      sketch.proto.graph.initializer[0].clearRawData()
      sketch.proto.graph.initializer[0].dataLocation = 1
      sketch.proto.graph.initializer[0].externalData = [("location", location), ("offset", offset)]
        .map {
          var entry = ONNXStringStringEntryProto()
          (entry.key, entry.value) = $0
          return entry
        }
      sketch.add("Add", ["x", "w"])
      let file = inside.appendingPathComponent("model.onnx")
      try Data(try sketch.bytes).write(to: file)
      return try ONNXModel(contentsOf: file)
    }
    expectClose(try model("weights.bin")(Tensor([1, 1] as [Float])), Tensor([4, 5] as [Float]))
    for path in ["../secret.bin", "/etc/passwd", "link.bin", "a/../../secret.bin", ""] {
      expectError("tensor 'w'") { _ = try model(path) }
    }
    for offset in ["1", "-4", "9223372036854775807", "x"] {
      expectError("tensor 'w'") { _ = try model("weights.bin", offset: offset) }
    }
  }
}
