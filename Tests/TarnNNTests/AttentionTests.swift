import Tarn
import Testing

/// Attention against PyTorch's, and what it promises besides.
@Suite struct AttentionTests {
  private static let cases: [(name: String, make: @Sendable () -> MultiHeadAttention)] = [
    ("mha", { MultiHeadAttention(6, heads: 2) }),
    ("mha_nobias", { MultiHeadAttention(6, heads: 3, bias: false) }),
    ("mha_placesfirst", { MultiHeadAttention(6, heads: 2, batchFirst: false) }),
    ("mha_causal", { MultiHeadAttention(6, heads: 2, isCausal: true) }),
    ("mha_added", { MultiHeadAttention(6, heads: 2) }),
    ("mha_cross_padding", { MultiHeadAttention(6, heads: 2) }),
    ("mha_cross_widths", { MultiHeadAttention(6, heads: 2, keyWidth: 3, valueWidth: 4) }),
  ]

  @Test(arguments: cases.map(\.name), [Device.cpu, .reference])
  func agreesWithPyTorch(_ name: String, _ device: Device) throws {
    let make = try #require(Self.cases.first { $0.name == name }).make
    try Device.with(device) { try check(name, make()) }
  }

  @Test func everyCaseIsTested() throws {
    #expect(try Goldens("attention").cases == Set(Self.cases.map(\.name)))
  }

  private func check(_ name: String, _ made: MultiHeadAttention) throws {
    let goldens = try Goldens("attention")
    let model = try made.loading(Weights(goldens.all(name, "param."))).model
    let mask = goldens.optional(name, "mask")
    let names = ["query", "key", "value"].filter { goldens.optional(name, $0) != nil }
    let inputs = try names.map { try goldens(name, $0) }
    let count = model.tensors(.trainable).count
    func output(_ tensors: [Tensor]) -> Tensor {
      let model = model.replacing(.trainable, with: Array(tensors[..<count]))
      let x = Array(tensors[count...])
      return x.count == 1 ? model(x[0], mask: mask) : model(x[0], x[1], x[2], mask: mask)
    }
    let point = model.tensors(.trainable) + inputs
    expectClose(output(point), try goldens(name, "output"))
    let weight = try goldens(name, "grad_output")
    let gradient = grad({ (output($0) * weight).sum() }, at: point)
    for (index, parameter) in model.parameters.enumerated() {
      let expected = try goldens(name, "grad.\(parameter.name)")
      expectClose(gradient[index], expected, 2e-5, parameter.name)
    }
    for (index, input) in names.enumerated() {
      expectClose(gradient[count + index], try goldens(name, "grad_\(input)"), 2e-5, input)
    }
  }

  @Test func goesOnFromAState() {
    let layer = Initialization.seeded(1) { MultiHeadAttention(8, heads: 2, isCausal: true) }
    let x = Tensor.normal([2, 5, 8], key: RandomKey(seed: 2))
    let (first, state) = layer(x[0..., ..<2], from: nil)
    let (second, end) = layer(x[0..., 2..<4], from: state)
    let (third, _) = layer(x[0..., 4...], from: end)
    #expect(end.count == 4)
    expectClose(.concatenated([first, second, third], axis: 1), layer(x))
  }

  @Test func weightsAddUpToOneAndLookBackOnly() {
    let layer = Initialization.seeded(1) { MultiHeadAttention(8, heads: 2, isCausal: true) }
    let weights = layer.weights(Tensor.normal([1, 4, 8], key: RandomKey(seed: 2)))
    #expect(weights.shape == [1, 2, 4, 4])
    expectClose(weights.sum(axis: -1), .ones([1, 2, 4]))
    expectClose(weights, weights.lowerTriangle())
  }

  @Test func aPlaceThatMayLookAtNothingGetsZeros() {
    let x = Tensor.normal([1, 3, 4], key: RandomKey(seed: 2))
    let mask = Tensor([1, 0, 1]).reshaped([3, 1]) .> 0
    let y = Tensor.attention(x, x, x, mask: mask)
    #expect(y[0, 1].array(of: Float.self) == [0, 0, 0, 0])
    let free = Tensor.attention(x, x, x)
    expectClose(y[0, 2], free[0, 2])
    let gradient = grad({ Tensor.attention($0, x, x, mask: mask).sum() }, at: x)
    #expect(gradient.isFinite().all().item(as: Bool.self))
  }

