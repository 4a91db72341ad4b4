import Tarn
import Testing

private struct Parameters: Module {
  var p0: Tensor
  var p1: Tensor
  var p2: Tensor

  init(_ tensor: (String) throws -> Tensor) rethrows {
    (p0, p1, p2) = (try tensor("p0"), try tensor("p1"), try tensor("p2"))
  }
}

/// Twenty steps along given gradients against PyTorch's.
private func optimizer<O: Optimizer>(
  _ name: String, _ make: @escaping @Sendable () -> O,
  _ clip: @escaping @Sendable (Parameters) -> Parameters = { $0 }
) -> Case {
  Case(name: name) {
    let goldens = try Goldens("optimizers")
    var model = try Parameters { try goldens("start", $0) }
    var optimizer = make()
    for step in 0..<20 {
      let gradient = try Parameters { try goldens("gradient", $0)[step] }
      optimizer.update(&model, along: clip(gradient))
      for (parameter, value) in model.parameters {
        expectClose(value, try goldens(name, parameter)[step], 1e-5, "\(parameter), step \(step)")
      }
    }
  }
}

private let optimizers: [Case] = [
  optimizer("sgd") { SGD(learningRate: 0.1) },
  optimizer("sgd_momentum") { SGD(learningRate: 0.1, momentum: 0.9) },
  optimizer("sgd_momentum_dampening") { SGD(learningRate: 0.1, momentum: 0.9, dampening: 0.5) },
  optimizer("sgd_nesterov") { SGD(learningRate: 0.1, momentum: 0.9, nesterov: true) },
  optimizer("sgd_decay") { SGD(learningRate: 0.1, weightDecay: 0.05) },
  optimizer("sgd_momentum_decay") { SGD(learningRate: 0.1, momentum: 0.9, weightDecay: 0.05) },
  optimizer("adagrad") { Adagrad(learningRate: 0.1) },
  optimizer("adagrad_lrdecay_start") { Adagrad(learningRate: 0.1, rateDecay: 0.1, initial: 0.5) },
  optimizer("adadelta") { Adadelta() },
  optimizer("adadelta_rho095") { Adadelta(learningRate: 0.5, rho: 0.95, weightDecay: 0.05) },
  optimizer("rmsprop") { RMSProp(learningRate: 0.01) },
  optimizer("rmsprop_momentum") { RMSProp(learningRate: 0.01, momentum: 0.9) },
  optimizer("rmsprop_centered") { RMSProp(learningRate: 0.01, centered: true) },
  optimizer("rmsprop_centered_momentum_decay") {
    RMSProp(learningRate: 0.01, alpha: 0.9, momentum: 0.9, centered: true, weightDecay: 0.05)
  },
  optimizer("adam") { Adam(learningRate: 0.01) },
  optimizer("adam_decay") { Adam(learningRate: 0.01, weightDecay: 0.05) },
  optimizer("adam_betas") { Adam(learningRate: 0.02, beta1: 0.8, beta2: 0.95, epsilon: 1e-6) },
  optimizer("adam_amsgrad") { Adam(learningRate: 0.01, amsgrad: true) },
  optimizer("adamw") { AdamW(learningRate: 0.01) },
  optimizer("adamw_decay01") { AdamW(learningRate: 0.01, weightDecay: 0.1) },
  optimizer("sgd_clipnorm2", { SGD(learningRate: 0.1) }, { $0.clipped(toNorm: 2).clipped }),
  optimizer("sgd_clipvalue05", { SGD(learningRate: 0.1) }, { $0.clipped(toValue: 0.5) }),
]

private struct Place: Module {
  var x: Tensor
}

private let functions: [String: @Sendable (Tensor) -> Tensor] = [
  "quadratic": { x in
    let a = Tensor.diagonal(of: Tensor([4, 5, 6, 7, 8] as [Double]))
    let beside = Tensor.diagonal(of: Tensor([1, 1, 1, 1] as [Double])).padded([(0, 1), (1, 0)])
    let matrix = a - beside - beside.transposed()
    return 0.5 * x.dot(matrix.matmul(x)) - x.dot(Tensor([1, 2, 3, 4, 5] as [Double]))
  },
  "rosenbrock": { x in (1 - x[0]).squared() + 100 * (x[1] - x[0].squared()).squared() },
]

@Suite struct OptimizerGoldenTests {
  @Test(arguments: optimizers) func optimizer(_ test: Case) throws { try test.run() }

  @Test func clipping() throws {
    let goldens = try Goldens("optimizers")
    let gradient = try Parameters { try goldens("gradient", $0)[0] }
    let (clipped, norm) = gradient.clipped(toNorm: 2)
    expectClose(norm, try goldens("clipnorm2", "norm"))
    for (name, tensor) in clipped.parameters { expectClose(tensor, try goldens("clipnorm2", name)) }
    for (name, tensor) in gradient.clipped(toValue: 0.5).parameters {
      expectClose(tensor, try goldens("clipvalue05", name))
    }
  }

  @Test(
    arguments: [
      ("lbfgs_quadratic", "quadratic", LBFGS()),
      ("lbfgs_quadratic_lr01_h3", "quadratic", LBFGS(learningRate: 0.1, historySize: 3)),
      ("lbfgs_quadratic_wolfe", "quadratic", LBFGS(lineSearch: .strongWolfe)),
      ("lbfgs_rosenbrock_wolfe", "rosenbrock", LBFGS(lineSearch: .strongWolfe)),
    ])
  func lbfgs(_ name: String, _ function: String, _ start: LBFGS) throws {
    let goldens = try Goldens("optimizers")
    let f = try #require(functions[function])
    for row in 0..<20 {
      var optimizer = start
      (optimizer.maxIterations, optimizer.maxEvaluations) = (row + 1, 1000)
      var place = Place(x: try goldens(name, "start"))
      optimizer.update(&place) { place in valueAndGrad({ f($0.x) }, at: place) }
      expectClose(place.x, try goldens(name, "x")[row], 1e-6, "place, row \(row)")
      expectClose(f(place.x), try goldens(name, "value")[row], 1e-6, "value, row \(row)")
    }
  }

  @Test func everyCaseIsTested() throws {
    let others: Set = [
      "start", "gradient", "clipnorm2", "clipvalue05", "lbfgs_quadratic", "lbfgs_quadratic_lr01_h3",
      "lbfgs_quadratic_wolfe", "lbfgs_rosenbrock_wolfe",
    ]
    #expect(try Goldens("optimizers").cases == Set(optimizers.map(\.name)).union(others))
  }
}
