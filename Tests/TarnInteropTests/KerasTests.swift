import Foundation
import Tarn
import TarnData
import Testing

@Suite(.enabled(if: HDF5.version != nil, hdf5Missing)) struct KerasWeightTests {
  let files: KerasFixtures

  init() throws { files = try KerasFixtures() }

  @Test func plainHDF5() throws {
    let weights = try Weights(contentsOf: files.url("types.h5"))
    expectSame(weights, try Weights(contentsOf: files.url("types.h5.expected.npz")))
    #expect(weights.format == .hdf5)
    #expect(weights["group/f2"]?.dtype == .float16 && weights["group/big_f4"]?.dtype == .float32)
    #expect(weights["group/bool"]?.dtype == .bool && weights["group/u4"]?.dtype == .int64)
    #expect(weights.metadata["names"] == "ä, b" && weights.metadata["one"] == "text")
  }

  @Test(arguments: ["keras_cnn.h5", "keras_cnn.keras", "keras_cnn.weights.h5", "keras_chunked.h5"])
  func namesAndLayouts(name: String) throws {
    let file = try KerasFile(contentsOf: files.url(name))
    #expect(try Weights(contentsOf: files.url(name)).count == 15)
    let weights = try file.torchWeights()
    let shapes: [String: [Int]] = [
      "conv2d.weight": [6, 3, 3, 3], "conv2d.bias": [6], "batch_normalization.weight": [6],
      "batch_normalization.running_var": [6], "depthwise_conv2d.weight": [6, 1, 3, 3],
      "depthwise_conv2d.bias": [6], "separable_conv2d.depthwise.weight": [6, 1, 3, 3],
      "separable_conv2d.pointwise.weight": [5, 6, 1, 1], "dense.weight": [7, 45],
      "dense_1.weight": [4, 7], "dense_1.bias": [4],
    ]
    for (name, shape) in shapes { #expect(weights[name]?.shape == shape, "\(name)") }
    let kernel = try #require(file.weights.all.first { $0.tensor.shape == [3, 3, 3, 6] }).tensor
    #expect(
      weights["conv2d.weight"]?.array(of: Float.self)
        == kernel.permuted([3, 2, 0, 1]).array(of: Float.self))
  }

  @Test(arguments: ["keras_sequences.h5", "keras_sequences.keras"])
  func recurrentLayouts(name: String) throws {
    let file = try KerasFile(contentsOf: files.url(name))
    expectDataError(.unsupported, "gru_1", "reset_after=False") { _ = try file.torchWeights() }
  }

  @Test func gateOrders() {
    let keras = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [1, 6])
    #expect(KerasKernels.torchGates(keras).array(of: Int.self) == [3, 4, 1, 2, 5, 6])
    let kernel = Tensor.arange(12).reshaped([1, 2, 3, 2])
    let depthwise = KerasKernels.depthwise(kernel)
    #expect(depthwise.shape == [6, 1, 1, 2])
    #expect(depthwise.array(of: Int.self) == [0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11])
  }

  @Test func damagedFiles() throws {
    let folder = try TemporaryFolder()
    let whole = try Data(contentsOf: files.url("keras_cnn.h5"))
    try whole.prefix(20_000).write(to: folder.file("cut.h5"))
    expectDataError(.invalid, "cut.h5", "HDF5") {
      _ = try Weights(contentsOf: folder.file("cut.h5"))
    }
    try whole.prefix(8).write(to: folder.file("magic.h5"))
    expectDataError(.invalid, "magic.h5", "no sound HDF5 file") {
      _ = try Weights(contentsOf: folder.file("magic.h5"))
    }
  }
}

