// Handwritten digits with a multi-layer perceptron, in a loop that hides nothing.
//     MNISTMLP [FOLDER]         the folder of MNIST's four files; or set TARN_DATA to the one above
import Foundation
import Lesson
import Tarn

/// Training and test set, from the files if they are there.
func digits() throws -> (train: any Source<Example>, test: any Source<Example>) {
  let data = ProcessInfo.processInfo.environment["TARN_DATA"].map { $0 + "/mnist" }
  if let folder = CommandLine.arguments.dropFirst().first ?? data {
    let mnist = try MNIST(folder: URL(fileURLWithPath: folder))
    print("MNIST: \(mnist.train.count) pictures of 28×28 to learn from, \(mnist.test.count) to test")
    return (mnist.train, mnist.test)
  }
  let (train, test) = Digits.split()
  print("no folder with MNIST was given: taking the \(Digits.count) digits of 8×8 pixels built in")
  return (train, test)
}

let (train, test) = try digits()
let pixels = try train.sample(at: 0).features.count
var model = Initialization.seeded(1) {
  Sequential {
    Flatten()
    Linear(pixels, 128)
    ReLU()
    Linear(128, 64)
    ReLU()
    Linear(64, 10)
  }
}
print(model.summary(inputShape: [1] + (try train.sample(at: 0).features.shape)))

/// The share of pictures whose digit is told right, and some that are not.
func accuracy() throws -> Double {
  var right = 0
  try test.batched(500).epoch(0).forEach { batch in
    let isRight = model(batch.features).argMax(axis: 1) .== batch.labels
    right += isRight.cast(to: .int64).sum().item(as: Int.self)
  }
  return Double(right) / Double(test.count)
}

var optimizer = Adam(learningRate: 1e-3)
let batches = train.batched(64, sampler: .shuffled(seed: 2))
let epochs = Lesson.amount(pixels > 64 ? 5 : 30, quick: 3)
for epoch in 0..<epochs {
  var (total, count) = (0.0, 0)
  var rest = batches.epoch(epoch)
  while let batch = try rest.next(), !(Lesson.isQuick && count >= 6400) {
    let (loss, gradient) = valueAndGrad(
      { crossEntropy($0(batch.features), batch.labels) }, at: model)
    optimizer.update(&model, along: gradient, computing: [loss])
    total += loss.item() * Double(batch.count)
    count += batch.count
  }
  print(
    "epoch \(epoch + 1)  loss \((total / Double(count)).digits(4))  test accuracy",
    try accuracy().digits(4))
}

// What the first layer looks for: the weights of its neurons as pictures.
let side = Int(Double(pixels).squareRoot())
let filters = ImageGrid.weights(model.layers.1.weight.reshaped(-1, side, side)[0..<32])
try Lesson.show(filters, as: "mnist-first-layer")
