import Tarn
import Testing

/// Output, gradients and buffers of a layer against PyTorch's.
private func layer<L: Layer>(
  _ file: String, _ name: String, _ make: @escaping @Sendable () -> L
) -> Case {
  Case(name: name) {
    let goldens = try Goldens(file)
    let weights = Weights(goldens.all(name, "param.") + goldens.all(name, "before."))
    let layer = try make().loading(weights).model
    let input = try goldens(name, "input")
    func run() -> (TrainingOutput<L>, BufferUpdates) {
      let (step, updates) = withUpdates(layer) { layer in
        let (output, pullback) = vjp({ $0.first($0.second) }, at: Pair(layer, input))
        return TrainingOutput(output: output, pullback: pullback)
      }
      return (step, updates)
    }
    let (step, updates) =
      name.hasSuffix("_eval")
      ? Phase.inference { run() } : Phase.training(key: RandomKey(seed: 1)) { run() }
    expectClose(step.output, try goldens(name, "output"), what: "output")
    let gradient = step.pullback(try goldens(name, "grad_output"))
    if let expected = goldens.optional(name, "grad_input") {
      expectClose(gradient.second, expected, what: "gradient of the input")
    }
    let gradients = Dictionary(
      uniqueKeysWithValues: gradient.first.parameters.map { ($0.name, $0.tensor) })
    for (parameter, expected) in goldens.all(name, "grad.") {
      expectClose(try #require(gradients[parameter]), expected, what: "gradient of \(parameter)")
    }
    let after = Dictionary(
      uniqueKeysWithValues: layer.applying(updates).buffers.map { ($0.name, $0.tensor) })
    for (buffer, expected) in goldens.all(name, "buffer.") {
      expectClose(try #require(after[buffer]), expected, what: buffer)
    }
  }
}

private struct TrainingOutput<L: Layer> {
  let output: Tensor
  let pullback: @Sendable (Tensor) -> Pair<L, Tensor>
}

private func expectClose(_ found: Tensor, _ expected: Tensor, what: String) {
  expectClose(found, expected, 2e-5, what)
}

private let layerCases: [Case] = [
  layer("layers", "linear") { Linear(5, 3) },
  layer("layers", "linear_nobias") { Linear(5, 3, bias: false) },
  layer("layers", "linear_3d") { Linear(5, 3) },
  layer("layers", "conv1d") { Conv1d(3, 4, kernel: 3) },
  layer("layers", "conv1d_s2_p1_d2") {
    Conv1d(3, 4, kernel: 3, stride: 2, padding: 1, dilation: 2)
  },
  layer("layers", "conv1d_p2_g2_nobias") {
    Conv1d(4, 6, kernel: 5, padding: 2, groups: 2, bias: false)
  },
  layer("layers", "conv2d") { Conv2d(2, 3, kernel: 3) },
  layer("layers", "conv2d_nobias") { Conv2d(2, 3, kernel: 3, bias: false) },
  layer("layers", "conv2d_1x1") { Conv2d(4, 3, kernel: 1) },
  layer("layers", "conv2d_p1") { Conv2d(2, 3, kernel: 3, padding: .same) },
  layer("layers", "conv2d_s2_p1") { Conv2d(2, 3, kernel: 3, stride: 2, padding: 1) },
  layer("layers", "conv2d_s2_p1_g2") { Conv2d(4, 6, kernel: 3, stride: 2, padding: 1, groups: 2) },
  layer("layers", "conv2d_s1x2_p0x2_k3x5") {
    Conv2d(2, 3, kernel: [3, 5], stride: [1, 2], padding: [0, 2])
  },
  layer("layers", "conv2d_d2_p2") { Conv2d(2, 3, kernel: 3, padding: 2, dilation: 2) },
  layer("layers", "conv2d_s3_d2_p3") {
    Conv2d(2, 2, kernel: 3, stride: 3, padding: 3, dilation: 2)
  },
  layer("layers", "conv2d_depthwise_p1") { Conv2d(4, 4, kernel: 3, padding: 1, groups: 4) },
  layer("layers", "conv2d_depthwise_s2_p2_k5") {
    Conv2d(3, 6, kernel: 5, stride: 2, padding: 2, groups: 3)
  },
  layer("layers", "convtranspose1d_s2") { ConvTranspose1d(3, 2, kernel: 3, stride: 2) },
  layer("layers", "convtranspose2d") { ConvTranspose2d(3, 2, kernel: 3) },
  layer("layers", "convtranspose2d_s2_p1_op1") {
    ConvTranspose2d(3, 2, kernel: 3, stride: 2, padding: 1, outputPadding: 1)
  },
  layer("layers", "convtranspose2d_s2_p1_g2_nobias") {
    ConvTranspose2d(4, 6, kernel: 4, stride: 2, padding: 1, groups: 2, bias: false)
  },
  layer("layers", "convtranspose2d_s2_d2_p1") {
    ConvTranspose2d(2, 3, kernel: 3, stride: 2, padding: 1, dilation: 2)
  },
  layer("layers", "batchnorm1d") { BatchNorm1d(3) },
  layer("layers", "batchnorm1d_3d") { BatchNorm1d(3) },
  layer("layers", "batchnorm1d_eval") { BatchNorm1d(3) },
  layer("layers", "batchnorm2d") { BatchNorm2d(3) },
  layer("layers", "batchnorm2d_m03_eps1e3") { BatchNorm2d(3, epsilon: 1e-3, momentum: 0.3) },
  layer("layers", "batchnorm2d_eval") { BatchNorm2d(3) },
  layer("layers", "batchnorm2d_plain") { BatchNorm2d(3, affine: false) },
  layer("layers", "layernorm_5") { LayerNorm(5) },
  layer("layers", "layernorm_3x4_eps1e3") { LayerNorm(3, 4, epsilon: 1e-3) },
  layer("layers", "layernorm_5_plain") { LayerNorm(5, affine: false) },
  layer("layers", "groupnorm_2") { GroupNorm(groups: 2, 6) },
  layer("layers", "groupnorm_1") { GroupNorm(groups: 1, 4) },
  layer("layers", "instancenorm2d") { GroupNorm(groups: 3, 3) },
  layer("layers", "embedding") { Embedding(7, 4) },
  layer("layers", "localresponsenorm_3") { LocalResponseNorm(3, alpha: 0.5, k: 2) },
  layer("layers", "localresponsenorm_4") { LocalResponseNorm(4, alpha: 0.5, beta: 0.6) },
  layer("layers", "layernorm2d_3_eps1e6") { LayerNorm2d(3, epsilon: 1e-6) },
  layer("layers", "squeezeexcitation") { SqueezeExcitation(4, squeezed: 2) },
  layer("layers", "squeezeexcitation_hard") {
    SqueezeExcitation(4, squeezed: 2, activation: .silu, gate: .hardSigmoid)
  },
]

private let poolingCases: [Case] = [
  layer("pooling", "maxpool1d_2") { MaxPool1d(2) },
  layer("pooling", "maxpool2d_2") { MaxPool2d(2) },
  layer("pooling", "maxpool2d_3_s2_p1") { MaxPool2d(3, stride: 2, padding: 1) },
  layer("pooling", "maxpool2d_3_s2_ceil") { MaxPool2d(3, stride: 2, ceil: true) },
  layer("pooling", "maxpool2d_3_s2_p1_ceil") { MaxPool2d(3, stride: 2, padding: 1, ceil: true) },
  layer("pooling", "maxpool2d_2_d2") { MaxPool2d(2, stride: 1, dilation: 2) },
  layer("pooling", "avgpool1d_3_s2_p1") { AvgPool1d(3, stride: 2, padding: 1) },
  layer("pooling", "avgpool2d_2") { AvgPool2d(2) },
  layer("pooling", "avgpool2d_3_s2_p1") { AvgPool2d(3, stride: 2, padding: 1) },
  layer("pooling", "avgpool2d_3_s2_p1_exclude") {
    AvgPool2d(3, stride: 2, padding: 1, countsPadding: false)
  },
  layer("pooling", "avgpool2d_3_s2_p1_ceil") { AvgPool2d(3, stride: 2, padding: 1, ceil: true) },
  layer("pooling", "avgpool2d_3_s2_p1_ceil_exclude") {
    AvgPool2d(3, stride: 2, padding: 1, ceil: true, countsPadding: false)
  },
  layer("pooling", "adaptiveavgpool2d_3x2_even") { AdaptiveAvgPool2d([3, 2]) },
  layer("pooling", "adaptiveavgpool2d_3x4_uneven") { AdaptiveAvgPool2d([3, 4]) },
  layer("pooling", "adaptiveavgpool2d_5_up") { AdaptiveAvgPool2d(5) },
  layer("pooling", "globalavgpool2d") { GlobalAvgPool(keepDims: true) },
  layer("pooling", "adaptivemaxpool2d_3x2_uneven") { AdaptiveMaxPool2d([3, 2]) },
  layer("pooling", "upsample_nearest_x2") { Upsample(by: 2) },
  layer("pooling", "upsample_nearest_to7x5") { Upsample(to: [7, 5]) },
  layer("pooling", "upsample_bilinear_x2") { Upsample(by: 2, mode: .bilinear) },
  layer("pooling", "upsample_bilinear_x2_corners") {
    Upsample(by: 2, mode: .bilinearAlignedCorners)
  },
  layer("pooling", "upsample_bilinear_to5x3") { Upsample(to: [5, 3], mode: .bilinear) },
  layer("pooling", "upsample_bilinear_to5x3_corners") {
    Upsample(to: [5, 3], mode: .bilinearAlignedCorners)
  },
]

private let activationCases: [Case] = [
  layer("activations", "relu") { ReLU() },
  layer("activations", "relu6") { ReLU6() },
  layer("activations", "leakyrelu_001") { LeakyReLU() },
  layer("activations", "leakyrelu_02") { LeakyReLU(0.2) },
  layer("activations", "prelu") { PReLU(3) },
  layer("activations", "elu") { ELU() },
  layer("activations", "elu_05") { ELU(0.5) },
  layer("activations", "selu") { SELU() },
  layer("activations", "gelu") { GELU() },
  layer("activations", "gelu_tanh") { GELU(approximate: true) },
  layer("activations", "silu") { SiLU() },
  layer("activations", "mish") { Mish() },
  layer("activations", "tanh") { Tanh() },
  layer("activations", "sigmoid") { Sigmoid() },
  layer("activations", "logsigmoid") { LogSigmoid() },
  layer("activations", "softplus") { Softplus() },
  layer("activations", "hardswish") { HardSwish() },
  layer("activations", "hardsigmoid") { HardSigmoid() },
  layer("activations", "hardtanh") { HardTanh() },
  layer("activations", "softsign") { Softsign() },
  layer("activations", "softmax") { Softmax() },
  layer("activations", "softmax_axis1") { Softmax(axis: 1) },
  layer("activations", "logsoftmax") { LogSoftmax() },
]

@Suite struct LayerGoldenTests {
  @Test(arguments: layerCases) func layer(_ test: Case) throws { try test.run() }
  @Test(arguments: poolingCases) func pooling(_ test: Case) throws { try test.run() }
  @Test(arguments: activationCases) func activation(_ test: Case) throws { try test.run() }

  @Test func everyCaseIsTested() throws {
    let files = [
      ("layers", layerCases), ("pooling", poolingCases), ("activations", activationCases),
    ]
    for (file, cases) in files { #expect(try Goldens(file).cases == Set(cases.map(\.name))) }
  }
}
