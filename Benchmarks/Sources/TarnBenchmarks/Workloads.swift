import Tarn

/// A named piece of work; `make` prepares it and gives what is timed.
struct Workload: Sendable {
  let name: String
  let make: @Sendable () -> () -> Void
}

/// A chain of small operations: what recording costs, and what a run of the same structure costs after it.
private func chain(_ count: Int, from x: Tensor, _ a: Tensor) -> Tensor {
  var y = x
  for step in 0..<(count / 2) {
    y = y + a
    y = step % 2 == 0 ? y * 2 : y.tanh()
  }
  return y
}

let workloads: [Workload] =
  [
    Workload(name: "record-10000-ops") {
      let (x, a) = (Tensor([0.5 as Float]).evaluate(), Tensor([0.25 as Float]).evaluate())
      return { _ = chain(10_000, from: x, a) }
    },
    Workload(name: "record-and-replay-10000-ops") {
      let (x, a) = (Tensor([0.5 as Float]).evaluate(), Tensor([0.25 as Float]).evaluate())
      return { chain(10_000, from: x, a).evaluate() }
    },
    Workload(name: "matmul-512") {
      let x = Tensor.uniform([512, 512], key: RandomKey(seed: 1)).evaluate()
      return { x.matmul(x).evaluate() }
    },
    Workload(name: "linear-64x784x512") {
      let x = Tensor.uniform([64, 784], key: RandomKey(seed: 1)).evaluate()
      let layer = Linear(784, 512).evaluated()
      return { layer(x).evaluate() }
    },
    Workload(name: "elementwise-chain-10m") {
      let keys = RandomKey(seed: 1).split(4).map {
        Tensor.uniform([10_000_000], key: $0).evaluate()
      }
      return { ((keys[0] * keys[1] + keys[2]).relu() + keys[3]).evaluate() }
    },
    Workload(name: "softmax-4096x1000") {
      let x = Tensor.uniform([4096, 1000], key: RandomKey(seed: 1)).evaluate()
      return { x.softmax().evaluate() }
    },
    Workload(name: "sum-axis0-4096x4096") {
      let x = Tensor.uniform([4096, 4096], key: RandomKey(seed: 1)).evaluate()
      return { x.sum(0).evaluate() }
    },
    Workload(name: "mlp-train-b64") {
      var model = Sequential {
        Linear(784, 512)
        ReLU()
        Linear(512, 512)
        ReLU()
        Linear(512, 10)
      }
      var optimizer = Adam(learningRate: 1e-3)
      let x = Tensor.uniform([64, 784], key: RandomKey(seed: 1)).evaluate()
      let y = Tensor.randomIntegers([64], in: 0..<10, key: RandomKey(seed: 2)).evaluate()
      return {
        let (loss, gradient) = valueAndGrad({ crossEntropy($0(x), y) }, at: model)
        optimizer.update(&model, along: gradient, computing: [loss])
      }
    },
    Workload(name: "lenet-train-b128") {
      var model = LeNet()
      var optimizer = SGD(learningRate: 0.01, momentum: 0.9)
      let x = Tensor.uniform([128, 1, 28, 28], key: RandomKey(seed: 1)).evaluate()
      let y = Tensor.randomIntegers([128], in: 0..<10, key: RandomKey(seed: 2)).evaluate()
      return {
        let (loss, gradient) = valueAndGrad({ crossEntropy($0(x), y) }, at: model)
        optimizer.update(&model, along: gradient, computing: [loss])
      }
    },
  ] + recurrentWorkloads
