import ArgumentParser
import Foundation
import Tarn

/// `tarn predict`.
struct Predict: Verb {
  static let configuration = CommandConfiguration(
    abstract: "Says what a run's model makes of pictures (PGM, IDX) or of the rows of a CSV file.",
    discussion: "Digits are light on dark, as in the sets they were learned from.")

  @Argument(help: ArgumentHelp("The run's folder.", valueName: "run"))
  var run: String

  @Argument(help: ArgumentHelp("Pictures or tables.", valueName: "file"))
  var files: [String]

  @Option(help: "How many classes to name for each.")
  var top = 3

  @OptionGroup var common: CommonOptions

  func validate() throws {
    if files.isEmpty { throw ValidationError("name one file or more to predict.") }
    guard top > 0 else { throw ValidationError("--top \(top): give a number of 1 or more.") }
  }

  func answer(_ console: Console) throws -> PredictAnswer {
    let folder = try Paths.run(run)
    let setup = try RunSetup.read(from: folder)
    let model = try folder.model()
    let shape = try folder.card().inputShape
    let results = try files.flatMap { file in
      let features = try Self.features(file, setup, shape)
      return Self.results(file, Self.outputs(model, features), setup, top)
    }
    return PredictAnswer(
      run: Paths.shown(folder.url), seed: setup.split.seed, results: results)
  }

  private static func outputs(_ model: some Layer, _ features: Tensor) -> Tensor {
    predict(model, features: features)
  }

  private static func features(
    _ file: String, _ setup: RunSetup, _ shape: [Int]
  ) throws -> Tensor {
    switch setup.source {
    case .images: try Pictures.read(file, shape: shape)
    case .table(_, let table):
      try table.encoder.encode(CSV.read(contentsOf: URL(fileURLWithPath: file)))
    }
  }

  private static func results(
    _ file: String, _ outputs: Tensor, _ setup: RunSetup, _ top: Int
  ) -> [Prediction] {
    guard outputs.count > 0 else { return [] }
    if let table = setup.table, table.task == .regression {
      return outputs.array(of: Double.self).enumerated().map {
        Prediction(file: file, index: $0, value: $1 * table.deviation + table.mean)
      }
    }
    let classes = outputs.shape[1]
    let shares = outputs.softmax(axis: -1).array(of: Double.self)
    return (0..<outputs.shape[0]).map { index in
      let row = Array(shares[(index * classes)..<((index + 1) * classes)])
      let order = row.indices.sorted { (row[$1], $0) < (row[$0], $1) }
      return Prediction(
        file: file, index: index,
        top: order.prefix(top).map { .init(label: setup.className($0), probability: row[$0]) })
    }
  }
}

extension RunSetup {
  /// What a class number means.
  func className(_ place: Int) -> String {
    let names: [String] =
      switch source {
      case .images(let set, _): set.classes
      case .table(_, let table): table.classes
      }
    return names.indices.contains(place) ? names[place] : "\(place)"
  }
}

/// What the model makes of one picture or row.
struct Prediction: Encodable {
  struct Guess: Encodable {
    var label: String
    var probability: Double
  }

  var file: String
  /// The picture's or row's place in the file, from 0.
  var index: Int
  var value: Double?
  var prediction: String?
  var top: [Guess]?

  init(file: String, index: Int, value: Double) {
    (self.file, self.index, self.value) = (file, index, value)
  }

  init(file: String, index: Int, top: [Guess]) {
    (self.file, self.index, self.top) = (file, index, top)
    prediction = top.first?.label
  }

  var text: String {
    if let value { return Text.number(value, digits: 6) }
    return (top ?? []).map { "\($0.label) \(Text.percent($0.probability))" }
      .joined(separator: ", ")
  }
}

struct PredictAnswer: Answer {
  var run: String
  var seed: UInt64
  var results: [Prediction]

  var text: String {
    let counts = Dictionary(grouping: results, by: \.file).mapValues(\.count)
    return results.map { result in
      let place = counts[result.file] == 1 ? "" : "[\(result.index)]"
      return "\(result.file)\(place): \(result.text)"
    }.joined(separator: "\n")
  }
}
