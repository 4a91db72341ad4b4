// Gradient descent, all of it: stand somewhere, feel which way the ground falls, take a small step.
import Lesson
import Tarn

/// A bowl whose lowest point is (3, -2).
func f(_ x: Tensor) -> Tensor { (x[0] - 3).squared() + (x[1] + 2).squared() }

let rate = 0.1
var x = Tensor([0, 0] as [Float])
var path = [x.numbers]

for step in 0..<15 {
  x -= rate * grad(f, at: x)
  path.append(x.numbers)
  print("step \(step)  x = (\(path[step + 1].map { $0.digits(6) }.joined(separator: ", ")))")
}
// Each step leaves 1 - 2 · rate = 0.8 of the way to go, so after n steps x₀ = 3 (1 - 0.8ⁿ).

let plane = Plane(x: -1...5, y: -4.5...1)
let map = plane.heatMap("Down into the bowl", vmap(over: plane.points, f))
  .trail(x: path.map { $0[0] }, y: path.map { $0[1] })
try Lesson.show(map, as: "bowl")
