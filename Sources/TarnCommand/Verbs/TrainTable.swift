import ArgumentParser
import Foundation
import Tarn

/// `tarn train table`.
struct TrainTable: Verb {
  static let configuration = CommandConfiguration(
    commandName: "table", abstract: "Trains on the rows of a CSV file.",
    discussion: """
      Numbers are standardised and categories become a feature for each of their values; a missing number is replaced by \
      the mean. What that takes is learned from the training rows and kept with the run.
      """)

  @Argument(
    help: ArgumentHelp(
      "The table, with the columns' names in its first line.", valueName: "file.csv"))
  var file: String

  @Option(help: ArgumentHelp("The column to predict.", valueName: "column"))
  var target: String

  @Option(help: "classification or regression. (default: by the column's values)")
  var task: TableTask?

  @Option(help: "linear or mlp. (default: mlp)")
  var model: ModelKind?

  @Option(help: "Share of the rows that is tested on.")
  var testFraction = 0.2

  @OptionGroup var architecture: ModelFlags
  @OptionGroup var training: TrainingFlags
  @OptionGroup var common: CommonOptions

  func validate() throws {
    if model == .lenet {
      throw ValidationError("--model lenet is for pictures; use linear or mlp for tables.")
    }
    try architecture.check(for: model ?? .mlp)
    guard testFraction >= 0 && testFraction <= 0.9 else {
      throw ValidationError("--test-fraction \(testFraction): give a number from 0 to 0.9.")
    }
  }

  func answer(_ console: Console) throws -> TrainingAnswer {
    let url = URL(fileURLWithPath: file)
    let table = try CSV.read(contentsOf: url)
    let rows = try TableSetup(
      fitting: table, target: target, task: task, testFraction: testFraction, seed: common.seed)
    if rows.task == .regression, training.labelSmoothing != nil {
      throw ValidationError("--label-smoothing is for classification; '\(target)' is a number.")
    }
    tell(rows, table, console)
    let split = training.split(seed: common.seed)
    let setup = RunSetup(
      source: .table(file: url.standardizedFileURL.path, rows), split: split,
      labelSmoothing: training.labelSmoothing ?? 0)
    let samples = try rows.samples(table, split: split)
    let card = architecture.card(
      (model ?? .mlp).rawValue, input: samples.shape,
      outputs: rows.task == .classification ? rows.classes.count : 1, hidden: [64, 32])
    return try TrainingJob.begin(
      setup, card, training.options(defaults(samples.train.count), common: common), samples,
      name: url.deletingPathExtension().lastPathComponent, out: training.out, console: console,
      linesEvery: 10
    ).perform()
  }

  private func tell(_ rows: TableSetup, _ table: Table, _ console: Console) {
    let missing = try? table.column(target).missingCount
    if let missing, missing > 0 {
      console.note("\(missing) rows without a value of '\(target)' are left out")
    }
    if !rows.ignored.isEmpty {
      console.note("not used, being free text: \(rows.ignored.joined(separator: ", "))")
    }
    let what =
      rows.task == .classification
      ? "\(rows.classes.count) classes of '\(target)'" : "the number '\(target)'"
    console.note("\(rows.encoder.width) features to predict \(what)")
  }

  /// So many epochs that small tables get some thousand steps.
  private func defaults(_ rows: Int) -> TrainingOptions {
    var options = TrainingOptions()
    options.batchSize = rows < 2000 ? 16 : 64
    options.learningRate = 2e-3
    let steps = max(1, rows / options.batchSize)
    options.epochs = min(200, max(10, 3000 / steps))
    return options
  }
}
