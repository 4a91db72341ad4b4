import Foundation
import TarnCore
import TarnData
import TarnNN
import TarnTrain
import Testing

/// A run that was cut anywhere ends as one that was not: weights, figures, logs.
struct ResumeTests {
  private struct Outcome: Equatable {
    var weights: [String: [UInt8]]
    var figures: [[String: Double]]
    var rates: [Double]
    var table: [String]
    var events: [String]
    var best: [UInt8]
  }

  /// Trains in `folder`, in as many sessions as there are steps to stop after, and one more.
  private func outcome(
    _ options: TrainingOptions, in folder: URL, stoppingAfter stops: [Int], dropout: Double = 0.2
  ) throws -> Outcome {
    var model = Problem.model(dropout: dropout)
    var history = History()
    for (session, stop) in (stops + [.max]).enumerated() {
      // Another start: everything must come from the folder.
      if session > 0 { model = Initialization.seeded(99) { Problem.model(dropout: dropout) } * 2 }
      let run = try session == 0 ? RunFolder(creating: folder) : RunFolder(opening: folder)
      history = try fit(
        &model, Classification(), train: Problem.clouds, validation: Problem.otherClouds,
        options: options, run: run,
        callbacks: [StopAfter(stop), EventLog(file: "steps.jsonl", every: 2)])
    }
    func lines(_ file: String) throws -> [String] {
      let text = try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
      return text.split(separator: "\n").map(String.init)
    }
    let run = try RunFolder(opening: folder)
    let stored = try run.load(Problem.model(dropout: dropout))
    #expect(stored.bits == model.bits)
    return Outcome(
      weights: model.bits, figures: history.epochs.map(\.values),
      rates: history.epochs.map(\.learningRate),
      // Times come last.
      table: try lines("log.csv").map {
        $0.split(separator: ",").dropLast(2).joined(separator: ",")
      },
      events: try lines("steps.jsonl").map { String($0.prefix { $0 != "s" }) },
      best: [UInt8](try Data(contentsOf: run.url("best/model.safetensors"))))
  }

  @Test(arguments: OptimizerKind.allCases)
  func endsWithTheSameBits(_ optimizer: OptimizerKind) throws {
    let scratch = try Scratch()
    var options = Problem.options
    options.optimizer = optimizer
    options.averaging = 0.9
    options.clipNorm = 1
    options.weightDecay = 0.01
    options.schedule = .cosine(minimum: 1e-5)
    options.warmupSteps = 3
    let whole = try outcome(options, in: scratch.url("whole"), stoppingAfter: [])
    // Within an epoch, at the end of one before its validation, and twice in one.
    let cut = try outcome(options, in: scratch.url("cut"), stoppingAfter: [3, 7, 9, 10])
    #expect(whole == cut)
    #expect(whole.figures.count == 3)
    #expect(whole.table.count == 4)
  }

  @Test func plateauAndStepCheckpointsToo() throws {
    let scratch = try Scratch()
    var options = Problem.options
    options.epochs = 5
    options.schedule = .plateau(factor: 0.1, patience: 0)
    options.learningRate = 0.5
    options.checkpointEvery = 2
    let whole = try outcome(options, in: scratch.url("whole"), stoppingAfter: [])
    let cut = try outcome(options, in: scratch.url("cut"), stoppingAfter: [15, 22, 29])
    #expect(whole == cut)
  }

  @Test func aRunCanGoOnForMoreEpochs() throws {
    let scratch = try Scratch()
    var options = Problem.options
    var model = Problem.model()
    let run = try RunFolder(creating: scratch.url("run"))
    try fit(&model, Classification(), train: Problem.clouds, options: options, run: run)
    options.epochs = 5
    let history = try fit(
      &model, Classification(), train: Problem.clouds, options: options, run: run)
    #expect(history.epochs.map(\.epoch) == [1, 2, 3, 4, 5])
    var straight = Problem.model()
    try fit(&straight, Classification(), train: Problem.clouds, options: options)
    #expect(straight.bits == model.bits)
  }

  @Test func aFinishedRunIsNotTrainedFurther() throws {
    let scratch = try Scratch()
    var model = Problem.model()
    let run = try RunFolder(creating: scratch.url("run"))
    try fit(&model, Classification(), train: Problem.clouds, options: Problem.options, run: run)
    var again = Problem.model()
    let history = try fit(
      &again, Classification(), train: Problem.clouds, options: Problem.options, run: run)
    #expect(history.steps == 21)
    #expect(history.stopReason == .finished)
    #expect(again.bits == model.bits)
  }

  @Test func linesWrittenAfterTheCheckpointAreWrittenAgain() throws {
    let scratch = try Scratch()
    var model = Problem.model()
    let run = try RunFolder(creating: scratch.url("run"))
    try fit(
      &model, Classification(), train: Problem.clouds, options: Problem.options, run: run,
      callbacks: [StopAfter(9)])
    // As a run does that is killed after a line and before the checkpoint.
    for file in ["log.csv", "log.jsonl"] {
      let handle = try FileHandle(forWritingTo: run.url(file))
      try handle.seekToEnd()
      try handle.write(contentsOf: Data("2,14,0.5,to".utf8))
      try handle.close()
    }
    try fit(&model, Classification(), train: Problem.clouds, options: Problem.options, run: run)
    for file in ["log.csv", "log.jsonl"] {
      let text = try String(contentsOf: run.url(file), encoding: .utf8)
      #expect(!text.contains("0.5,to"))
      #expect(text.split(separator: "\n").count == (file == "log.csv" ? 4 : 3))
    }
  }
}
