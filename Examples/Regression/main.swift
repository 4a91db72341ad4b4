// A curve through noisy points, with a network that is too small, one that fits, one that is too
// large: under-fitting and over-fitting, seen from the loss on points held back.
import Lesson
import Tarn

/// The curve behind the data.
func truth(_ x: Tensor) -> Tensor { (3 * x).sin() + 0.4 * x }

func noisy(_ count: Int, seed: UInt64) -> (x: Tensor, y: Tensor) {
  let (places, noise) = RandomKey(seed: seed).split()
  let x = Tensor.uniform([count, 1], from: -2, to: 2, key: places)
  return (x.evaluate(), (truth(x) + 0.35 * .normal([count, 1], key: noise)).evaluate())
}

let train = noisy(40, seed: 4)
let validation = noisy(200, seed: 2)

/// Two hidden layers of some width.
struct Network: Layer {
  var (first, second, last): (Linear, Linear, Linear)

  init(width: Int) {
    (first, second, last) = (Linear(1, width), Linear(width, width), Linear(width, 1))
  }

  func callAsFunction(_ x: Tensor) -> Tensor { last(second(first(2 * x).tanh()).tanh()) }
}

let steps = Lesson.amount(1500, quick: 200)
let places = Tensor.linspace(from: -2, to: 2, count: 201).expandedDims(1)
var figures: [any Figure] = []
var table = TextTable(["width", "parameters", "training loss", "validation", "least validation"])

for (width, name) in [(2, "too small"), (5, "fits"), (60, "too large")] {
  var model = Initialization.seeded(3) { Network(width: width) }
  var optimizer = Adam(learningRate: 0.01)
  var curve: (steps: [Double], train: [Double], validation: [Double]) = ([], [], [])
  for step in 1...steps {
    let (loss, gradient) = valueAndGrad({ squaredError($0(train.x), train.y) }, at: model)
    optimizer.update(&model, along: gradient, computing: [loss])
    guard step % 20 == 0 else { continue }
    curve.steps.append(Double(step))
    curve.train.append(loss.item())
    curve.validation.append(squaredError(model(validation.x), validation.y).item())
  }
  let least = curve.validation.min() ?? .nan
  table.add(
    ["\(width)", "\(model.parameterCount)"]
      + [curve.train.last ?? .nan, curve.validation.last ?? .nan, least].map { $0.digits(3) })
  figures.append(
    Chart("Width \(width): \(name)", x: "x", y: Axis("y", range: -2.5...2.5), width: 480)
      .scatter(x: train.x.numbers, y: train.y.numbers, name: "40 noisy points")
      .line(x: places.numbers, y: model(places).numbers, name: "network")
      .line(x: places.numbers, y: truth(places).numbers, name: "truth", dashed: true))
  figures.append(
    Chart("Loss", x: "step", y: Axis("mean squared error", scale: .log), width: 480)
      .line(x: curve.steps, y: curve.train, name: "training")
      .line(x: curve.steps, y: curve.validation, name: "validation")
      .rule(y: 0.35 * 0.35, name: "the noise"))
}
print(table)
try Lesson.show(FigureGrid(figures), as: "regression")
