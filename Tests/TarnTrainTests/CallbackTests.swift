import Foundation
import TarnCore
import TarnData
import TarnNN
import TarnTrain
import Testing

struct CallbackTests {
  private final class Diary: Callback {
    let name: String
    let page: Page
    init(_ name: String, _ page: Page) { (self.name, self.page) = (name, page) }
    func willStart(_ training: Training) { page.add(name, "start") }
    func willStartEpoch(_ training: Training) { page.add(name, "epoch \(training.epoch)") }
    func willStartStep(_ training: Training) { page.add(name, "step \(training.globalStep)") }
    func didEndStep(_ step: StepReport, _ training: Training) {
      page.add(name, "stepped \(step.globalStep)")
    }
    func didEndEpoch(_ record: EpochRecord, _ training: Training) {
      page.add(name, "epoch done \(record.epoch)")
    }
    func didEnd(_ training: Training) { page.add(name, "end") }
  }

  private final class Page {
    var lines: [String] = []
    func add(_ name: String, _ event: String) { lines.append("\(name) \(event)") }
  }

  @Test func theyAreCalledInOrder() throws {
    let page = Page()
    var model = Problem.model()
    var options = Problem.options
    options.epochs = 1
    options.batchSize = 25
    try fit(
      &model, Classification(), train: Problem.clouds, options: options,
      callbacks: [Diary("a", page), Diary("b", page)])
    let events = [
      "start", "epoch 0", "step 0", "stepped 1", "step 1", "stepped 2", "epoch done 1", "end",
    ]
    #expect(page.lines == events.flatMap { ["a \($0)", "b \($0)"] })
  }

