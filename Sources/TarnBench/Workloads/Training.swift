import Tarn

/// Whole training steps: forward, backward, clipping, update. Each step takes another of a few random batches.
let trainingSteps: [Workload] = [
  Workload(
    "mlp-train-b64", "784-512-512-10, Adam, batches of 64",
    gigaOperations: giga(6 * 64 * 668_672)
  ) {
    let model = Sequential {
      Linear(784, 512)
      ReLU()
      Linear(512, 512)
      ReLU()
      Linear(512, 10)
    }
    return training(model, Adam(learningRate: 1e-3), batches(64, 64, 784, classes: 10))
  },
  Workload(
    "lenet-train-b128", "LeNet on 28×28, momentum, batches of 128",
    gigaOperations: giga(6 * 128 * 416_520)
  ) { training(LeNet(), momentum, batches(32, 128, 1, 28, 28, classes: 10)) },
  Workload(
    "resnet18-train-b16", "ResNet-18, momentum, batches of 16",
    gigaOperations: gigaOperations("resnet18", batch: 16).map { 3 * $0 }
  ) { training(ResNet.resNet18(), momentum, batches(4, 16, 3, 224, 224, classes: 1000)) },
  Workload(
    "mobilenetv2-train-b16", "MobileNetV2, momentum, batches of 16",
    gigaOperations: gigaOperations("mobilenet-v2", batch: 16).map { 3 * $0 }
  ) { training(MobileNetV2(), momentum, batches(4, 16, 3, 224, 224, classes: 1000)) },
]

private let momentum = SGD(learningRate: 0.01, momentum: 0.9)

/// Trains a step at each call.
///
/// - Parameter clipping: brings the gradient into bounds before the update.
func training<Model: Layer>(
  _ model: Model, _ optimizer: some Optimizer, _ batches: [Examples],
  clipping: @escaping (Model) -> Model = { $0 }
) -> () -> Void {
  var (model, optimizer) = (model.evaluated(), optimizer)
  var count = 0
  return {
    let batch = batches[count % batches.count]
    count += 1
    var step = valueGradientAndUpdates(at: model, key: RandomKey(seed: UInt64(count))) {
      crossEntropy($0(batch.first), batch.second)
    }
    step.gradient = clipping(step.gradient)
    optimizer.update(&model, with: step)
  }
}
