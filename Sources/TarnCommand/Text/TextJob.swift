import Foundation
import Tarn

/// One training run on a text: a new one, or one that is taken up again.
struct TextJob {
  let run: TextRun
  let corpus: Corpus
  let layout: StreamLayout
  let options: TrainingOptions
  /// A run whose weights to begin with.
  var start: TextRun?
  let console: Console

  /// Makes the folder and notes in it all that is needed to go on from it alone.
  static func begin(
    _ setup: TextSetup, _ corpus: Corpus, _ options: TrainingOptions, from start: TextRun?,
    out: String?, console: Console
  ) throws -> TextJob {
    let layout = try setup.layout(of: corpus)
    // Before a folder is made: a model that cannot be leaves none behind.
    _ = try Initialization.skipped { try setup.card.model(seed: 0) }
    var name = corpus.url.lastPathComponent
    if let dot = name.firstIndex(of: "."), dot > name.startIndex { name = String(name[..<dot]) }
    let folder =
      try out.map { try RunFolder(creating: URL(fileURLWithPath: $0)) }
      ?? RunFolder.next(in: URL(fileURLWithPath: "runs"), named: name)
    let run = try TextRun(folder, setup: setup, vocabulary: corpus.vocabulary)
    try folder.describe(
      RunDescription(
        options: options, task: "text", data: corpus.description,
        machine: ["simd": Machine.simdLevel, "threads": "\(Machine.threads)"]))
    return TextJob(
      run: run, corpus: corpus, layout: layout, options: options, start: start, console: console)
  }

  /// Reads from its folder how a run is to go on.
  static func takeUp(
    _ folder: RunFolder, console: Console, change: (inout TrainingOptions) -> Void
  ) throws -> TextJob {
    let run = try TextRun(folder)
    var options = try folder.description().options
    change(&options)
    let corpus = try run.corpus()
    return TextJob(
      run: run, corpus: corpus, layout: try run.setup.layout(of: corpus), options: options,
      console: console)
  }

  /// Trains and writes the page.
  func perform() throws -> TextAnswer {
    let fresh = try run.setup.card.model(seed: options.seed)
    let model: any LanguageModel = try start?.model() ?? fresh
    return try trained(model)
  }

  private func trained<Model: LanguageModel>(_ model: Model) throws -> TextAnswer {
    var model = try reshaped(model)
    tellWhat(model.parameterCount)
    let samples = LearningSamples(model, corpus.vocabulary, length: run.setup.sampleLength) {
      show($0.text, step: $0.step)
    }
    let (loss, time) = (SmoothedLoss(), StepTime())
    // The time of a step is taken first, so that the others' work is not in it.
    let callbacks: [any Callback] = [
      time, Interrupt(resume: resumeCommand), StopOnExplosion(), loss, TensorBoard(every: 10),
      console.showsProgress
        ? ShowProgress(unit: "sequence") : TextLines(console, loss, time), samples,
    ]
    let begin = Date()
    let isStateless = !run.setup.card.kind.isRecurrent
    let history = try fit(
      &model, LanguageModeling<Model>(),
      train: corpus.training(layout, random: isStateless ? options.seed : nil),
      validation: corpus.validation(layout, most: run.setup.validationBatches), options: options,
      run: run.folder, data: corpus.description, callbacks: callbacks)
    let figures = (loss: loss.value, milliseconds: time.median)
    var answer = answer(
      model.parameterCount, history, figures, seconds: Date().timeIntervalSince(begin))
    if answer.isInterrupted { return answer }
    try writePage(&answer, history, samples.all.map { ($0.step, $0.text) })
    return answer
  }

  /// A model of another run has that one's dropout; this gives it its own.
  private func reshaped<Model: LanguageModel>(_ model: Model) throws -> Model {
    guard start != nil, let own = try run.setup.card.model(seed: 0) as? Model else { return model }
    return own.replacing(.all, with: model.tensors(.all))
  }

  private func show(_ text: String, step: Int) {
    let line = console.showsProgress ? "\n" : ""
    console.note("\(line)── after \(Text.count(step)) iterations ──\n\(text)\n")
  }