  @Test func namesMustDiffer() {
    var model = Problem.model()
    #expect(throws: TrainingError.self) {
      try fit(
        &model, Classification(), train: Problem.clouds, options: Problem.options,
        callbacks: [Rates(), Rates()])
    }
  }

  @Test func earlyStoppingGivesTheBestEpoch() throws {
    var model = Problem.model()
    var options = Problem.options
    options.epochs = 40
    options.learningRate = 0.5
    options.optimizer = .sgd
    options.schedule = .exponential(3)
    options.patience = 2
    let history = try fit(
      &model, Classification(), train: Problem.clouds, validation: Problem.otherClouds,
      options: options)
    let best = try #require(history.bestEpoch)
    #expect(history.stopReason == .early(bestEpoch: best))
    #expect(history.epochs.count == best + 2)
    let figures = try evaluate(model, Classification(), on: Problem.otherClouds)
    let losses = history.values("validation_loss")
    #expect(losses.min() == losses[best - 1])
    #expect(abs(try #require(figures["loss"]) - losses[best - 1]) < 1e-6)
  }

  @Test func patienceCountsOnlyRealImprovement() {
    let monitor = Monitor("validation_accuracy")
    #expect(monitor.isGain)
    #expect(monitor.isBetter(0.9, than: nil))
    #expect(!monitor.isBetter(0.905, than: 0.9, by: 0.01))
    #expect(monitor.isBetter(0.92, than: 0.9, by: 0.01))
    #expect(!Monitor("validation_loss").isBetter(.nan, than: 1))
    #expect(Monitor("rmse").isBetter(0.5, than: 1))
  }

  @Test func figuresThatAreNotThereAreSaid() {
    var model = Problem.model()
    var options = Problem.options
    options.monitor = "validation_acuracy"
    let problem = #expect(throws: TrainingError.self) {
      try fit(&model, Classification(), train: Problem.clouds, options: options)
    }
    #expect(problem?.description.contains("accuracy, loss") == true)
  }

  @Test func theLossMustStayFinite() throws {
    let scratch = try Scratch()
    let run = try RunFolder(creating: scratch.url("run"))
    var features = [Float](repeating: 1, count: 20)
    // In the last batch, so that some steps go well.
    features[2 * ShuffledSampler(seed: 7).indices(count: 10, epoch: 0)[9]] = .nan
    let data = TensorSource(
      features: Tensor(features, shape: [10, 2]), labels: Tensor([Int64](repeating: 1, count: 10)))
    var options = Problem.options
    options.batchSize = 2
    options.checkpointEvery = 1
    var model = Problem.model()
    let before = model.bits
    let problem = #expect(throws: TrainingError.self) {
      try fit(&model, Classification(), train: data, options: options, run: run)
    }
    let words = try #require(problem?.description)
    #expect(words.contains("the loss is not a number at step 5 (epoch 1, batch 5)"))
    #expect(words.contains(run.url.path))
    #expect(words.contains("learning rate"))
    #expect(model.bits == before)
    // What is kept is from before.
    let kept = try run.load(Problem.model())
    #expect(kept.tensors(.all).allSatisfy { $0.isFinite().all().item(as: Bool.self) })
    #expect(kept.bits != before)
  }

  @Test func timeIsLimited() throws {
    var model = Problem.model()
    var options = Problem.options
    options.timeLimit = 0
    let history = try fit(&model, Classification(), train: Problem.clouds, options: options)
    #expect(history.stopReason == .timeLimit)
    #expect(history.epochs.isEmpty)
  }

  @Test func signalsEndTheRunAfterTheStep() throws {
    final class Signal: Callback {
      func didEndStep(_ step: StepReport, _ training: Training) {
        if step.globalStep == 4 { kill(getpid(), SIGTERM) }
      }
    }
    let scratch = try Scratch()
    let run = try RunFolder(creating: scratch.url("run"))
    var model = Problem.model()
    let history = try fit(
      &model, Classification(), train: Problem.clouds, options: Problem.options, run: run,
      callbacks: [Signal(), Interrupt()])
    #expect(history.stopReason == .interrupted)
    #expect(run.hasCheckpoint)
  }

  @Test(arguments: [
    (ScheduleKind.constant, [0.1, 0.1, 0.1, 0.1]),
    (.step(every: 1, factor: 0.5), [0.1, 0.1, 0.05, 0.05]),
    (.exponential(0.5), [0.1, 0.1, 0.05, 0.05]),
    (.cosine(minimum: 0), [0.1, 0.08535533905932738, 0.05, 0.014644660940672627]),
  ])
  func schedulesRunInTheLoop(_ schedule: ScheduleKind, _ expected: [Double]) throws {
    let rates = Rates()
    var model = Problem.model()
    var options = Problem.options
    options.epochs = 2
    options.batchSize = 25
    options.learningRate = 0.1
    options.schedule = schedule
    try fit(
      &model, Classification(), train: Problem.clouds, options: options, callbacks: [rates])
    #expect(zip(rates.rates, expected).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(rates.rates.count == 4)
  }

  @Test func warmUpRisesLinearly() throws {
    let rates = Rates()
    var model = Problem.model()
    var options = Problem.options
    options.epochs = 1
    options.learningRate = 0.04
    options.warmupSteps = 4
    try fit(
      &model, Classification(), train: Problem.clouds, options: options, callbacks: [rates])
    let expected = [0.01, 0.02, 0.03, 0.04, 0.04, 0.04, 0.04]
    #expect(zip(rates.rates, expected).allSatisfy { abs($0 - $1) < 1e-12 })
  }

  @Test func plateausLowerTheRate() throws {
    let rates = Rates()
    var model = Problem.model()
    var options = Problem.options
    options.epochs = 3
    options.batchSize = 50
    // Next to nothing is learned at this rate, so the loss stays.
    options.learningRate = 1e-6
    options.optimizer = .sgd
    options.schedule = .plateau(factor: 0.5, patience: 0)
    try fit(
      &model, Classification(), train: Problem.clouds, options: options, callbacks: [rates])
    #expect(rates.rates == [1e-6, 1e-6, 0.5e-6])
  }

  @Test func eventsGoToTheRunFolder() throws {
    let scratch = try Scratch()
    let run = try RunFolder(creating: scratch.url("run"))
    var model = Problem.model()
    try fit(
      &model, Classification(), train: Problem.clouds, options: Problem.options, run: run,
      callbacks: [TensorBoard(every: 1, weights: true)])
    let names = try FileManager.default.contentsOfDirectory(atPath: run.url.path)
    #expect(names.contains { $0.hasPrefix("events.out.tfevents.") })
  }
}
