import Foundation
import TarnCore
import TarnNN
import TarnTrain

/// The loss of the steps, smoothed: 0.99 of what it was and 0.01 of the newest, the start accounted for.
public final class SmoothedLoss: Callback {
  private var sum = 0.0
  private var weight = 0.0

  public init() {}

  /// nil before the first step.
  public var value: Double? { weight > 0 ? sum / weight : nil }

  public func didEndStep(_ step: StepReport, _ training: Training) {
    sum = 0.99 * sum + 0.01 * step.loss
    weight = 0.99 * weight + 0.01
  }

  public func save() -> [String: Double] { ["sum": sum, "weight": weight] }
  public func restore(_ state: [String: Double]) {
    (sum, weight) = (state["sum"] ?? 0, state["weight"] ?? 0)
  }
}

/// How long a step takes, validation and checkpoints left out.
public final class StepTime: Callback {
  private var start: ContinuousClock.Instant?
  private var milliseconds: [Double] = []

  public init() {}

  public func willStartStep(_ training: Training) { start = .now }

  public func didEndStep(_ step: StepReport, _ training: Training) {
    guard let start else { return }
    // Reading the loss has waited for the step to be computed.
    _ = step.loss
    if milliseconds.count == 10_000 { milliseconds.removeFirst(5000) }
    milliseconds.append((ContinuousClock.now - start) / .milliseconds(1))
  }

  /// The median over the last some thousand steps, in milliseconds; nil before the first.
  public var median: Double? {
    milliseconds.isEmpty ? nil : milliseconds.sorted()[milliseconds.count / 2]
  }
}

/// A sample of what the model writes, now and then as it learns.
public final class LearningSamples<Model: LanguageModel>: Callback {
  /// One sample, and after how many steps it was written.
  public struct Sample: Codable, Hashable, Sendable {
    public var step: Int
    public var text: String
    public var loss: Double?
  }

  private let model: Model
  private let vocabulary: Vocabulary
  private let length: Int
  private let show: (Sample) -> Void
  private static var file: String { "samples.jsonl" }

  /// Those written in this session and before, if the run has a folder.
  public private(set) var all: [Sample] = []

  public init(
    _ model: Model, _ vocabulary: Vocabulary, length: Int, show: @escaping (Sample) -> Void
  ) {
    (self.model, self.vocabulary, self.length, self.show) = (model, vocabulary, length, show)
  }

  public func willStart(_ training: Training) throws {
    guard let run = training.run, let text = try? Data(contentsOf: run.url(Self.file)) else {
      return
    }
    let lines = text.split(separator: UInt8(ascii: "\n"))
    all = lines.compactMap { try? JSONDecoder().decode(Sample.self, from: $0) }
      .filter { $0.step <= training.globalStep }
  }

  public func didEndEpoch(_ record: EpochRecord, _ training: Training) throws {
    // Short epochs share a sample.
    let apart = training.globalStep - (all.last?.step ?? -1000)
    if training.stepsPerEpoch >= 200 || apart >= 200 {
      try write(training, record["validation_loss"] ?? record["loss"])
    }
  }

  public func didValidate(_ record: ValidationRecord, _ training: Training) throws {
    try write(training, record.values["validation_loss"])
  }

  private func write(_ training: Training, _ loss: Double?) throws {
    guard length > 0, all.last?.step != training.globalStep else { return }
    let now = Dictionary(training.parameters.map { ($0.name, $0.tensor) }) { first, _ in first }
    let model = model.mapParameters { name, old in now[name] ?? old }
    var writer = try TextGenerator(
      model, vocabulary, seed: training.options.seed &+ UInt64(training.globalStep))
    let sample = Sample(step: training.globalStep, text: writer.text(length), loss: loss)
    all.append(sample)
    show(sample)
    guard let run = training.run else { return }
    let lines = try all.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }
    try Data((lines.joined(separator: "\n") + "\n").utf8).write(
      to: run.url(Self.file), options: .atomic)
  }
}
