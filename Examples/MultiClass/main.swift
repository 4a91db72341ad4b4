// Three classes wound into one another: layers, an optimizer, and a look at the mistakes.
import Lesson
import Tarn

let spirals = Synthetic.spirals(900, classes: 3, turns: 0.9, noise: 0.04, seed: 1)
let (train, test) = spirals.split(fraction: 0.8, seed: 2)
let batches = train.batched(48, sampler: .shuffled(seed: 3))

var model = Initialization.seeded(4) {
  Sequential {
    Linear(2, 48)
    Tanh()
    Linear(48, 48)
    Tanh()
    Linear(48, 3)
  }
}
var optimizer = Adam(learningRate: 0.01)
var losses: [Double] = []

let epochs = Lesson.amount(40, quick: 10)
for epoch in 0..<epochs {
  var total = 0.0
  try batches.epoch(epoch).forEach { batch in
    let (loss, gradient) = valueAndGrad(
      { crossEntropy($0(batch.features), batch.labels) }, at: model)
    optimizer.update(&model, along: gradient, computing: [loss])
    total += loss.item() * Double(batch.count)
  }
  losses.append(total / Double(train.count))
}
print(TerminalChart("cross-entropy of the training set", height: 8, xLabel: "epoch").line(losses))

let unseen = try test.all()
let answers = model(unseen.features).argMax(axis: 1).array(of: Int.self)
var counts = [[Int]](repeating: [0, 0, 0], count: 3)
for (label, answer) in zip(unseen.labels.array(of: Int.self), answers) {
  counts[label][answer] += 1
}
let right = (0..<3).reduce(0) { $0 + counts[$1][$1] }
print("\(right) of \(test.count) unseen points are put into the right class")
print(
  TextTable(["actual", "taken for 0", "1", "2"], counts.enumerated().map { row in
    ["\(row.offset)"] + row.element.map(String.init)
  }))

let plane = Plane(x: -1.2...1.2, y: -1.2...1.2, columns: 120, rows: 120)
try Lesson.show(
  FigureGrid([
    plane.decisionMap("Three spirals", model(plane.points).softmax(), data: unseen),
    ConfusionMap(counts),
  ]), as: "multi-class")