  @Test func dropoutDropsInTrainingOnly() {
    let layer = Initialization.seeded(1) { MultiHeadAttention(8, heads: 2, dropout: 0.5) }
    let x = Tensor.normal([1, 6, 8], key: RandomKey(seed: 2))
    let plain = layer(x).array(of: Float.self)
    let trained = Phase.training(key: RandomKey(seed: 1)) { layer(x) }.array(of: Float.self)
    let again = Phase.training(key: RandomKey(seed: 1)) { layer(x) }.array(of: Float.self)
    #expect(trained != plain)
    #expect(trained == again)
  }

  @Test func oneSequenceNeedsNoBatch() {
    let layer = Initialization.seeded(1) { MultiHeadAttention(8, heads: 2) }
    let x = Tensor.normal([3, 8], key: RandomKey(seed: 2))
    expectClose(layer(x), layer(x.expandedDims(0))[0])
  }

  @Test func mistakesAreNamed() {
    func reason(_ body: () -> Void) -> String? {
      do { try Diagnostic.catching(body) } catch { return (error as? Diagnostic)?.reason }
      return nil
    }
    let x = Tensor.zeros([2, 3, 4])
    #expect(reason { _ = MultiHeadAttention(6, heads: 4) }?.contains("multiple") == true)
    #expect(
      reason { _ = MultiHeadAttention(8, heads: 2)(x) }?.contains("[batch, places, 8]") == true)
    #expect(reason { _ = Tensor.attention(x, x, .zeros([2, 2, 4])) } != nil)
    #expect(reason { _ = Tensor.attention(x, .zeros([2, 3, 5]), x) } != nil)
    #expect(reason { _ = Tensor.attention(x, x, x, mask: .zeros([4, 3])) } != nil)
  }
}

/// Layers that drop or scale whole examples and channels.
@Suite struct StochasticDepthTests {
  @Test func dropsWholeExamples() {
    let x = Tensor.ones([400, 3])
    let y = Phase.training(key: RandomKey(seed: 4)) { StochasticDepth(0.25)(x) }
    let rows = y.sum(axis: 1).array(of: Float.self)
    #expect(rows.allSatisfy { $0 == 0 || abs($0 - 4) < 1e-5 })
    // 300 ± 8.7 are kept.
    #expect((250...350).contains(rows.count { $0 > 0 }))
    #expect(StochasticDepth(0.25)(x).array(of: Float.self) == x.array(of: Float.self))
  }

  @Test func samePaddingIsTensorFlows() {
    func shape(_ kernel: Int, _ stride: Int, _ length: Int) -> [Int] {
      SameConv2d(1, 1, kernel: kernel, stride: stride)(.zeros([1, 1, length, length])).shape
    }
    #expect(shape(3, 2, 224) == [1, 1, 112, 112])
    #expect(shape(5, 2, 7) == [1, 1, 4, 4])
    #expect(shape(1, 2, 5) == [1, 1, 3, 3])
    // 224 rows and stride 2 take one row of padding, which goes below.
    var layer = SameConv2d(1, 1, kernel: 3, stride: 2, bias: false)
    layer.conv.weight = Tensor.ones([1, 1, 3, 3])
    let y = layer(.ones([1, 1, 4, 4]))
    #expect(y.array(of: Float.self) == [9, 6, 6, 4])
    #expect(layer.parameters.map(\.name) == ["weight"])
  }

  @Test func aScaleHasTheNameOfItsPlace() {
    struct Block: Layer {
      var scale = LayerScale(3, axes: 2, start: 0.5)
      enum CodingKeys: String, CodingKey { case scale = "layer_scale" }
      func callAsFunction(_ x: Tensor) -> Tensor { scale(x) }
    }
    #expect(Block().parameters.map(\.name) == ["layer_scale"])
    #expect(Block().parameters[0].tensor.shape == [3, 1, 1])
    #expect(Block()(.ones([1, 3, 2, 2])).sum().item() == 6)
  }
}
