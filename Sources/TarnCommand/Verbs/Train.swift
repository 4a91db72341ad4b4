import ArgumentParser

/// `tarn train`: a new run, or the rest of an old one.
struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Trains a model, or goes on with training one.",
    usage: """
      tarn train images digits|mnist|fashion [--data DIR] [options]
      tarn train table FILE.csv --target COLUMN [options]
      tarn train --resume RUN [--epochs N]
      """,
    discussion: """
      A run is a folder: weights, settings, logs, and index.html, a page that shows how it went. \
      Ctrl-C saves it; `tarn train --resume RUN` goes on with it, to the same bits as if it had never stopped.
      """,
    subcommands: [TrainImages.self, TrainTable.self, Resume.self],
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

  @Option(help: "Stop after so many seconds.")
  var timeLimit: Double?

  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard resume != nil else {
      throw ValidationError(
        "say what to train: `tarn train images digits`, `tarn train table FILE.csv --target COLUMN`, "
          + "or `tarn train --resume RUN`.")
    }
    if let epochs, !(1...1_000_000).contains(epochs) {
      throw ValidationError("--epochs \(epochs): give a number from 1 to 1000000.")
    }
    if let timeLimit, !(timeLimit > 0) || !timeLimit.isFinite {
      throw ValidationError("--time-limit \(timeLimit): give a number more than 0.")
    }
  }

  func answer(_ console: Console) throws -> TrainingAnswer {
    let run = try Paths.run(resume ?? "")
    return try TrainingJob.takeUp(run, console: console) { options in
      options.epochs = epochs ?? options.epochs
      options.timeLimit = timeLimit
    }.perform()
  }
}
