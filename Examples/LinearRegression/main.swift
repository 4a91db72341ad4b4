// A line through points, found by going downhill on the mean squared error, a few points at a time.
import Lesson
import Tarn

// 120 points near y = 2x + 0.9.
let x = Tensor.linspace(from: 0, to: 3, count: 120)
let y = 2 * x + 0.9 + 0.5 * Tensor.normal([120], key: RandomKey(seed: 55))
let batches = TensorSource(features: x, labels: y).batched(4, sampler: .shuffled(seed: 55))

/// A line: the parameters are its slope and where it starts.
struct Line: Module {
  var w = Tensor(100)
  var b = Tensor(0)
  func callAsFunction(_ x: Tensor) -> Tensor { w * x + b }
}

var line = Line()
let rate = 0.1
var losses: [Double] = []

for epoch in 0..<10 {
  try batches.epoch(epoch).forEach { batch in
    let (loss, slope) = valueAndGrad(
      { line in (line(batch.features) - batch.labels).squared().mean() }, at: line)
    line = (line - rate * slope).evaluated()
    losses.append(loss.item())
  }
  let last = losses[losses.count - 1]
  print("epoch \(epoch)  last batch loss \(last.digits(4))")
}
print("y = \(line.w.item().digits(3)) x + \(line.b.item().digits(3))")

// The least squares solution in one step, to compare with: solve AᵀA [w, b] = Aᵀy.
let a = Tensor.stacked([x, .ones([120])], axis: 1)
let best = a.transposed().matmul(a).solve(a.transposed().matmul(y))
print("least squares gives w = \(best[0].item().digits(3)), b = \(best[1].item().digits(3))")

let ends = Tensor([0, 3] as [Float])
let fit = Chart("A line by gradient descent", x: "x", y: "y")
  .scatter(x: x.numbers, y: y.numbers, name: "data")
  .line(x: [0, 3], y: line(ends).numbers, name: "fitted line")
  .line(x: [0, 3], y: (2 * ends + 0.9).numbers, name: "2x + 0.9", dashed: true)
let curve = Chart("Loss of each batch", x: "step", y: Axis("mean squared error", scale: .log))
  .line(losses)
try Lesson.show(FigureGrid([fit, curve]), as: "linear-regression")
