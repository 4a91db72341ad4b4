import Tarn

/// `count` batches of images with labels, so that no step sees the batch of the step before.
private func batches(_ count: Int, _ shape: [Int]) -> [(x: Tensor, y: Tensor)] {
  RandomKey(seed: 7).split(2 * count).chunked(by: 2).map { keys in
    let x = Tensor.normal(shape, key: keys[0]).evaluate()
    let y = Tensor.randomIntegers([shape[0]], in: 0..<10, key: keys[1]).evaluate()
    return (x, y)
  }
}

extension Array {
  fileprivate func chunked(by size: Int) -> [[Element]] {
    stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
  }
}

/// One training step a call, the batches in turn.
private func training<Model: Module>(
  _ model: Model, _ optimizer: some Optimizer, _ batches: [(x: Tensor, y: Tensor)],
  _ output: @escaping (Model, Tensor) -> Tensor
) -> () -> Void {
  var (model, optimizer, next) = (model, optimizer, 0)
  return {
    let (x, y) = batches[next % batches.count]
    next += 1
    let (loss, gradient) = valueAndGrad({ crossEntropy(output($0, x), y) }, at: model)
    optimizer.update(&model, along: gradient, computing: [loss])
  }
}

/// 784-512-512-10 with rectifiers, cross-entropy, Adam, batch 64.
@Sendable func mlpTraining() -> () -> Void {
  let model = Sequential {
    Linear(784, 512)
    ReLU()
    Linear(512, 512)
    ReLU()
    Linear(512, 10)
  }
  return training(model.evaluated(), Adam(learningRate: 1e-3), batches(64, [64, 784])) { $0($1) }
}

/// LeNet on 28×28, cross-entropy, momentum, batch 128.
@Sendable func leNetTraining() -> () -> Void {
  let optimizer = SGD(learningRate: 0.01, momentum: 0.9)
  return training(LeNet().evaluated(), optimizer, batches(32, [128, 1, 28, 28])) { $0($1) }
}

/// Hessian of LeNet's loss times a vector, all parameters, batch 256.
@Sendable func leNetCurvature() -> () -> Void {
  let model = LeNet().evaluated()
  let direction = model.mapTensors { Tensor.normal($0.shape, key: RandomKey(seed: 3)) }.evaluated()
  let (x, y) = batches(1, [256, 1, 28, 28])[0]
  return { _ = hvp({ crossEntropy($0(x), y) }, at: model, along: direction).evaluated() }
}

/// 784-128-10: the gradient of each of 64 examples.
@Sendable func perSampleGradients() -> () -> Void {
  let model = Sequential {
    Linear(784, 128)
    ReLU()
    Linear(128, 10)
  }.evaluated()
  let (x, y) = batches(1, [64, 784])[0]
  return {
    let gradients = vmap(over: [x, y]) { example -> [Tensor] in
      let (x, y) = (example[0].expandedDims(0), example[1].expandedDims(0))
      return grad({ crossEntropy($0(x), y) }, at: model).tensors(.trainable)
    }
    Tensor.evaluate(gradients)
  }
}
