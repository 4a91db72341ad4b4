// Your own network library (Library.swift), checked and put to use on points of two classes.
import Lesson
import Tarn

var options = Synthetic.ClassificationOptions()
options.labelNoise = 0.2
let (train, test) = Synthetic.classification(100, options, seed: 0).split(fraction: 0.8, seed: 0)
let (trainSet, testSet) = (try train.all(), try test.all())
let loss = CrossEntropy()

/// Loss and share of right answers.
func evaluate(_ net: Net, _ data: Batch) -> (loss: Double, accuracy: Double) {
  let logP = net.forward(data.features)
  let isRight = logP.argMax(axis: 1) .== data.labels
  return (loss.forward(logP, data.labels).item(), isRight.cast(to: .float32).mean().item())
}

func report(_ net: Net, _ when: String) {
  let (train, test) = (evaluate(net, trainSet), evaluate(net, testSet))
  print(
    "\(when): train accuracy \(train.accuracy.digits(4)) loss \(train.loss.digits(3)),",
    "test accuracy \(test.accuracy.digits(2)) loss \(test.loss.digits(3))")
}

func trainEpoch(_ net: Net, _ epoch: Int, rate: Double) throws {
  try train.batched(4, sampler: .shuffled(seed: 1)).epoch(epoch).forEach { batch in
    _ = loss.forward(net.forward(batch.features), batch.labels)
    _ = net.backward(loss.backward())
    net.update(rate: rate)
  }
}

// One layer is a straight border. One look at each point suffices.
let single = Net()
single.add(Linear(2, 2, key: RandomKey(seed: 1)))
single.add(Softmax())
report(single, "before")
try trainEpoch(single, 0, rate: 0.1)
report(single, "after one epoch")

// With a hidden layer the border can bend.
let net = Net()
let (first, second) = (Linear(2, 10, key: RandomKey(seed: 2)), Linear(10, 2, key: RandomKey(seed: 3)))
net.add(first)
net.add(Tanh())
net.add(second)
net.add(Softmax())

// Is the backward pass right? `grad` finds the same slopes from the forward pass alone.
_ = loss.forward(net.forward(trainSet.features), trainSet.labels)
_ = net.backward(loss.backward())
for (name, layer) in [("first", first), ("second", second)] {
  let (w, dw) = (layer.w, layer.dw.evaluate())
  let automatic = grad({ w in
    layer.w = w
    return loss.forward(net.forward(trainSet.features), trainSet.labels)
  }, at: w)
  layer.w = w
  print("\(name) layer: hand-written and automatic slope agree:", dw.isClose(to: automatic, absolute: 1e-6))
}

let small = Plane(around: trainSet.features, columns: 64, rows: 20)
let epochs = Lesson.amount(60, quick: 6)
for epoch in 0..<epochs {
  if epoch % (epochs / 3) == 0 {
    Lesson.animate(small.terminalMap(net.forward(small.points), data: trainSet), isFirst: epoch == 0)
  }
  try trainEpoch(net, epoch, rate: 0.1)
}
report(net, "with a hidden layer, after \(epochs) epochs")
let plane = Plane(around: trainSet.features)
try Lesson.show(
  FigureGrid([
    plane.decisionMap("One layer", single.forward(plane.points).exp(), data: trainSet),
    plane.decisionMap("With a hidden layer", net.forward(plane.points).exp(), data: trainSet),
  ]), as: "own-library")
