import Foundation
import TarnCore
import TarnData
import TarnModels
import TarnNN
import TarnTrain
import Testing

struct ModelTests {
  @Test func shapesAreThoseOfTheCards() throws {
    for kind in ModelCard.kinds {
      for input in [[1, 28, 28], [1, 8, 8], [3, 32, 32], [1, 4, 9]] {
        let model = try ModelCard(kind: kind, inputShape: input, classes: 7).model(seed: 1)
        #expect(model(Tensor.zeros([2] + input)).shape == [2, 7], "\(kind) \(input)")
      }
    }
  }

  @Test func leNetIsTheOneOfThePaper() {
    let model = LeNet()
    let shapes = model.parameters.map { "\($0.name) \($0.tensor.shape)" }
    #expect(
      shapes == [
        "conv1.weight [6, 1, 5, 5]", "conv1.bias [6]", "conv2.weight [16, 6, 5, 5]",
        "conv2.bias [16]",
        "fc1.weight [120, 400]", "fc1.bias [120]", "fc2.weight [84, 120]", "fc2.bias [84]",
        "fc3.weight [10, 84]", "fc3.bias [10]",
      ])
    #expect(model.parameterCount == 61_706)
    #expect(LeNet(inputShape: [1, 8, 8]).conv2.weight.shape == [16, 6, 3, 3])
  }

  @Test func cardsAreKeptAndSeedsDecide() throws {
    let card = ModelCard(
      kind: "mlp", inputShape: [1, 8, 8], classes: 10, hidden: [16, 8], activation: .tanh,
      dropout: 0.1)
    let again = try JSONDecoder().decode(ModelCard.self, from: JSONEncoder().encode(card))
    #expect(again == card)
    let models = try [1, 1, 2].map { try again.model(seed: $0) as? MLP }
    #expect(models[0]?.bits == models[1]?.bits)
    #expect(models[0]?.bits != models[2]?.bits)
    #expect(models[0]?.activation == .tanh)
  }

  @Test(arguments: [
    ModelCard(kind: "lenet", inputShape: [64], classes: 10),
    ModelCard(kind: "lenet", inputShape: [1, 2, 2], classes: 10),
    ModelCard(kind: "nosuch", inputShape: [64], classes: 10),
    ModelCard(kind: "mlp", inputShape: [0], classes: 10),
    ModelCard(kind: "mlp", inputShape: [.max, 4], classes: 10),
    ModelCard(kind: "mlp", inputShape: [4], classes: 10, hidden: [-1]),
  ])
  func cardsThatMakeNoModelAreRefused(_ card: ModelCard) {
    #expect(throws: DataError.self) { _ = try card.model(seed: 0) }
  }

  @Test func modelsOfARunAreReadWithoutCode() throws {
    let scratch = try Scratch()
    let run = try RunFolder(creating: scratch.url("run"))
    var model = Problem.model()
    try fit(&model, Classification(), train: Problem.clouds, options: Problem.options, run: run)
    #expect(try MLP(contentsOf: run.url).bits == model.bits)
  }

  @Test func leNetLearnsDigits() throws {
    var model = Initialization.seeded(1) { LeNet(inputShape: [1, 8, 8]) }
    var options = TrainingOptions()
    options.epochs = 20
    options.batchSize = 16
    options.learningRate = 5e-3
    let some = Digits.split().train.take(64)
    let before = try evaluate(model, Classification(), on: some)
    try fit(&model, Classification(), train: some, options: options)
    let after = try evaluate(model, Classification(), on: some)
    #expect(try #require(after["loss"]) < 0.4 * #require(before["loss"]))
  }
}
