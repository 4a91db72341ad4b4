// A layer and a loss of your own (Layers.swift): they train, freeze, save and load like any other.
import Lesson
import Tarn

let moons = try Synthetic.moons(300, noise: 0.15, seed: 0).all()
var model = Classifier(centres: 8, key: RandomKey(seed: 1))

print(model.summary(inputShape: [1, 2]))
for (name, tensor) in model.parameters { print("  \(name) \(tensor.shape)") }

func accuracy(_ model: Classifier, _ data: Batch) -> Double {
  accuracy(model(data.features), data.labels).item()
}

/// Trains the parameters that are chosen; the others are frozen, and cost nothing.
func train(_ model: inout Classifier, on data: Batch, _ chosen: ParameterFilter) {
  var optimizer = Adam(learningRate: 0.05)
  for _ in 0..<Lesson.amount(300, quick: 50) {
    let (loss, gradient) = valueAndGrad(
      { focalLoss($0(data.features), data.labels) }, at: model, training: chosen)
    optimizer.update(&model, along: gradient, computing: [loss])
  }
}

let start = model
train(&model, on: moons, "head")
print("the head trained: accuracy \(accuracy(model, moons).digits(3));", terminator: " ")
print("the centres moved: \(!model.basis.centres.isClose(to: start.basis.centres))")
train(&model, on: moons, .all)
print("everything trained: accuracy \(accuracy(model, moons).digits(3))")

// model.safetensors holds the tensors by name, model.json the rest.
let folder = try Lesson.folder().appendingPathComponent("custom-layer")
try model.save(to: folder)
let again = try Classifier(contentsOf: folder)
print("saved to \(folder.path) and read again: \(accuracy(again, moons).digits(3))")
print(try Weights(contentsOf: folder.appendingPathComponent("model.safetensors")))

// A model is a value: half way between the start and the end of a training is a model, too.
print("half way from the start: \(accuracy(0.5 * start + 0.5 * model, moons).digits(3))")

let plane = Plane(around: moons.features)
let probability = model(plane.points).softmax()[.all, 1]
let map = plane.heatMap("Probability of the second moon, and the centres", probability, contours: 9)
  .points(x: model.basis.centres[.all, 0].numbers, y: model.basis.centres[.all, 1].numbers)
try Lesson.show(
  FigureGrid([map, plane.decisionMap("Decision", model(plane.points).softmax(), data: moons)]),
  as: "custom-layer")
