import ArgumentParser
import Foundation
import Tarn

/// `tarn summary`.
struct SummaryVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "summary",
    abstract: "Shows a model's layers: shapes, parameters, multiply-adds, memory.")

  @Argument(help: ArgumentHelp("A run's folder, or linear, mlp, lenet.", valueName: "run|model"))
  var what: String

  @Option(help: ArgumentHelp("Shape of one sample, for a model.", valueName: "1,28,28"))
  var input: Sizes?

  @Option(help: "Number of outputs, for a model. (default: 10)")
  var classes: Int?

  @OptionGroup var architecture: ModelFlags
  @OptionGroup var common: CommonOptions

  func validate() throws {
    if let classes, !(1...1_000_000).contains(classes) {
      throw ValidationError("--classes \(classes): give a number from 1 to 1000000.")
    }
    if let kind = ModelKind(rawValue: what) {
      try architecture.check(for: kind)
    } else if input != nil || classes != nil || architecture.isGiven {
      throw ValidationError("a run says itself how its model is built; only models take options.")
    }
  }

  func answer(_ console: Console) throws -> SummaryAnswer {
    if ModelKind(rawValue: what) == nil, FileManager.default.fileExists(atPath: what) {
      let run = try Paths.run(what)
      if TextRun.isText(run) { return try textSummary(TextRun(run)) }
    }
    let card = try card()
    func summary(_ model: some Layer) -> Summary {
      model.summary(inputShape: [1] + card.inputShape)
    }
    return SummaryAnswer(
      name: what, kind: card.kind, summary: summary(try card.model(seed: common.seed)))
  }

  /// Of a run on a text: one piece of it.
  private func textSummary(_ run: TextRun) throws -> SummaryAnswer {
    func summary(_ model: some LanguageModel) -> Summary {
      model.summary(inputShape: [run.setup.steps, 1], dtype: .int64)
    }
    let model: any LanguageModel = try Initialization.skipped { try run.setup.card.model(seed: 0) }
    return SummaryAnswer(
      name: what, kind: run.setup.card.kind.rawValue, summary: summary(model))
  }

  private func card() throws -> ModelCard {
    guard let kind = ModelKind(rawValue: what) else {
      guard FileManager.default.fileExists(atPath: what) else {
        throw DataError(
          .missing, file: what, reason: "is neither a run's folder nor a model",
          hint: "models are \(ModelKind.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      return try Paths.run(what).card()
    }
    return architecture.card(
      kind, input: input?.values ?? [1, 28, 28], outputs: classes ?? 10, hidden: [256, 128])
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
