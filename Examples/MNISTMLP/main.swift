// Handwritten digits with a multi-layer perceptron, in a loop that hides nothing.
//     MNISTMLP [FOLDER]         the folder of MNIST's four files; or set TARN_DATA to the one above
import Lesson
import Tarn

/// Training and test set: from the files if a folder is given.
func digits() throws -> (train: any Source<Example>, test: any Source<Example>) {
  guard let folder = Lesson.argument ?? Lesson.data("mnist") else {
    print("no folder with MNIST was given: taking the 8×8 digits that are built in")
    return Digits.split()
  }
  let mnist = try MNIST(folder: folder)
  return (mnist.train, mnist.test)
}

struct Perceptron: Layer {
  var (first, second, last): (Linear, Linear, Linear)

  init(pixels: Int) {
    (first, second, last) = (Linear(pixels, 128), Linear(128, 64), Linear(64, 10))
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    last(second(first(x.flattened(from: 1)).relu()).relu())
  }
}

/// The share of pictures whose digit is told right.
func accuracy(_ model: Perceptron, on data: any Source<Example>) throws -> Double {
  var right = 0.0
  try data.batched(500).epoch(0).forEach { batch in
    right += accuracy(model(batch.features), batch.labels, reduction: .sum).item()
  }
  return right / Double(data.count)
}

let (train, test) = Lesson.orExit { try digits() }
let shape = try train.sample(at: 0).features.shape
print("\(train.count) pictures \(shape) to learn from, \(test.count) to test with")

var model = Initialization.seeded(1) { Perceptron(pixels: shape.reduce(1, *)) }
print(model.summary(inputShape: [1] + shape))

var optimizer = Adam(learningRate: 1e-3)
let batches = train.batched(32, sampler: .shuffled(seed: 2))
for epoch in 0..<Lesson.amount(train.count > 10_000 ? 5 : 30, quick: 3) {
  var losses: [Double] = []
  try batches.epoch(epoch).forEach { batch in
    let (loss, gradient) = valueAndGrad(
      { crossEntropy($0(batch.features), batch.labels) }, at: model)
    optimizer.update(&model, along: gradient, computing: [loss])
    losses.append(loss.item())
  }
  let mean = losses.reduce(0, +) / Double(losses.count)
  let right = try accuracy(model, on: test)
  print("epoch \(epoch + 1): loss \(mean.digits(4)), test accuracy \(right.digits(4))")
}

// Some pictures with the answers to them, and what the first neurons look for: their weights.
let (height, width) = (shape[1], shape[2])
let pictures = try (0..<32).map { index in
  let example = try test.sample(at: index)
  let answer = model(example.features.expandedDims(0)).argMax().item(as: Int.self)
  return GridImage(
    example.features.numbers, width: width, height: height, title: "\(answer)",
    verdict: answer == example.label.item(as: Int.self) ? .right : .wrong)
}
let neurons = ImageGrid.weights(
  model.first.weight[0..<32].numbers, count: 32, width: width, height: height,
  title: "What 32 neurons of the first layer look for")
try Lesson.show(
  FigureGrid([ImageGrid(pictures, title: "Unseen digits, and the answers"), neurons]),
  as: "mnist-mlp")
