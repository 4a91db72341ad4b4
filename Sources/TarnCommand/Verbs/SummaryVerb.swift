import ArgumentParser
import Foundation
import Tarn

/// `tarn summary`.
struct SummaryVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "summary",
    abstract: "Shows a model's layers: shapes, parameters, multiply-adds, memory.")

  @Argument(
    help: ArgumentHelp(
      "A run's folder, linear, mlp, lenet, or a network of the zoo.", valueName: "run|model"))
  var what: String?

  @Flag(help: "List the networks of the zoo.")
  var list = false

  @Option(help: ArgumentHelp("Shape of one sample, for a model.", valueName: "1,28,28"))
  var input: Sizes?

  @Option(help: "Number of outputs, for a model. (default: 10; of the zoo as published)")
  var classes: Int?

  @OptionGroup var architecture: ModelFlags
  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard let what else {
      if list { return }
      throw ValidationError("name a run's folder or a model, or give --list.")
    }
    if list { throw ValidationError("--list goes without a name.") }
    if let classes, !(1...1_000_000).contains(classes) {
      throw ValidationError("--classes \(classes): give a number from 1 to 1000000.")
    }
    if let kind = ModelKind(rawValue: what) {
      try architecture.check(for: kind)
    } else if !Network.isMeant(by: what) {
      guard input == nil, classes == nil, !architecture.isGiven else {
        throw ValidationError("a run says itself how its model is built; only models take options.")
      }
    } else if architecture.isGiven {
      throw ValidationError("--hidden, --activation and --dropout are for the model mlp.")
    }
  }

  func answer(_ console: Console) throws -> SummaryOrList {
    guard let what else { return .list(ZooList()) }
    if Paths.isRun(what) {
      let run = try Paths.run(what)
      if TextRun.isText(run) { return .summary(try textSummary(TextRun(run), name: what)) }
    }
    let card = try card(what)
    func summary(_ model: some Layer) -> Summary {
      model.summary(inputShape: [1] + card.inputShape)
    }
    return .summary(
      SummaryAnswer(
        name: what, kind: card.kind, summary: summary(try card.model(seed: nil))))
  }

  /// Of a run on a text: one piece of it.
  private func textSummary(_ run: TextRun, name: String) throws -> SummaryAnswer {
    func summary(_ model: some LanguageModel) -> Summary {
      model.summary(inputShape: [run.setup.steps, 1], dtype: .int64)
    }
    let model: any LanguageModel = try Initialization.skipped { try run.setup.card.model(seed: 0) }
    return SummaryAnswer(
      name: name, kind: run.setup.card.kind.rawValue, summary: summary(model))
  }

  private func card(_ what: String) throws -> ModelCard {
    if Paths.isFolder(what) == true && !Network.isMeant(by: what) {
      return try Paths.run(what).card()
    }
    if let kind = ModelKind(rawValue: what) {
      return architecture.card(
        kind.rawValue, input: input?.values ?? [1, 28, 28], outputs: classes ?? 10,
        hidden: [256, 128])
    }
    if what.contains("/") {
      throw DataError(
        .missing, file: what, reason: "there is no such folder",
        hint: "name the folder of a run, such as runs/demo-1; `tarn demo` makes one")
    }
    let entry = try Zoo.entry(what)
    return ModelCard(
      kind: entry.name, inputShape: input?.values ?? entry.inputShape,
      classes: classes ?? entry.classes)
  }
}

/// The layers of one model, or the models there are.
enum SummaryOrList: Answer {
  case summary(SummaryAnswer)
  case list(ZooList)

  var text: String {
    switch self {
    case .summary(let answer): answer.text
    case .list(let answer): answer.text
    }
  }

  func encode(to encoder: any Encoder) throws {
    switch self {
    case .summary(let answer): try answer.encode(to: encoder)
    case .list(let answer): try answer.encode(to: encoder)
    }
  }
}

/// The networks of the zoo.
struct ZooList: Answer {
  struct Entry: Encodable {
    var name: String
    var family: String
    var summary: String
    var input: [Int]
    var classes: Int
    var parameters: Int
    /// Names of the weights that were published.
    var weights: [String]
  }

  var models = Zoo.entries.map {
    Entry(
      name: $0.name, family: $0.family, summary: $0.summary, input: $0.inputShape,
      classes: $0.classes, parameters: $0.parameterCount, weights: $0.weights.map(\.name))
  }

  var text: String {
    var table = TextTable(
      ["model", "parameters", "input", "classes", "what it is"],
      alignments: [1: .right, 3: .right])
    for model in models {
      table.add([
        model.name, Text.count(model.parameters), "\(model.input)", "\(model.classes)",
        model.summary,
      ])
    }
    return table.description
      + "\n\nand linear, mlp, lenet for any input; mobilenet-v1-0.5, mobilenet-v2-1.4 and other widths"
  }
}

struct SummaryAnswer: Answer {
  var name: String
  var kind: String
  var summary: Summary

  private enum CodingKeys: CodingKey {
    case name, kind, input, output, parameters, multiplyAdds, modelBytes, activationBytes, layers
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    try container.encode(kind, forKey: .kind)
    try container.encode(summary.input, forKey: .input)
    try container.encode(summary.output, forKey: .output)
    try container.encode(summary.parameters, forKey: .parameters)
    try container.encode(summary.multiplyAdds, forKey: .multiplyAdds)
    try container.encode(summary.modelBytes, forKey: .modelBytes)
    try container.encode(summary.activationBytes, forKey: .activationBytes)
    try container.encode(summary.rows, forKey: .layers)
  }

  var text: String { summary.description }
}
