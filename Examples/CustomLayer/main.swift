// A layer and a loss of your own (Layers.swift): they train, freeze, save and load like any other.
import Lesson
import Tarn

let moons = try Synthetic.moons(300, noise: 0.15, seed: 0).all()
var model = Classifier(centres: 8, key: RandomKey(seed: 1))

print(model.summary(inputShape: [1, 2]))
for (name, tensor) in model.parameters { print("  \(name) \(tensor.shape)") }

func accuracy(_ model: Classifier) -> Double {
  (model(moons.features).argMax(axis: 1) .== moons.labels).cast(to: .float32).mean().item()
}

/// Trains the parameters that are chosen; the others are frozen, and cost nothing.
func train(_ chosen: ParameterFilter, steps: Int) {
  var optimizer = Adam(learningRate: 0.05)
  for _ in 0..<steps {
    let (loss, gradient) = valueAndGrad(
      { focalLoss($0(moons.features), moons.labels) }, at: model, training: chosen)
    optimizer.update(&model, along: gradient, computing: [loss])
  }
  print("after training \(chosen == .all ? "everything" : "the head"): \(accuracy(model).digits(3))")
}

let steps = Lesson.amount(300, quick: 50)
let start = model.basis.centres
train("head", steps: steps)
print("the centres have not moved: \(model.basis.centres.isClose(to: start))")
train(.all, steps: steps)

// model.safetensors holds the tensors by name, model.json the rest.
let folder = try Lesson.folder().appendingPathComponent("custom-layer")
try model.save(to: folder)
let again = try Classifier(contentsOf: folder)
print("saved to \(folder.path) and read again: \(accuracy(again).digits(3))")
print(try Weights(contentsOf: folder.appendingPathComponent("model.safetensors")))

// A model is a value: half way between the start and the end of a training is a model, too.
let fresh = Classifier(centres: 8, key: RandomKey(seed: 1))
print("half way from the start: \(accuracy(0.5 * fresh + 0.5 * model).digits(3))")

let plane = Plane(around: moons.features)
let probability = model(plane.points).softmax()[.all, 1]
let map = plane.heatMap("Probability of the second moon, and the centres", probability, contours: 9)
  .points(x: model.basis.centres[.all, 0].numbers, y: model.basis.centres[.all, 1].numbers)
try Lesson.show(
  FigureGrid([map, plane.decisionMap("Decision", model(plane.points).softmax(), data: moons)]),
  as: "custom-layer")
