import Foundation
import TarnCore
import TarnData
import TarnNN
import TarnTrain
import Testing

struct FitTests {
  @Test func learnsToTellCloudsApart() throws {
    var model = Problem.model()
    var options = Problem.options
    options.epochs = 10
    let before = try evaluate(model, Classification(), on: Problem.otherClouds)
    let history = try fit(
      &model, Classification(), train: Problem.clouds, validation: Problem.otherClouds,
      options: options)
    let after = try evaluate(model, Classification(), on: Problem.otherClouds)
    #expect(try #require(after["loss"]) < 0.5 * #require(before["loss"]))
    #expect(after["accuracy"] == 1)
    #expect(history.epochs.count == 10)
    #expect(history.steps == 70)
    #expect(history.stopReason == .finished)
    #expect(history.values("validation_accuracy").last == 1)
    #expect(history.epochs.last?.largestWeights.map(\.name) == model.parameters.map(\.name))
  }

  @Test func learnsALine() throws {
    let data = Synthetic.linear(60, weights: [2, -1], bias: 1, noise: 0.01, seed: 4)
    var model = Initialization.seeded(1) { LinearClassifier(inputShape: [2], classes: 1) }
    var options = Problem.options
    options.epochs = 30
    options.learningRate = 0.1
    let history = try fit(&model, Regression(), train: data, options: options)
    let weight = model.linear.weight.array(of: Float.self)
    #expect(abs(weight[0] - 2) < 0.05 && abs(weight[1] + 1) < 0.05)
    #expect(try #require(history.values("r2").last) > 0.99)
  }

  @Test func figuresAreThoseOfTheWholeSet() throws {
    let model = Problem.model()
    let whole = Problem.wholeClouds
    let logits = model(whole.features)
    let labels = whole.labels.array(of: Int.self)
    let guesses = logits.argMax(axis: -1).array(of: Int.self)
    let expected = Double(zip(labels, guesses).count { $0 == $1 }) / 50
    // 50 is no multiple of 8: the last batch must count by its size.
    let figures = try evaluate(model, Classification(topK: 2), on: Problem.clouds, batchSize: 8)
    #expect(abs(try #require(figures["accuracy"]) - expected) < 1e-12)
    #expect(abs(try #require(figures["loss"]) - crossEntropy(logits, whole.labels).item()) < 1e-5)
    let best2 = logits.topK(2).indices.array(of: Int.self)
    let hits = labels.indices.count { place in
      best2[(2 * place)..<(2 * place + 2)].contains(labels[place])
    }
    #expect(figures["top2"] == Double(hits) / 50)
    let matrix = try confusion(model, on: Problem.clouds, classes: ["a", "b", "c"], batchSize: 8)
    #expect(matrix.total == 50)
    #expect(abs(matrix.value - expected) < 1e-12)
  }

  @Test func regressionFiguresFollowTheirFormulae() throws {
    let y: [Float] = [1001, 1002, 1003, 1006]
    let data = TensorSource(
      features: Tensor([0, 1, 2, 3] as [Float], shape: [4, 1]), labels: Tensor(y, shape: [4, 1]))
    var model = LinearClassifier(inputShape: [1], classes: 1)
    model.linear.weight = Tensor([[1]] as [[Float]])
    model.linear.bias = Tensor([1001] as [Float])
    let figures = try evaluate(model, Regression(), on: data, batchSize: 3)
    #expect(figures["mae"] == 0.5)
    #expect(figures["rmse"] == 1)
    // Σ(y − ȳ)² = 14 with ȳ = 1003; single precision would lose it in Σy².
    #expect(abs(try #require(figures["r2"]) - (1 - 4.0 / 14)) < 1e-9)
  }

  @Test func predictsInOrderAndInInference() throws {
    let model = Problem.model(dropout: 0.9)
    let expected = model(Problem.wholeClouds.features)
    let fromSource = try predict(model, on: Problem.clouds, batchSize: 7)
    let fromTensor = predict(model, features: Problem.wholeClouds.features, batchSize: 7)
    #expect(fromSource.isClose(to: expected))
    #expect(fromTensor.isClose(to: expected))
  }

  @Test func frozenParametersStay() throws {
    var model = Problem.model()
    let before = model.bits
    var options = Problem.options
    options.optimizer = .adamw
    options.weightDecay = 0.1
    options.training = .except("layers.0")
    try fit(&model, Classification(), train: Problem.clouds, options: options)
    let after = model.bits
    #expect(after["layers.0.weight"] == before["layers.0.weight"])
    #expect(after["layers.1.weight"] != before["layers.1.weight"])
  }

  @Test func clippingBoundsTheStep() throws {
    var options = Problem.options
    options.epochs = 1
    options.optimizer = .sgd
    options.learningRate = 1
    options.clipNorm = 1e-3
    var model = Problem.model()
    let before = model
    try fit(&model, Classification(), train: Problem.clouds, options: options)
    let moved = (model - before).norm().item()
    #expect(moved > 0 && moved <= 7 * 1.01e-3)
  }

  @Test func nothingToTrainOnIsSaid() {
    var model = Problem.model()
    #expect(throws: TrainingError.self) {
      try fit(&model, Classification(), train: Problem.clouds.take(0), options: Problem.options)
    }
  }

  @Test func theSameSeedGivesTheSameBits() throws {
    func bits(_ seed: UInt64) throws -> [String: [UInt8]] {
      var model = Problem.model(dropout: 0.3)
      var options = Problem.options
      options.seed = seed
      try fit(&model, Classification(), train: Problem.clouds, options: options)
      return model.bits
    }
    #expect(try bits(1) == bits(1))
    #expect(try bits(1) != bits(2))
  }

  /// Rebuilds its input; the examples are bare tensors.
  private struct Rebuilding: TrainingTask {
    func count(_ x: Tensor) -> Int { x.shape[0] }
    func output(_ model: Linear, _ x: Tensor) -> Tensor { model(x) }
    func loss(_ output: Tensor, _ x: Tensor) -> Tensor { (output - x).squared().mean() }
    func sums(_ output: Tensor, _ x: Tensor) -> [String: Tensor] { ["total": output.sum()] }
    func metrics(_ totals: Totals) -> [String: Double] {
      ["mean": totals["total"] / Double(totals.count)]
    }
  }

  @Test func tasksOfOnesOwn() throws {
    let data = Rows(Problem.wholeClouds.features).batched(16, sampler: .shuffled(seed: 1))
    var model = Initialization.seeded(1) { Linear(2, 2) }
    var options = Problem.options
    options.epochs = 60
    options.learningRate = 0.05
    let history = try fit(&model, Rebuilding(), train: data, options: options)
    #expect(try #require(history.values("loss").last) < 0.01)
    let expected = predict(model, features: Problem.wholeClouds.features).sum().item() / 50
    let figures = try evaluate(model, Rebuilding(), on: data)
    #expect(abs(try #require(figures["mean"]) - expected) < 1e-4)
  }

  @Test func mistakesInTheModelAreThrownAtOnce() {
    var model = MLP(inputShape: [3], hidden: [4], classes: 3)
    let rates = Rates()
    #expect(throws: Diagnostic.self) {
      try Diagnostic.catching {
        _ = try fit(
          &model, Classification(), train: Problem.clouds, options: Problem.options,
          callbacks: [rates])
      }
    }
    #expect(rates.rates.isEmpty)
  }
}
