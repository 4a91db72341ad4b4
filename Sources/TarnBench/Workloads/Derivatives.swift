import Tarn

/// Derivatives beyond a gradient.
let derivatives: [Workload] = [
  Workload("hvp-lenet-b256", "Hessian of LeNet's loss times a direction, 256 examples") {
    let model = LeNet().evaluated()
    let direction = model.mapParameters { name, w in
      .normal(w.shape, key: RandomKey(seed: UInt64(name.utf8.count + w.count)))
    }.evaluated()
    let arguments = Pair(Pair(model, direction), batches(1, 256, 1, 28, 28, classes: 10)[0])
    let f = compile { (a: Pair<Pair<LeNet, LeNet>, Examples>) in
      hvp(
        { crossEntropy($0(a.second.first), a.second.second) }, at: a.first.first,
        along: a.first.second)
    }
    return { _ = f(arguments) }
  },
  Workload("per-sample-grad-mlp-b64", "784-128-10, the gradient of each of 64 examples") {
    let model = Sequential {
      Linear(784, 128)
      ReLU()
      Linear(128, 10)
    }.evaluated()
    let arguments = Pair(model, batches(1, 64, 784, classes: 10)[0])
    let f = compile { (a: Pair<Sequential<Linear, ReLU, Linear>, Examples>) in
      vmap(over: a.second) { one in
        grad(
          { crossEntropy($0(one.first.expandedDims(0)), one.second.expandedDims(0)) }, at: a.first)
      }
    }
    return { _ = f(arguments) }
  },
]
