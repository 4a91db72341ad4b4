// Your own network library (Library.swift), checked and put to use on points of two classes.
import Lesson
import Tarn

/// The share of right answers, and the loss.
func report(_ when: String, _ net: Net, _ sets: (name: String, data: Batch)...) {
  print("\(when):")
  for (name, data) in sets {
    let share = accuracy(net.forward(data.features), data.labels).item()
    let loss = net.loss(data.features, data.labels).item()
    print("  \(name) accuracy \(share.digits(4)), loss \(loss.digits(3))")
  }
}

var options = Synthetic.ClassificationOptions()
(options.clustersPerClass, options.labelNoise) = (2, 0.2)
let points = Synthetic.classification(100, options, seed: 23)
let (train, test) = points.split(fraction: 0.8, seed: 23)
let (seen, unseen) = (try train.all(), try test.all())
let batches = train.batched(4, sampler: .shuffled(seed: 23))

// One layer is a straight border. One look at each point moves it to where it should be.
let single = Net()
single.add(Linear(2, 2, key: RandomKey(seed: 11)))
single.add(Softmax())
report("one layer, untrained", single, ("train", seen), ("test", unseen))
try batches.epoch(0).forEach { single.learn($0.features, $0.labels, rate: 0.1) }
report("one layer, after one epoch", single, ("train", seen), ("test", unseen))

// With a hidden layer the border can bend.
let (first, last) = (
  Linear(2, 10, key: RandomKey(seed: 2)), Linear(10, 2, key: RandomKey(seed: 3))
)
let net = Net()
net.add(first)
net.add(Tanh())
net.add(last)
net.add(Softmax())

// Is the backward pass right? `grad` finds the same slopes from the forward pass alone.
for (name, layer) in [("first", first), ("last", last)] {
  _ = net.loss(seen.features, seen.labels)
  net.backward()
  let (w, slope) = (layer.w, layer.dw.evaluate())
  let automatic = grad(
    {
      layer.w = $0; return net.loss(seen.features, seen.labels)
    }, at: w)
  layer.w = w
  print("slopes of the \(name) layer agree: \(slope.isClose(to: automatic, absolute: 1e-6))")
}

let small = Plane(around: seen.features, columns: 64, rows: 20)
let epochs = Lesson.amount(60, quick: 6)
for epoch in 0...epochs {
  if epoch % (epochs / 3) == 0 {
    let picture = small.terminalMap(net.forward(small.points), data: seen)
    Lesson.animate("\(picture)\nepoch \(epoch)", isFirst: epoch == 0)
  }
  try batches.epoch(epoch).forEach { net.learn($0.features, $0.labels, rate: 0.1) }
}
report("with a hidden layer", net, ("train", seen), ("test", unseen))

let plane = Plane(around: seen.features)
let maps = [("One layer", single), ("With a hidden layer", net)].map { title, net in
  plane.decisionMap(title, net.forward(plane.points).exp(), data: seen)
}
try Lesson.show(FigureGrid(maps), as: "own-library")
