import Foundation
import Tarn
import TarnExchange

/// A sequence's last state as a classifier reads it.
struct SequenceClassifier: Layer {
  var lstm = LSTM(6, 12, layers: 2, bidirectional: true)
  var head = Linear(24, 5)
  func callAsFunction(_ x: Tensor) -> Tensor { head(lstm(x)[-1]) }
}

struct GatedClassifier: Layer {
  var gru = GRU(6, 12)
  var norm = LayerNorm(12)
  var head = Linear(12, 5)
  func callAsFunction(_ x: Tensor) -> Tensor { head(norm(gru(x)[-1])).softmax() }
}

/// Attention over one sequence, with its own normalisation.
struct AttentionBlock: Layer {
  var norm = LayerNorm(16)
  var query = Linear(16, 16), key = Linear(16, 16), value = Linear(16, 16)
  func callAsFunction(_ x: Tensor) -> Tensor {
    let y = norm(x)
    let scores = query(y).matmul(key(y), transposed: true) * 0.25
    return x + scores.softmax().matmul(value(y)).gelu()
  }
}

/// Writes models as ONNX with random weights, and what they make of an input.
func exportModels(to folder: URL) throws {
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  try Initialization.seeded(3) {
    try write(MLP(inputShape: [20], hidden: [32, 16], classes: 4), "mlp", [2, 20], folder)
    try write(LeNet(), "lenet", [2, 1, 28, 28], folder)
    try write(AttentionBlock(), "attention", [2, 7, 16], folder)
    try write(SequenceClassifier(), "lstm", [5, 2, 6], folder, isDynamic: false)
    try write(GatedClassifier(), "gru", [5, 2, 6], folder, isDynamic: false)
    try write(SqueezeNet(classes: 10), "squeezenet", [2, 3, 64, 64], folder)
    try write(MobileNetV2(classes: 10), "mobilenetv2", [2, 3, 64, 64], folder)
    try write(ResNet<BasicBlock>.resNet18(classes: 10), "resnet18", [2, 3, 64, 64], folder)
    try write(GoogLeNet(classes: 10), "googlenet", [2, 3, 64, 64], folder)
    try write(VGG(.vgg11, batchNorm: true, classes: 10), "vgg11-bn", [1, 3, 64, 64], folder)
  }
}

private func write<Model: Layer>(
  _ model: Model, _ name: String, _ shape: [Int], _ folder: URL, isDynamic: Bool = true
) throws {
  // Vectors away from their starting values and filters of one strength, so that everything counts in the result.
  let model = model.mapTensors(.all) { tensor in
    guard tensor.dtype.isFloating, tensor.rank == 1 || tensor.rank == 4 else { return tensor }
    if tensor.rank == 4 {
      let fan = Double(tensor.count / max(1, tensor.shape[0]))
      return tensor * ((2 / fan).squareRoot() / tensor.standardDeviation())
    }
    return tensor
      + Tensor.uniform(tensor.shape, to: 0.3, key: RandomKey(seed: UInt64(tensor.count)))
  }
  let x = Tensor.normal(shape, key: RandomKey(seed: 9)).evaluate()
  try model.exportONNX(
    to: folder.appendingPathComponent("\(name).onnx"), input: shape,
    options: ONNXExportOptions(dynamicBatch: isDynamic))
  try Weights([("input", x), ("output", model(x))])
    .write(to: folder.appendingPathComponent("\(name).safetensors"))
  print("\(name): \(model.parameterCount) parameters")
}
