import ArgumentParser
import Tarn

/// `tarn train`: a new run, or the rest of an old one.
struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Trains a model, or goes on with training one.",
    usage: """
      tarn train images digits|mnist|fashion [--data DIR] [options]
      tarn train table FILE.csv --target COLUMN [options]
      tarn train text FILE [--model lstm|gru|rnn|transformer] [options]
      tarn train --resume RUN [--epochs N]
      """,
    discussion: """
      A run is a folder: weights, settings, logs, and index.html, a page that shows how it went. \
      Ctrl-C saves it; `tarn train --resume RUN` goes on with it, to the same bits as if it had never stopped.
      """,
    subcommands: [TrainImages.self, TrainTable.self, TrainText.self, Resume.self],
    defaultSubcommand: Resume.self)
}

/// `tarn train --resume RUN`.
struct Resume: Verb {
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "Goes on with a run (the same as `tarn train --resume RUN`).",
    usage: "tarn train --resume RUN [--epochs N]", shouldDisplay: false)

  @Option(help: ArgumentHelp("The run's folder.", valueName: "run"))
  var resume: String?

  @Option(help: "Passes over the training samples in all, to extend the run.")
  var epochs: Int?

  @Option(help: "For texts: stop after so many steps in all.")
  var maxIterations: Int?

  @Option(help: "Stop after so many seconds.")
  var timeLimit: Double?

  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard resume != nil else {
      throw ValidationError(
        "say what to train: `tarn train images digits`, `tarn train table FILE.csv --target COLUMN`, "
          + "`tarn train text FILE`, or `tarn train --resume RUN`.")
    }
    if let epochs, !(1...1_000_000).contains(epochs) {
      throw ValidationError("--epochs \(epochs): give a number from 1 to 1000000.")
    }
    try check("max-iterations", maxIterations, 1...1_000_000_000)
    if let timeLimit, !(timeLimit > 0) || !timeLimit.isFinite {
      throw ValidationError("--time-limit \(timeLimit): give a number more than 0.")
    }
  }

  func answer(_ console: Console) throws -> ResumeAnswer {
    let run = try Paths.run(resume ?? "")
    func change(_ options: inout TrainingOptions) {
      options.epochs = epochs ?? options.epochs
      options.timeLimit = timeLimit
    }
    if TextRun.isText(run) {
      return .text(
        try TextJob.takeUp(run, console: console) { options in
          change(&options)
          // More epochs are not to end at the steps asked for before.
          options.maxSteps = maxIterations ?? (epochs == nil ? options.maxSteps : nil)
        }.perform())
    }
    return .examples(try TrainingJob.takeUp(run, console: console, change: change).perform())
  }
}
