// Three classes wound into one another: a model of layers, the training loop that comes with Tarn,
// and a look at the mistakes.
import Lesson
import Tarn

let spirals = Synthetic.spirals(900, classes: 3, turns: 0.9, noise: 0.04, seed: 1)
let (train, test) = spirals.split(fraction: 0.8, seed: 2)

var model = Initialization.seeded(4) {
  Sequential {
    Linear(2, 48)
    Tanh()
    Linear(48, 48)
    Tanh()
    Linear(48, 3)
  }
}

var options = TrainingOptions()
options.epochs = Lesson.amount(40, quick: 10)
options.batchSize = 48
options.optimizer = .adam
options.learningRate = 0.01

let history = try fit(&model, Classification(), train: train, validation: test, options: options)

print(
  TerminalChart("cross-entropy", height: 10, xLabel: "epoch")
    .line(history.values("loss"), name: "training")
    .line(history.values("validation_loss"), name: "unseen points"))

let names = ["blue", "orange", "green"]
let matrix = try confusion(model, on: test, classes: names)
print("\((100 * matrix.value).digits(1)) % of the unseen points are put into the right class")
print(
  TextTable(
    ["actual \\ taken for"] + names,
    zip(names, matrix.rows).map { name, row in [name] + row.map(String.init) }))

let plane = Plane(x: -1.2...1.2, y: -1.2...1.2, columns: 120, rows: 120)
let answers = model(plane.points).softmax()
var map = plane.decisionMap("Three spirals", answers, data: try test.all())
map.classNames = names
try Lesson.show(FigureGrid([map, matrix.figure]), as: "multi-class")
