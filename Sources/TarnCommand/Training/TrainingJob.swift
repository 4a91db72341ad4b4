import Foundation
import Tarn

/// One training run from its folder to its page: a new one, or one that is taken up again.
struct TrainingJob {
  let run: RunFolder
  let setup: RunSetup
  let card: ModelCard
  let options: TrainingOptions
  let samples: Samples
  let console: Console
  /// Epochs between two lines that tell of them. More than one for epochs too short for a progress bar.
  var linesEvery = 1

  /// Makes the folder and notes in it all that is needed to go on from it alone.
  static func begin(
    _ setup: RunSetup, _ card: ModelCard, _ options: TrainingOptions, _ samples: Samples,
    name: String, out: String?, console: Console, linesEvery: Int = 1
  ) throws -> TrainingJob {
    guard samples.train.count > 0 else {
      throw DataError(
        .invalid, file: setup.name, reason: "nothing is left to learn from",
        hint: "give more samples, or a smaller --test-fraction or --validation-fraction")
    }
    // Before a folder is made: a model that cannot be leaves none behind.
    _ = try card.model(seed: options.seed)
    let run =
      try out.map { try RunFolder(creating: URL(fileURLWithPath: $0)) }
      ?? RunFolder.next(in: URL(fileURLWithPath: "runs"), named: name)
    try setup.write(to: run)
    try run.describe(
      RunDescription(
        options: options, task: setup.task.rawValue, model: card,
        machine: ["simd": Machine.simdLevel, "threads": "\(Machine.threads)"]))
    return TrainingJob(
      run: run, setup: setup, card: card, options: options, samples: samples, console: console,
      linesEvery: linesEvery)
  }

  /// Reads from its folder how a run is to go on.
  static func takeUp(
    _ run: RunFolder, console: Console, change: (inout TrainingOptions) -> Void = { _ in }
  ) throws -> TrainingJob {
    let setup = try RunSetup.read(from: run)
    var options = try run.description().options
    change(&options)
    let (card, samples) = (try run.card(), try setup.samples())
    try RunSetup.check(samples.shape, of: setup.name, against: card)
    return TrainingJob(
      run: run, setup: setup, card: card, options: options, samples: samples, console: console)
  }

  /// Trains, tests, writes the page.
  func perform() throws -> TrainingAnswer {
    try perform(try initialModel())
  }

  /// The model as training finds it. A run that is taken up has its weights in its folder.
  private func initialModel() throws -> any Layer {
    guard case .pictures(let set) = setup.source, let weights = set.weights, !run.hasCheckpoint
    else { return try card.model(seed: options.seed) }
    let loaded = try Initialization.seeded(options.seed) {
      try Zoo.load(
        Zoo.entry(card.kind), contentsOf: URL(fileURLWithPath: weights), classes: card.classes,
        hasAuxiliaries: card.hasAuxiliaries)
    }
    let fresh = loaded.report.kept.filter { !$0.hasSuffix("num_batches_tracked") }
    console.note(
      "weights of \(weights): \(loaded.report.loaded.count) tensors"
        + (fresh.isEmpty ? "" : "; new: \(fresh.joined(separator: ", "))"))
    return loaded.model
  }

  private func perform<Model: Layer>(_ model: Model) throws -> TrainingAnswer {
    if let model = model as? any AuxiliaryClassifying, model.hasAuxiliaries {
      return try performWithAuxiliaries(model)
    }
    switch setup.task {
    case .classification:
      return try perform(model, Classification(labelSmoothing: setup.labelSmoothing))
    case .regression: return try perform(model, Regression())
    }
  }

  private func performWithAuxiliaries(
    _ model: some AuxiliaryClassifying
  ) throws -> TrainingAnswer {
    try perform(model, AuxiliaryClassification(labelSmoothing: setup.labelSmoothing))
  }

  private func perform<Task: TrainingTask>(
    _ model: Task.Model, _ task: Task
  ) throws -> TrainingAnswer where Task.Model: Layer, Task.Examples == Batch {
    tellWhat(model.parameterCount)
    var model = model
    let start = Date()
    let history = try fitted(&model, task)
    var answer = answer(model.parameterCount, history, seconds: Date().timeIntervalSince(start))
    if answer.isInterrupted { return answer }
    var page = TrainingReport(
      title: "\(card.kind) on \(setup.name)", subtitle: "run \(run.url.lastPathComponent)",
      history: history)
    try test(model, &answer, &page)
    try finish(&page, &answer, model)
    return answer
  }

  private func fitted<Task: TrainingTask>(
    _ model: inout Task.Model, _ task: Task
  ) throws -> History where Task.Examples == Batch {
    var callbacks: [any Callback] = [
      Interrupt(resume: resumeCommand), TensorBoard(every: 0),
    ]
    callbacks.append(
      console.showsProgress && linesEvery == 1
        ? ShowProgress(unit: "sample") : EpochLines(console, every: linesEvery))
    return try fit(
      &model, task, train: samples.train, validation: samples.validation, options: options,
      run: run, data: try description(), callbacks: callbacks)
  }

