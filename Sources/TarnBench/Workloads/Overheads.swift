import Tarn

/// What small operations cost: recording, and a step of a plan.
let overheads: [Workload] = [
  Workload(
    "matmul-32-in-step", "one of 200 products of 32×32 matrices, each of the one before",
    gigaOperations: giga(2 * 32 * 32 * 32), units: 200
  ) {
    // An orthogonal matrix keeps the numbers as large as they are.
    let turn = Initializer.orthogonal().tensor([32, 32], key: RandomKey(seed: 2))
    let arguments = Pair(random(32, 32), turn)
    let f = compile { (a: Pair<Tensor, Tensor>) in
      (0..<200).reduce(a.first) { y, _ in y.matmul(a.second) }
    }
    return { _ = f(arguments) }
  },
  Workload(
    "relu-1024-in-step", "one of 200 rectifiers of 1024 numbers each", units: 200
  ) {
    let arguments = (0..<200).map { random(1024, seed: UInt64($0)) }
    let f = compile { (x: [Tensor]) in x.map { $0.relu() } }
    return { _ = f(arguments) }
  },
  Workload("record-10000-ops", "recording 10,000 small operations") {
    let (x, a) = (Tensor([0.5 as Float]).evaluate(), Tensor([0.25 as Float]).evaluate())
    return { _ = chain(10_000, from: x, a) }
  },
  Workload("record-and-replay-10000-ops", "recording 10,000 small operations and running them") {
    let (x, a) = (Tensor([0.5 as Float]).evaluate(), Tensor([0.25 as Float]).evaluate())
    return { chain(10_000, from: x, a).evaluate() }
  },
]

private func chain(_ count: Int, from x: Tensor, _ a: Tensor) -> Tensor {
  var y = x
  for step in 0..<(count / 2) {
    y = y + a
    y = step % 2 == 0 ? y * 2 : y.tanh()
  }
  return y
}
