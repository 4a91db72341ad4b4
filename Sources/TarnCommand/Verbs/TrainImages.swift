import ArgumentParser
import Tarn

/// `tarn train images`.
struct TrainImages: Verb {
  static let configuration = CommandConfiguration(
    commandName: "images", abstract: "Trains on pictures.")

  @Argument(help: "digits (part of this program), mnist or fashion.")
  var source: ImageSet

  @Option(help: ArgumentHelp("Where the set's files are.", valueName: "dir"))
  var data: String?

  @Option(help: "The network. (default: mlp)")
  var model: ModelKind?

  @OptionGroup var architecture: ModelFlags
  @OptionGroup var training: TrainingFlags
  @OptionGroup var common: CommonOptions

  func validate() throws {
    try architecture.check(for: model ?? .mlp)
    if source == .digits && data != nil {
      throw ValidationError("--data is for mnist and fashion; digits are part of this program.")
    }
  }

  func answer(_ console: Console) throws -> TrainingAnswer {
    let kind = model ?? .mlp
    let split = training.split(seed: common.seed)
    let samples = try source.load(folder: data, split: split)
    let card = architecture.card(
      kind, input: samples.shape, outputs: samples.classes.count, hidden: source.hidden)
    let folder = try source == .digits ? nil : ImageSet.find(source, data).path
    let setup = RunSetup(
      source: .images(source, folder: folder), split: split,
      labelSmoothing: training.labelSmoothing ?? 0)
    return try TrainingJob.begin(
      setup, card, training.options(source.defaults(kind), common: common), samples,
      name: source.rawValue, out: training.out, console: console
    ).perform()
  }
}

extension ImageSet {
  /// An mlp's hidden layers.
  var hidden: [Int] { self == .digits ? [128] : [256, 128] }

  /// What does well on the set with a kind of model.
  func defaults(_ kind: ModelKind) -> TrainingOptions {
    var options = TrainingOptions()
    options.batchSize = self == .digits ? 32 : 64
    options.learningRate = self == .digits ? 5e-3 : kind == .lenet ? 2e-3 : 1e-3
    switch (self, kind) {
    case (.digits, _): options.epochs = 30
    case (_, .linear): options.epochs = 10
    case (_, .mlp): options.epochs = 5
    case (_, .lenet): options.epochs = 3
    }
    return options
  }
}