@Suite(.enabled(if: HDF5.version != nil, hdf5Missing)) struct KerasModelTests {
  let files: KerasFixtures

  init() throws { files = try KerasFixtures() }

  private func check(_ model: KerasModel, _ name: String) throws {
    let saved = try Weights(contentsOf: files.url("\(name).outputs.npz"))
    let inputs = try model.inputs.indices.map { try saved.tensor("input\($0)") }
    let outputs = model(inputs)
    #expect(outputs.count == model.outputs.count)
    for (i, output) in outputs.enumerated() {
      let expected = try saved.tensor("output\(i)")
      #expect(output.shape == expected.shape)
      let difference = (output - expected).abs().max().item()
      #expect(difference < 1e-5, "output \(i) of \(name)")
    }
  }

  @Test(arguments: [
    "keras_cnn.h5", "keras_cnn.keras", "keras_branches.h5", "keras_branches.keras",
    "keras_sequences.h5", "keras_sequences.keras",
  ])
  func whatKerasGives(name: String) throws {
    let model = try KerasModel(contentsOf: files.url(name))
    try check(model, String(name.prefix { $0 != "." }))
  }

  @Test func configurationAndWeights() throws {
    for weights in ["keras_cnn.weights.h5", "keras_cnn.h5", "keras_chunked.h5", "keras_cnn.keras"] {
      let model = try KerasModel(
        configuration: files.url("keras_cnn.json"), weights: files.url(weights))
      try check(model, "keras_cnn")
    }
    expectDataError(.invalid, "no model's configuration", "to_json") {
      _ = try KerasModel(contentsOf: files.url("keras_cnn.weights.h5"))
    }
    expectDataError(
      .invalid, "the weights do not fit", "conv2d (Conv2D)", "kernel, bias are not all in the file"
    ) {
      _ = try KerasModel(
        configuration: files.url("keras_cnn.json"), weights: files.url("keras_sequences.h5"))
    }
  }

  @Test func everythingUnsupportedAtOnce() throws {
    expectDataError(.unsupported, "conv3d (Conv3D)", "multi_head_attention (MultiHeadAttention)") {
      _ = try KerasModel(contentsOf: files.url("keras_unsupported.keras"))
    }
  }

  /// Layers with bytes of a function of Python in them: the layer is refused by name, its neighbours' weights are read.
  @Test(arguments: ["keras_lambda.keras", "keras_lambda.h5"])
  func programsAreNotRun(name: String) throws {
    expectDataError(.unsupported, "program (Lambda)") {
      _ = try KerasModel(contentsOf: files.url(name))
    }
    #expect(try Weights(contentsOf: files.url(name)).elementCount == 4)
    expectNothingWasRun()
  }

  @Test func asAModule() throws {
    let model = try KerasModel(contentsOf: files.url("keras_cnn.keras"))
    #expect(model.parameters.map(\.name).contains("conv2d.kernel"))
    #expect(model.buffers.map(\.name).contains("batch_normalization.moving_mean"))
    let x = Tensor.ones([1, 12, 12, 3])
    let gradient = grad({ (model: KerasModel) in model(x).log().sum() }, at: model)
    let norm = gradient.tensors(.trainable).reduce(0) { $0 + $1.squared().sum().item() }
    #expect(norm > 0)
    let copy = try JSONDecoder().decode(KerasModel.self, from: JSONEncoder().encode(model))
    #expect(copy(x).array(of: Float.self) == model(x).array(of: Float.self))
    let named = try model.run(["x": x])
    #expect(named.map(\.name) == model.outputs && named[0].tensor.shape == [1, 4])
    #expect(throws: Diagnostic.self) { try model.run(["x": Tensor.ones([1, 12, 12, 2])]) }
  }

  @Test(.enabled(if: realData != nil, realDataMissing)) func aRealModel() throws {
    let folder = try #require(realData).appendingPathComponent("models/fixtures")
    let model = try KerasModel(
      configuration: folder.appendingPathComponent("keras_catdog_model.json"),
      weights: folder.appendingPathComponent("keras_catdog_weights.h5"))
    #expect(model.inputs.first?.shape == [nil, 64, 64, 3])
    let image = (0..<(64 * 64 * 3)).map { (place: Int) -> Float in Float(place * 37 % 256) / 255 }
    let y = model(Tensor(image, shape: [1, 64, 64, 3]))
    // Computed with PyTorch in double precision, layer by layer.
    #expect(y.isClose(to: Tensor([[0.3745, 0.6346]] as [[Float]]), relative: 0, absolute: 1e-4))
  }
}
