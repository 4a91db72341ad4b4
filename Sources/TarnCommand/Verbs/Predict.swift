import ArgumentParser
import Foundation
import Tarn

/// `tarn predict`.
struct Predict: Verb {
  static let configuration = CommandConfiguration(
    abstract:
      "Says what a run's model, a network of the zoo or an ONNX file makes of pictures or rows.",
    discussion: """
      Pictures are JPEG, PNG, BMP, PGM or PPM files; for runs on digits also IDX files; for runs on tables CSV files. \
      A network of the zoo needs --weights, or weights from `tarn weights get`.
      """)

  @Argument(
    help: ArgumentHelp(
      "A run's folder, a network of the zoo, or an ONNX file.", valueName: "run|model|file.onnx"))
  var what: String

  @Argument(help: ArgumentHelp("Pictures or tables.", valueName: "file"))
  var files: [String]

  @Option(help: "How many classes to name for each.")
  var top = 5

  @Option(
    help: ArgumentHelp(
      "Write a page with the pictures and what they were taken for.", valueName: "file.html"))
  var report: String?

  @OptionGroup var network: NetworkFlags
  @OptionGroup var common: CommonOptions

  func validate() throws {
    if files.isEmpty { throw ValidationError("name one file or more to predict.") }
    guard top > 0 else { throw ValidationError("--top \(top): give a number of 1 or more.") }
    if !Network.isMeant(by: what), network.weights != nil || network.saysHow {
      throw ValidationError(
        "a run says itself how pictures are read; --weights and the like are for other networks.")
    }
  }

  func answer(_ console: Console) throws -> PredictAnswer {
    var answer = try predictions(console)
    if let report {
      try PredictionPage(answer).write(to: report)
      answer.report = report
    }
    return answer
  }

  private func predictions(_ console: Console) throws -> PredictAnswer {
    if Network.isMeant(by: what) {
      return try PicturePrediction(
        network: Network.open(
          what, weights: network.weights, console: console, change: network.changed),
        labels: network.labels, top: top
      ).answer(files, console)
    }
    let folder = try Paths.run(what)
    return try RunPrediction(folder, top: top).answer(files)
  }
}

/// What a model makes of one picture or row.
struct Prediction: Encodable {
  struct Guess: Encodable {
    /// Its number.
    var `class`: Int
    var name: String
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
    prediction = top.first?.name
  }

  /// The likeliest classes, the likeliest first.
  static func guesses(
    _ probabilities: ArraySlice<Double>, top: Int, firstClass: Int = 0, name: (Int) -> String
  ) -> [Guess] {
    let start = probabilities.startIndex
    let classes = probabilities.indices.dropFirst(firstClass)
    let order = classes.sorted { (probabilities[$1], $0) < (probabilities[$0], $1) }
    return order.prefix(top).map {
      Guess(
        class: $0 - start - firstClass, name: name($0 - start), probability: probabilities[$0])
    }
  }

  var text: String {
    if let value { return Text.number(value, digits: 6) }
    return (top ?? []).map { "\($0.name) \(Text.percent($0.probability))" }
      .joined(separator: ", ")
  }
}

struct PredictAnswer: Answer {
  struct Failure: Encodable {
    var file: String
    var reason: String
  }

  /// The run's folder, or the network and its file of weights.
  var run: String?
  var model: String?
  var weights: String?
  var preprocessing: Preprocessing?
  var seed: UInt64
  var results: [Prediction]
  /// The page, if one was written.
  var report: String?
  /// Files that could not be read.
  var failures: [Failure] = []

  var exitCode: Int32 { failures.isEmpty ? 0 : 65 }

  var text: String {
    let counts = Dictionary(grouping: results, by: \.file).mapValues(\.count)
    let lines = results.map { result in
      let place = counts[result.file] == 1 ? "" : "[\(result.index)]"
      return "\(result.file)\(place): \(result.text)"
    }
    let page = report.map { ["", "report  \($0)"] } ?? []
    return (lines + failures.map { "\($0.file): not read: \($0.reason)" } + page)
      .joined(separator: "\n")
  }
}
