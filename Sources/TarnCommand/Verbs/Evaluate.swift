import ArgumentParser
import Foundation
import Tarn

/// `tarn evaluate`.
struct Evaluate: Verb {
  static let configuration = CommandConfiguration(
    abstract:
      "Tells how well a run's model does on held-out samples, or a published network on pictures.",
    discussion: """
      A network of the zoo, an ONNX or a Keras file needs --data: a folder with a folder of pictures for each class, or a \
      CSV file. Classes are told by number, name or WordNet's number.
      """)

  @Argument(
    help: ArgumentHelp(
      "A run's folder, a network of the zoo, or an ONNX or Keras file.", valueName: "run|model|file"
    ))
  var run: String

  @Option(
    help: ArgumentHelp(
      "Other data: a folder for pictures, a CSV file for tables (all of its rows are used), a text for texts.",
      valueName: "path"))
  var data: String?

  @Flag(help: "Use the weights of the best epoch instead of the last ones.")
  var best = false

  @Option(help: "The CSV file's column of class names.")
  var labelColumn = "label"

  @Option(help: "The CSV file's column of file names.")
  var fileColumn = "file"

  @OptionGroup var network: NetworkFlags
  @OptionGroup var common: CommonOptions

  func validate() throws {
    if Network.isMeant(by: run) {
      if data == nil { throw ValidationError("give --data, pictures whose classes are known.") }
    } else if network.weights != nil || network.saysHow {
      throw ValidationError(
        "a run says itself how pictures are read; --weights and the like are for other networks.")
    }
  }

  func answer(_ console: Console) throws -> EvaluationAnswer {
    if Network.isMeant(by: run), let data {
      let opened = try Network.open(
        run, weights: network.weights, console: console, change: network.changed)
      return .network(
        try NetworkEvaluation(
          opened, data: data, labelFile: network.labels, columns: (fileColumn, labelColumn),
          console: console))
    }
    let folder = try Paths.run(run)
    if TextRun.isText(folder) {
      return .text(try TextEvaluation(TextRun(folder), data: data, best: best))
    }
    return .samples(try answer(folder))
  }

  private func answer(_ folder: RunFolder) throws -> EvaluateAnswer {
    let setup = try RunSetup.read(from: folder)
    if case .images(.digits, _) = setup.source, data != nil {
      throw ValidationError("--data is not for runs on digits, which are part of this program.")
    }
    let (samples, shape, classes) = try held(setup)
    guard samples.count > 0 else {
      throw DataError(
        .invalid, file: run, reason: "nothing was held out to test on",
        hint: "give --data a file with rows to test on")
    }
    try RunSetup.check(shape, of: data ?? setup.name, against: folder.card())
    func figures(_ model: some Layer) throws -> HeldOut {
      try HeldOut(model, setup, samples, classes)
    }
    return EvaluateAnswer(
      run: Paths.shown(folder.url), data: data ?? setup.name, seed: setup.split.seed,
      figures: try figures(folder.model(best ? .best : .last)))
  }

  private func held(
    _ setup: RunSetup
  ) throws -> (samples: any Source<Example>, shape: [Int], classes: [String]) {
    if case .pictures(let set) = setup.source, let data {
      let pictures = try set.all(data)
      return (pictures, [3] + set.size, set.classes)
    }
    guard case .table(_, let table) = setup.source, let data else {
      let samples = try setup.samples(from: data)
      return (samples.test, samples.shape, samples.classes)
    }
    let rows = try CSV.read(contentsOf: URL(fileURLWithPath: data))
    let samples = try table.allSamples(rows)
    return (samples, samples.base.features.rowShape, table.classes)
  }
}

struct EvaluateAnswer: Answer {
  var run: String
  var data: String
  var seed: UInt64
  var figures: HeldOut

  private enum CodingKeys: CodingKey { case run, data, seed }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(run, forKey: .run)
    try container.encode(data, forKey: .data)
    try container.encode(seed, forKey: .seed)
    try figures.encode(to: encoder)
  }

  var text: String {
    var lines = ["\(run) on \(Text.count(figures.count)) samples of \(data): \(figures.text)"]
    if let all = figures.perClass, let classes = figures.classes {
      var table = TextTable(["class", "samples", "recall", "precision", "F1"])
      for (name, scores) in zip(classes, all) {
        table.add(
          [name, Text.count(scores.support)]
            + [scores.recall, scores.precision, scores.f1].map(Text.percent))
      }
      lines += ["", table.description]
    }
    return lines.joined(separator: "\n")
  }
}
