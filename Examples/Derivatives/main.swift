// Derivatives are functions of functions. A tour.
import Lesson
import Tarn

// 1. A derivative is a function again, so it can be differentiated again.
func f(_ x: Tensor) -> Tensor { (-x.squared()).exp() * (3 * x).sin() }
func df(_ x: Tensor) -> Tensor { grad(f, at: x) }
func ddf(_ x: Tensor) -> Tensor { grad(df, at: x) }
let one = Tensor([1.0], shape: [])
print(
  "f(1) = \(f(one).item().digits(5)), f' = \(df(one).item().digits(5)), f'' = \(ddf(one).item().digits(5))"
)

// vmap turns a function of one number into one of many, without a loop.
let xs = Tensor.linspace(from: -2, to: 2, count: 201)
let chart = Chart("f(x) = exp(-x²) sin 3x", x: "x")
  .line(x: xs.numbers, y: f(xs).numbers, name: "f")
  .line(x: xs.numbers, y: vmap(over: xs, df).numbers, name: "f′")
  .line(x: xs.numbers, y: vmap(over: xs, ddf).numbers, name: "f″")
try Lesson.show(chart, as: "derivatives")

// 2. The curvature of Rosenbrock's valley at its lowest point, whole and along one direction.
func valley(_ x: Tensor) -> Tensor {
  (1 - x[0]).squared() + 100 * (x[1] - x[0].squared()).squared()
}
let lowest = Tensor([1, 1] as [Double])
let h = hessian(valley, at: lowest)
print("Hessian\n\(h)\nits eigenvalues \(h.symmetricEigen().values)")
let along = Tensor([1, 2] as [Double])
print("along the valley, without the matrix: \(hvp(valley, at: lowest, along: along))")

// 3. Per-example gradients: the gradient of every example's own loss, at once.
let (points, noise) = RandomKey(seed: 1).split()
let inputs = Tensor.normal([6, 3], key: points)
let targets = inputs.sum(1) + Tensor.normal([6], key: noise)
let w = Tensor([1, 0, -1] as [Float])
func loss(_ w: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor { (x.matmul(w) - y).squared().mean() }
let each = vmap(over: Pair(inputs, targets)) { example in
  grad({ loss($0, example.first, example.second) }, at: w)
}
print("norms of six gradients: \(each.norm(axes: [1]))")
let whole = grad({ loss($0, inputs, targets) }, at: w)
print("their mean is the gradient of the batch: \(each.mean(0).isClose(to: whole, absolute: 1e-6))")

// 4. A derivative of your own: rounding is flat everywhere, so pretend that its slope is 1.
func rounded(_ x: Tensor) -> Tensor {
  customDerivative([x], { $0[0].round() }, vjp: { _, _, slope in [slope] })
}
let values = Tensor([0.2, 1.7, -2.4] as [Float])
print("slope of Σ round(x)²: \(grad({ $0.round().squared().sum() }, at: values))")
print("straight through:     \(grad({ rounded($0).squared().sum() }, at: values))")

// 5. Memory or time: a checkpointed block computes its inner values again in the backward pass.
let mix = Tensor.eye(64) + 0.1
let block = { (x: Tensor) in (0..<4).reduce(x) { y, _ in y.matmul(mix).tanh() } }
let start = Tensor.ones([64, 64]) / 64
let plain = grad({ block(block(block(block($0)))).sum() }, at: start)
let thrifty = grad({ (0..<4).reduce($0) { y, _ in checkpointed(block)(y) }.sum() }, at: start)
for (name, slope) in [("plain", plain), ("checkpointed", thrifty)] {
  print("\(name) gradient: \(slope.dump().split(separator: "\n").last ?? "")")
}
print("they are the same: \(thrifty.isClose(to: plain))")

// 6. What will run: operations are recorded first, simplified and fused, then computed.
let slope = grad({ ($0.matmul(.ones([3, 2])) + 1).relu().sum() }, at: Tensor.ones([4, 3]))
print("the gradient of a layer runs as\n\(slope.dump())")
let graph = GraphDrawing(of: df(one), title: "The derivative of exp(-x²) sin 3x, as recorded")
try Lesson.show(graph, as: "derivatives-graph")
