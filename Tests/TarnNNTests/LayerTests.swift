import Tarn
import Testing

@Suite struct LayerErrorTests {
  @Test func linear() {
    let message = diagnostic { _ = Linear(784, 128)(.zeros([32, 1, 28, 28])) }
    #expect(
      message?.description == """
        Linear(784 → 128): expects the last axis to be 784
          input [32, 1, 28, 28]
          weight [128, 784]
          hint: 1 × 28 × 28 = 784, so call .flattened(from: 1) first
        """)
  }

  @Test func convolution() {
    let layer = Conv2d(3, 8, kernel: 3)
    let last = diagnostic { _ = layer(.zeros([2, 16, 16, 3])) }
    #expect(last?.operation == "Conv2d(3 → 8, kernel 3)")
    #expect(last?.reason == "expects 3 channels at axis 1, got 16")
    #expect(last?.hint?.contains(".permuted(0, 3, 1, 2)") == true)
    let single = diagnostic { _ = layer(.zeros([3, 16, 16])) }
    #expect(single?.hint?.contains(".expandedDims(0)") == true)
    let small = diagnostic { _ = layer(.zeros([1, 3, 2, 2])) }
    #expect(small?.reason == "the kernel covers 3 elements of axis 2, which has 2")
    let bytes = diagnostic { _ = layer(.zeros([1, 3, 8, 8], dtype: .uint8)) }
    #expect(bytes?.hint == "for pixels: .cast(to: .float32) / 255")
    let groups = diagnostic { _ = Conv2d(3, 8, kernel: 3, groups: 2) }
    #expect(groups?.reason == "both channel counts must be multiples of the groups")
    let kernel = diagnostic { _ = Conv2d(3, 8, kernel: [1, 2, 3]) }
    #expect(kernel?.reason == "2 spatial axes take one number or 2")
  }

  @Test func others() {
    #expect(
      diagnostic { _ = LayerNorm(4)(.zeros([2, 3])) }?.reason == "expects the last axes to be [4]")
    #expect(
      diagnostic { _ = BatchNorm2d(4)(.zeros([2, 3, 1, 1])) }?.reason
        == "expects 4 channels at axis 1, got 3")
    #expect(
      diagnostic { _ = Embedding(4, 2)(.zeros([2])) }?.reason
        == "expects integer indices, got float32")
    let residual = Residual(Conv2d(2, 2, kernel: 3))
    #expect(
      diagnostic { _ = residual(.zeros([1, 2, 5, 5])) }?.reason
        == "body and shortcut must give one shape")
    #expect(diagnostic { _ = GroupNorm(groups: 3, 4) }?.operation == "GroupNorm")
  }
}

@Suite struct LayerTests {
  @Test func sequences() {
    let model = Sequential {
      Flatten()
      Linear(6, 4)
      for _ in 0..<2 { Linear(4, 4) }
      Tanh()
      Residual(Linear(4, 4), activation: .relu)
    }
    #expect(model(.ones([3, 2, 3])).shape == [3, 4])
    #expect(
      model.parameters.map(\.name) == [
        "1.weight", "1.bias", "2.0.weight", "2.0.bias", "2.1.weight", "2.1.bias", "4.body.weight",
        "4.body.bias",
      ])
    #expect(model.layers.1.weight.shape == [4, 6])
  }

  /// y = x / (k + α/n Σ x²)^β, written out.
  @Test func localResponseNorm() {
    let x = Tensor.normal([2, 7, 3, 2], key: RandomKey(seed: 1), dtype: .float64)
    let y = LocalResponseNorm(4, alpha: 0.5, beta: 0.7, k: 2)(x)
    let squares = x.squared()
    let rows = (0..<7).map { c in
      let near = (max(0, c - 2)...min(6, c + 1)).map { squares[.all, $0] }
      let sum = near.dropFirst().reduce(near[0]) { $0 + $1 }
      return x[.all, c] / (2 + 0.5 / 4 * sum).pow(0.7)
    }
    expectClose(y, .stacked(rows, axis: 1), 1e-12)
  }

  @Test func activationsAreConfiguration() {
    let x = Tensor.linspace(from: -3, to: 3, count: 13).reshaped(1, 13)
    for activation in Activation.allCases { #expect(activation(x).shape == [1, 13]) }
    expectClose(Activation.leakyReLU(x), LeakyReLU()(x), 0)
    #expect(Activation.identity(x).array(of: Float.self) == x.array(of: Float.self))
  }

  @Test func gradients() {
    let norm = GroupNorm(groups: 2, 4).cast(to: .float64)
    let lrn = LocalResponseNorm(3)
    let x = Tensor.normal([2, 4, 3], key: RandomKey(seed: 2), dtype: .float64)
    let check = checkGradients({ lrn(norm($0[0])) }, at: [x], order: 2)
    #expect(check.passed, "\(check)")
  }

  @Test func summary() {
    let model = Sequential {
      Conv2d(1, 6, kernel: 5, padding: 2); ReLU(); MaxPool2d(2)
      Sequential {
        Flatten(); Linear(1176, 10)
      }
    }
    let summary = model.summary(inputShape: [2, 1, 28, 28])
    #expect(summary.rows.map(\.path) == ["0", "1", "2", "3.0", "3.1"])
    #expect(
      summary.rows.map(\.output) == [
        [2, 6, 28, 28], [2, 6, 28, 28], [2, 6, 14, 14], [2, 1176], [2, 10],
      ])
    #expect(summary.rows.map(\.multiplyAdds) == [2 * 6 * 784 * 25, 0, 0, 0, 2 * 11760])
    #expect(summary.parameters == 156 + 11770 && summary.rows[0].parameters == 156)
    #expect(summary.rows[0].layer == "Conv2d(1 → 6, kernel 5, padding 2)")
    #expect(summary.description.contains("parameters     11,926"))
    let nested = ResNet().summary(inputShape: [1, 3, 8, 8])
    #expect(nested.rows.contains { $0.path == "layer2.0.downsample.1" })
    #expect(nested.buffers == 10 + 2 * 60)
  }
}

@Suite struct ParameterFilterTests {
  @Test func patterns() {
    let filter = ParameterFilter.matching("features.*", "fc", "*.b?as")
    #expect(filter.matches("features.0.weight") && filter.matches("fc.weight"))
    #expect(filter.matches("a.b.bias") && !filter.matches("fcx.weight") && !filter.matches("head"))
    #expect(
      ParameterFilter.except("fc").matches("conv") && !ParameterFilter.except("fc").matches("fc"))
    #expect(ParameterFilter.all.matches("anything") && !ParameterFilter.none.matches("anything"))
    #expect(ParameterFilter.matching("*a*b*").matches("xxaxxbxx"))
    #expect(!ParameterFilter.matching("*a*b").matches("xxaxxbxx"))
  }

  @Test func freezing() {
    let model = Sequential {
      Linear(2, 3); Tanh(); Linear(3, 1)
    }
    let x = Tensor.ones([4, 2])
    let all = grad({ $0(x).sum() }, at: model)
    let (value, some) = valueAndGrad({ $0(x).sum() }, at: model, training: "2")
    expectClose(value, model(x).sum())
    #expect(some.layers.0.weight.abs().sum().item() == 0)
    expectClose(some.layers.2.weight, all.layers.2.weight)
  }
}
