import Tarn
import Testing

private typealias Loss = @Sendable (Tensor, Tensor, Goldens, LossReduction) throws -> Tensor

/// Value and gradient of a loss under each reduction against PyTorch's.
private func loss(_ name: String, _ f: @escaping Loss) -> Case {
  Case(name: name) {
    let goldens = try Goldens("losses")
    let (input, target) = (try goldens(name, "input"), try goldens(name, "target"))
    for reduction in [LossReduction.mean, .sum, .none, .batchMean] {
      let what = reduction == .batchMean ? "batchmean" : reduction.rawValue
      guard let expected = goldens.optional(name, "\(what).value") else {
        #expect(reduction == .batchMean)
        continue
      }
      let (value, pullback) = try vjp({ try f($0, target, goldens, reduction) }, at: input)
      expectClose(value, expected, 2e-5, what)
      let upstream = goldens.optional(name, "\(what).grad_output") ?? .ones(like: value)
      expectClose(
        pullback(upstream), try goldens(name, "\(what).grad_input"), 2e-5, "gradient, \(what)")
    }
  }
}

private func entropy(
  _ name: String, weighted: Bool = false, smoothing: Double = 0, ignoring: Int? = nil
) -> Case {
  loss(name) { x, t, goldens, reduction in
    let weights = weighted ? try goldens(name, "weight") : nil
    return crossEntropy(
      x, t, weights: weights, smoothing: smoothing, ignoring: ignoring, reduction: reduction)
  }
}

private let losses: [Case] = [
  loss("l1") { absoluteError($0, $1, reduction: $3) },
  loss("mse") { squaredError($0, $1, reduction: $3) },
  loss("huber_1") { huber($0, $1, reduction: $3) },
  loss("huber_05") { huber($0, $1, delta: 0.5, reduction: $3) },
  loss("smoothl1_1") { smoothL1($0, $1, reduction: $3) },
  loss("smoothl1_05") { smoothL1($0, $1, beta: 0.5, reduction: $3) },
  loss("bce") { binaryCrossEntropy(probabilities: $0, $1, reduction: $3) },
  loss("bce_soft") { binaryCrossEntropy(probabilities: $0, $1, reduction: $3) },
  loss("bcewithlogits") { binaryCrossEntropy(logits: $0, $1, reduction: $3) },
  loss("bcewithlogits_posweight") { x, t, goldens, reduction in
    let weight = try goldens("bcewithlogits_posweight", "pos_weight")
    return binaryCrossEntropy(logits: x, t, positiveWeight: weight, reduction: reduction)
  },
  loss("bcewithlogits_far") { binaryCrossEntropy(logits: $0, $1, reduction: $3) },
  entropy("crossentropy"),
  entropy("crossentropy_probabilities"),
  entropy("crossentropy_smooth01", smoothing: 0.1),
  entropy("crossentropy_weight", weighted: true),
  entropy("crossentropy_weight_smooth01", weighted: true, smoothing: 0.1),
  entropy("crossentropy_ignore", ignoring: -100),
  entropy("crossentropy_ignore_2", ignoring: 2),
  entropy("crossentropy_ignore_weight_smooth01", weighted: true, smoothing: 0.1, ignoring: -100),
  entropy("crossentropy_image"),
  entropy("crossentropy_far"),
  loss("nll") { negativeLogLikelihood(logProbabilities: $0, $1, reduction: $3) },
  loss("nll_weight") { x, t, goldens, reduction in
    let weights = try goldens("nll_weight", "weight")
    return negativeLogLikelihood(logProbabilities: x, t, weights: weights, reduction: reduction)
  },
  loss("softmargin") { logistic($0, $1, reduction: $3) },
  loss("hinge") { hinge($0, $1, reduction: $3) },
  loss("multimargin") { multiClassHinge($0, $1, reduction: $3) },
  loss("kldiv") { klDivergence(logProbabilities: $0, $1, reduction: $3) },
]

@Suite struct LossGoldenTests {
  @Test(arguments: losses) func loss(_ test: Case) throws { try test.run() }

  @Test func everyCaseIsTested() throws {
    #expect(try Goldens("losses").cases == Set(losses.map(\.name)))
  }
}

