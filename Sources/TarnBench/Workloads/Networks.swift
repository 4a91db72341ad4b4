import Tarn

/// Networks that answer: evaluation mode, random weights, 224×224.
let inference: [Workload] = [
  inference("resnet18", "resnet18", batch: 1), inference("resnet18", "resnet18", batch: 16),
  inference("resnet50", "resnet50", batch: 1), inference("resnet50", "resnet50", batch: 16),
  inference("vgg16", "vgg16", batch: 1), inference("mobilenetv2", "mobilenet-v2", batch: 1),
  inference("googlenet", "googlenet", batch: 1), inference("resnet152", "resnet152", batch: 1),
  inference("vit-b-16", "vit-b-16", batch: 1),
]

/// Multiply-adds of one picture of 224×224, in billions.
private let multiplyAdds = [
  "resnet18": 1.8141, "resnet50": 4.0892, "resnet152": 11.5136, "vgg16": 15.4703,
  "mobilenet-v2": 0.3008, "googlenet": 1.4984, "vit-b-16": 17.5638,
]

/// Billions of operations that one pass over a batch takes.
func gigaOperations(_ network: String, batch: Int) -> Double? {
  multiplyAdds[network].map { 2 * $0 * Double(batch) }
}

private func inference(_ title: String, _ network: String, batch: Int) -> Workload {
  Workload(
    "\(title)-infer-b\(batch)", "\(network), \(batch == 1 ? "one picture" : "\(batch) pictures")",
    gigaOperations: gigaOperations(network, batch: batch)
  ) {
    let x = random(batch, 3, 224, 224)
    guard let entry = try? Zoo.entry(network) else { return {} }
    return timed(entry.model(), x)
  }
}

private func timed(_ model: some Layer, _ x: Tensor) -> () -> Void {
  let model = model.evaluated()
  let f = compile { (x: Tensor) in model(x) }
  return { _ = f(x) }
}

/// Whole processes.
let processes: [Workload] = [
  Workload("cold-start", "a process that makes ResNet-18, answers one picture and ends") {
    let model = ResNet.resNet18()
    let answer = compile { (x: Tensor) in model(x) }(random(1, 3, 224, 224))
    print(answer.argMax(axis: 1).item(as: Int.self))
  }
]
