import Tarn

/// A convolution with bias that keeps the size, on a batch of 16.
private struct ConvolutionCase: Sendable {
  let name: String
  let inputs, size, outputs, kernel, groups: Int

  /// Of one pass.
  var gigaOperations: Double {
    let products = inputs / groups * kernel * kernel
    return giga(2 * 16 * outputs * size * size * products)
  }

  func layer() -> Conv2d {
    Conv2d(inputs, outputs, kernel: kernel, padding: kernel / 2, groups: groups).evaluated()
  }

  var forward: Workload {
    Workload(name, "a convolution, forward", gigaOperations: gigaOperations) {
      let (x, layer) = (random(16, inputs, size, size), layer())
      let f = compile { (x: Tensor) in layer(x) }
      return { _ = f(x) }
    }
  }

  var both: Workload {
    Workload(
      name + "-train", "a convolution, forward and backward to input, weight and bias",
      gigaOperations: 3 * gigaOperations
    ) {
      let x = random(16, inputs, size, size)
      let upstream = random(16, outputs, size, size, seed: 2)
      let arguments = Pair(Pair(layer(), x), upstream)
      let f = compile { (a: Pair<Pair<Conv2d, Tensor>, Tensor>) in
        let (y, pullback) = vjp({ $0.first($0.second) }, at: a.first)
        return Pair(y, pullback(a.second))
      }
      return { _ = f(arguments) }
    }
  }
}

/// Single convolutions, forward and with all gradients.
let convolutions: [Workload] = [
  ConvolutionCase(
    name: "conv3x3-64-56-b16", inputs: 64, size: 56, outputs: 64, kernel: 3, groups: 1),
  ConvolutionCase(
    name: "conv3x3-256-14-b16", inputs: 256, size: 14, outputs: 256, kernel: 3, groups: 1),
  ConvolutionCase(
    name: "conv1x1-256-64-56-b16", inputs: 256, size: 56, outputs: 64, kernel: 1, groups: 1),
  ConvolutionCase(
    name: "depthwise3x3-512-14-b16", inputs: 512, size: 14, outputs: 512, kernel: 3, groups: 512),
].flatMap { [$0.forward, $0.both] }