@Suite struct LossTests {
  let logits = Tensor([0.2, -1.5, 0.7, 1.1, 0.3, -0.4] as [Double], shape: [2, 3])
  let labels = Tensor([2, 0] as [Int64])

  @Test func crossEntropyToSecondOrder() {
    let labels = labels
    let check = checkGradients({ crossEntropy($0[0], labels) }, at: [logits], order: 2)
    #expect(check.passed, "\(check)")
    let probabilities = checkGradients(
      { binaryCrossEntropy(probabilities: $0[0].sigmoid(), $0[1]) },
      at: [logits, .full([2, 3], 0.3, dtype: .float64)])
    #expect(probabilities.passed, "\(probabilities)")
  }

  @Test func crossEntropyPerExample() {
    let gradients = vmap(over: Pair(logits.expandedDims(1), labels.expandedDims(1))) { example in
      grad({ crossEntropy($0, example.second) }, at: example.first)
    }
    let batch = grad({ crossEntropy($0, labels, reduction: .sum) }, at: logits)
    expectClose(gradients.squeezed(1), batch, 1e-12)
  }

  @Test func predictionsBesideTargetsWithAnotherAxis() {
    let message = diagnostic { _ = squaredError(.zeros([4, 1]), .zeros([4])) }
    #expect(message?.hint == "the predictions' last axis has length 1: call .squeezed(-1) on them")
  }

  @Test func labelsThatAreNoClasses() {
    let past = diagnostic { _ = crossEntropy(logits, Tensor([3, 0] as [Int64])) }
    #expect(past?.reason == "there is a label 3 and classes are 0…2")
    #expect(past?.hint == "classes are numbered 0 to 2; if yours begin at 1, subtract 1")
    let padding = diagnostic { _ = crossEntropy(logits, Tensor([-100, 0] as [Int64])) }
    #expect(padding?.hint == "pass ignoring: -100 to leave such examples out")
    let floating = diagnostic { _ = crossEntropy(logits, Tensor([1, 0] as [Float])) }
    #expect(floating?.hint?.contains(".cast(to: .int64)") == true)
    let column = diagnostic { _ = crossEntropy(logits, labels.expandedDims(-1)) }
    #expect(column?.hint == "call .squeezed(-1) on the labels")
  }

  @Test func share() {
    #expect(zeroOne(logits, Tensor([2, 1] as [Int64])).item() == 0.5)
    #expect(
      zeroOne(Tensor([0.2, 0.9, 0.5]), Tensor([0, 1, 0] as [Int64]), reduction: .sum).item() == 1)
  }

  @Test func penalties() {
    let model = Linear(2, 2).mapParameters { name, w in .full(w.shape, name == "bias" ? -3 : 2) }
    #expect(l1Penalty(model).item() == 14)
    #expect(l2Penalty(model, "weight").item() == 16)
    #expect(totalVariation(Tensor([1, 3, 2, 7] as [Float], shape: [1, 2, 2])).item() == 12)
  }
}

/// The first mistake reported in `body`.
func diagnostic(_ body: () throws -> Void) -> Diagnostic? {
  do {
    try Diagnostic.catching { try body() }
    return nil
  } catch { return error as? Diagnostic }
}

@Suite struct SingleExampleTests {
  @Test func perExampleGradientsOfAClassifierEqualALoop() {
    let model = Initialization.seeded(4) { Linear(3, 4) }
    let x = Tensor((0..<15).map { Float($0 % 7) / 3 - 1 }, shape: [5, 3])
    let y = Tensor([0, 3, 2, 2, 1])
    let losses: [@Sendable (Tensor, Tensor) -> Tensor] = [
      { crossEntropy($0, $1) }, { negativeLogLikelihood(logProbabilities: $0.logSoftmax(), $1) },
      { multiClassHinge($0, $1) },
    ]
    for loss in losses {
      let together = vmap(over: Pair(x, y)) { example in
        grad({ loss($0(example.first), example.second) }, at: model)
      }
      for i in 0..<5 {
        let alone = grad({ loss($0(x[i..<(i + 1)]), y[i..<(i + 1)]) }, at: model)
        #expect(together.weight[i].isClose(to: alone.weight, relative: 1e-5, absolute: 1e-6))
      }
    }
  }
}