  var resumeCommand: String { "tarn train --resume \(Paths.word(run.folder.url))" }

  private func tellWhat(_ parameters: Int) {
    let unit = corpus.vocabulary.unit
    console.note(
      "\(corpus.name): \(Text.count(corpus.count)) \(unit.name(corpus.count)), "
        + "\(Text.count(corpus.vocabulary.count)) different; \(layout.train) batches to learn "
        + "from, \(layout.validation) to validate")
    console.note(
      "\(cardWords), \(Text.count(parameters)) parameters; \(options.optimizer.rawValue), "
        + "learning rate \(Text.number(options.learningRate)), batches of \(layout.batch) × "
        + "\(layout.steps), seed \(options.seed); \(Machine.threads) "
        + "\(Machine.threads == 1 ? "thread" : "threads"), \(Machine.simdLevel)")
    if layout.batches < 50 {
      console.warn(
        "the text makes \(layout.batches) batches only; smaller --batch and --seq-length make more")
    }
    if layout.validation == 0 { console.warn("there is nothing to validate with") }
  }

  var cardWords: String {
    let card = run.setup.card
    return "\(card.kind.rawValue) of \(card.layers) × \(card.size)"
  }

  private func answer(
    _ parameters: Int, _ history: History, _ figures: (loss: Double?, milliseconds: Double?),
    seconds: Double
  ) -> TextAnswer {
    let figure = "validation_loss"
    let points =
      history.checks.map { ($0.step, $0.values[figure]) }
      + history.epochs.map { ($0.step, $0[figure]) }
    let known = points.compactMap { step, loss in loss.map { (step, $0) } }
    let last = known.max { $0.0 < $1.0 }
    let best = known.min { ($0.1, $0.0) < ($1.1, $1.0) }
    return TextAnswer(
      run: Paths.shown(run.folder.url), data: corpus.name, model: run.setup.card.kind.rawValue,
      size: run.setup.card.size, layers: run.setup.card.layers, parameters: parameters,
      vocabulary: corpus.vocabulary.count, symbols: corpus.count,
      trainBatches: layout.train, validationBatches: layout.validation, testBatches: layout.test,
      seed: options.seed, threads: Machine.threads, simd: Machine.simdLevel,
      iterations: history.steps, epochs: Double(history.steps) / Double(layout.train),
      trainLoss: figures.loss, valLoss: last?.1, bestValLoss: best?.1, bestIteration: best?.0,
      learningRate: history.epochs.last?.learningRate, seconds: seconds,
      msPerIteration: figures.milliseconds,
      peakRssMb: Double(ProcessMemory.peakBytes) / 1e6,
      stopReason: history.stopReason?.description ?? "",
      isInterrupted: history.stopReason == .interrupted, resume: resumeCommand)
  }
}

/// Tells of epochs and validations, a line for each.
final class TextLines: Callback {
  private let console: Console
  private let loss: SmoothedLoss
  private let time: StepTime

  init(_ console: Console, _ loss: SmoothedLoss, _ time: StepTime) {
    (self.console, self.loss, self.time) = (console, loss, time)
  }

  func willStart(_ training: Training) {
    guard training.isResumed else { return }
    console.note("goes on after iteration \(training.globalStep)")
  }

  func didEndEpoch(_ record: EpochRecord, _ training: Training) {
    say(record.step, record["validation_loss"], training)
  }

  func didValidate(_ record: ValidationRecord, _ training: Training) {
    say(record.step, record.values["validation_loss"], training)
  }

  private func say(_ step: Int, _ validation: Double?, _ training: Training) {
    func fixed(_ value: Double?, _ digits: Int = 4) -> String {
      value.map { String(format: "%.\(digits)f", $0) } ?? "–"
    }
    let epoch = Double(step) / Double(max(1, training.stepsPerEpoch))
    console.note(
      "iteration \(step)  epoch \(fixed(epoch, 2))  loss \(fixed(loss.value))  "
        + "validation loss \(fixed(validation))  \(fixed(time.median, 1)) ms an iteration")
  }
}