  private func description() throws -> DataDescription {
    guard let digest = samples.digest else {
      return try DataDescription(of: samples.train, name: setup.name, classes: samples.classes)
    }
    return DataDescription(
      name: setup.name, count: samples.train.count, featureShape: samples.shape,
      classes: samples.classes, digest: digest)
  }

  var resumeCommand: String { "tarn train --resume \(Paths.word(run.url))" }

  private func tellWhat(_ parameters: Int) {
    let validated = samples.validation.map { ", \(Text.count($0.count)) to validate" } ?? ""
    console.note(
      "\(setup.name): \(Text.count(samples.train.count)) samples to learn from\(validated), "
        + "\(Text.count(samples.test.count)) to test")
    console.note(
      "\(card.kind), \(Text.count(parameters)) parameters; \(options.optimizer.rawValue), "
        + "learning rate \(Text.number(options.learningRate)), batch \(options.batchSize), "
        + "seed \(options.seed); \(Machine.threads) "
        + "\(Machine.threads == 1 ? "thread" : "threads"), \(Machine.simdLevel)")
  }

  private func answer(_ parameters: Int, _ history: History, seconds: Double) -> TrainingAnswer {
    let rates = history.epochs.map(\.samplesPerSecond).sorted()
    let last = history.epochs.last
    return TrainingAnswer(
      run: Paths.shown(run.url), data: setup.name, model: card.kind, parameters: parameters,
      trainSamples: samples.train.count, validationSamples: samples.validation?.count ?? 0,
      testSamples: samples.test.count, seed: options.seed, threads: Machine.threads,
      simd: Machine.simdLevel, epochs: history.epochs.count, steps: history.steps,
      bestEpoch: history.bestEpoch, stopReason: history.stopReason?.description ?? "",
      seconds: seconds, samplesPerSecond: rates.isEmpty ? nil : rates[rates.count / 2],
      peakRssMb: 0, trainLoss: last?["loss"], trainAccuracy: last?["accuracy"],
      validationLoss: last?["validation_loss"],
      validationAccuracy: last?["validation_accuracy"],
      isInterrupted: history.stopReason == .interrupted, resume: resumeCommand)
  }

  /// Adds what the model does on samples that it has not seen.
  private func test<Model: Layer>(
    _ model: Model, _ answer: inout TrainingAnswer, _ page: inout TrainingReport
  ) throws {
    guard samples.test.count > 0 else { return }
    let figures = try HeldOut(model, setup, samples.test, samples.classes)
    answer.testLoss = figures.loss
    answer.testAccuracy = figures.accuracy
    answer.testF1 = figures.f1
    answer.testRmse = figures.rmse
    answer.testMae = figures.mae
    answer.testR2 = figures.r2
    switch setup.task {
    case .classification:
      try page.addClassification(of: model, on: samples.test, classes: samples.classes)
    case .regression:
      try page.addRegression(
        of: model, on: samples.test, name: setup.table?.target ?? "value",
        scale: (setup.table?.mean ?? 0, setup.table?.deviation ?? 1))
    }
    if let features = setup.table?.planeFeatures {
      try page.addPlane(
        of: model, on: samples.train, classes: samples.classes, features: features)
    }
  }

  private func finish(
    _ page: inout TrainingReport, _ answer: inout TrainingAnswer, _ model: some Layer
  ) throws {
    page.figures = tiles(answer)
    page.settings = settings
    page.summary = model.summary(inputShape: [1] + card.inputShape).description
    let place = Paths.word(run.url)
    page.next = [
      "tarn evaluate \(place)", "tarn summary \(place)",
      "tarn train --resume \(place) --epochs \(2 * max(1, options.epochs))",
    ]
    page.footer = "Tarn \(Root.version), seed \(options.seed)"
    let file = run.url("index.html")
    try page.page().write(to: file.path)
    answer.report = Paths.shown(file)
    answer.peakRssMb = Double(ProcessMemory.peakBytes) / 1e6
    answer.peakTensorMb = Double(Machine.tensorMemory.peak) / 1e6
  }
}

extension RunFolder {
  /// The model's card.
  func card() throws -> ModelCard {
    if let card = try description().model { return card }
    throw DataError(
      .unsupported, file: url("run.json").path, reason: "does not say which kind of model it is",
      hint: "load such a run in a program with RunFolder(opening:)")
  }

  /// The trained model.
  func model(_ stage: Stage = .last) throws -> any Layer {
    func loaded(_ model: some Layer) throws -> any Layer {
      try load(model, stage)
    }
    return try loaded(try card().model(seed: nil))
  }
}
