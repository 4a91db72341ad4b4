import Tarn

/// Single operations, as a compiled function.
let operations: [Workload] =
  [512, 1024, 2048].map { size in
    Workload(
      "matmul-\(size)", "product of two square matrices",
      gigaOperations: giga(2 * size * size * size)
    ) {
      let arguments = Pair(random(size, size), random(size, size, seed: 2))
      let f = compile { (x: Pair<Tensor, Tensor>) in x.first.matmul(x.second) }
      return { _ = f(arguments) }
    }
  }
  + [
    linear("linear-64x784x512", rows: 64), linear("gemv-1x784x512", rows: 1),
    Workload(
      "elementwise-chain-10m", "relu(1.5 x + 0.1) + z, 10 million numbers", gigaBytes: 0.12
    ) {
      let arguments = Pair(random(10_000_000), random(10_000_000, seed: 2))
      let f = compile { (x: Pair<Tensor, Tensor>) in (1.5 * x.first + 0.1).relu() + x.second }
      return { _ = f(arguments) }
    },
    Workload(
      "softmax-4096x1000", "softmax of 4096 rows of 1000",
      gigaBytes: giga(2 * 4 * 4096 * 1000)
    ) {
      let x = random(4096, 1000)
      let f = compile { (x: Tensor) in x.softmax(axis: 1) }
      return { _ = f(x) }
    },
    Workload(
      "layernorm-4096x768", "layer normalisation of 4096 rows of 768",
      gigaBytes: giga(2 * 4 * 4096 * 768)
    ) {
      let x = random(4096, 768)
      let layer = LayerNorm(768).evaluated()
      let f = compile { (x: Tensor) in layer(x) }
      return { _ = f(x) }
    },
    Workload(
      "sum-axis0-4096x4096", "sums of the columns of a 4096×4096 matrix",
      gigaBytes: giga(4 * 4096 * 4096)
    ) {
      let x = random(4096, 4096)
      let f = compile { (x: Tensor) in x.sum(0) }
      return { _ = f(x) }
    },
  ]

private func linear(_ name: String, rows: Int) -> Workload {
  Workload(
    name, "a linear layer from 784 to 512 on \(rows) \(rows == 1 ? "row" : "rows")",
    gigaOperations: giga(2 * rows * 784 * 512)
  ) {
    let x = random(rows, 784)
    let layer = Linear(784, 512).evaluated()
    let f = compile { (x: Tensor) in layer(x) }
    return { _ = f(x) }
  }
}
