import TarnCore
import TarnData
import TarnModels
import TarnNN
import TarnTrain
import Testing

/// Two linear layers one after the other, with a classifier behind the first.
private struct Halfway: AuxiliaryClassifying {
  static let auxiliaryShare = 0.25
  var first = Linear(2, 8)
  var last = Linear(8, 3)
  var aside: Linear? = Linear(8, 3)

  var hasAuxiliaries: Bool { aside != nil }
  func callAsFunction(_ x: Tensor) -> Tensor { last(first(x).tanh()) }
  func allLogits(_ x: Tensor) -> [Tensor] {
    let y = first(x).tanh()
    return [last(y)] + (aside.map { [$0(y)] } ?? [])
  }
}

struct AuxiliaryTests {
  private static func model() -> Halfway { Initialization.seeded(3) { Halfway() } }

  @Test func lossesAreAddedInTrainingOnly() {
    let (model, task) = (Self.model(), AuxiliaryClassification<Halfway>())
    let batch = Problem.wholeClouds
    let outputs = model.allLogits(batch.features)
    let parts = outputs.map { crossEntropy($0, batch.labels).item() }
    let trained = Phase.training(key: RandomKey(seed: 1)) {
      task.loss(task.output(model, batch), batch)
    }
    #expect(abs(trained.item() - (parts[0] + 0.25 * parts[1])) < 1e-5)
    let told = Phase.inference { task.loss(task.output(model, batch), batch) }
    #expect(abs(told.item() - parts[0]) < 1e-6)
    var without = model
    without.aside = nil
    let plain = Phase.training(key: RandomKey(seed: 1)) {
      task.loss(task.output(without, batch), batch)
    }
    #expect(abs(plain.item() - parts[0]) < 1e-6)
  }

  @Test func classifiersOnTheWayAreTrained() throws {
    var model = Self.model()
    let before = try evaluate(model, AuxiliaryClassification(), on: Problem.otherClouds)
    var options = Problem.options
    options.epochs = 10
    try fit(&model, AuxiliaryClassification(), train: Problem.clouds, options: options)
    let after = try evaluate(model, AuxiliaryClassification(), on: Problem.otherClouds)
    #expect(try #require(after["loss"]) < 0.5 * (try #require(before["loss"])))
    let aside = try #require(model.aside)
    let logits = aside(model.first(Problem.wholeClouds.features).tanh())
    #expect(accuracy(logits, Problem.wholeClouds.labels).item() > 0.9)
    // The plain task leaves them as they were.
    var other = Self.model()
    try fit(&other, Classification(), train: Problem.clouds, options: options)
    let still = try #require(other.aside).weight - (try #require(Self.model().aside)).weight
    #expect(still.abs().max().item() == 0)
  }

  @Test(arguments: [true, false]) func cardsSayWhetherThereAreSome(has: Bool) throws {
    for kind in ["googlenet", "inception-v3"] {
      var card = ModelCard(kind: kind, inputShape: [3, 96, 96], classes: 4)
      card.hasAuxiliaries = has
      let model = try #require(try card.model(seed: nil) as? any AuxiliaryClassifying)
      #expect(model.hasAuxiliaries == has)
      #expect(model.auxiliariesTake([3, 96, 96]) == (kind == "googlenet" || !has))
    }
  }

  @Test func cardsKeepTheVariant() throws {
    var card = ModelCard(kind: "mobilenet-v1-0.25", inputShape: [3, 32, 32], classes: 4)
    card.variant = NetworkVariant(isFolded: true)
    #expect(try card.model(seed: nil) is FoldedMobileNetV1)
  }
}
