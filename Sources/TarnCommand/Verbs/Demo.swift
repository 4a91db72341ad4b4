import ArgumentParser
import Foundation
import Tarn

/// `tarn demo`.
struct Demo: Verb {
  static let configuration = CommandConfiguration(
    abstract: "Trains on 1,797 handwritten digits and shows what was learned, in seconds.")

  @Option(help: "Passes over the training samples.")
  var epochs = 40

  @Option(help: "The run's folder. (default: the next free runs/demo-1, -2, …)")
  var out: String?

  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard (1...10_000).contains(epochs) else {
      throw ValidationError("--epochs \(epochs): give a number from 1 to 10000.")
    }
  }

  func answer(_ console: Console) throws -> DemoAnswer {
    let split = Split(seed: common.seed, validation: 0.1)
    let samples = try ImageSet.digits.load(folder: nil, split: split)
    let setup = RunSetup(
      source: .images(.digits, folder: nil), split: split, labelSmoothing: 0)
    let card = ModelCard(kind: ModelKind.lenet.rawValue, inputShape: samples.shape, classes: 10)
    var options = ImageSet.digits.defaults("lenet")
    options.epochs = epochs
    options.learningRate = 0.01
    options.schedule = .oneCycle
    options.seed = common.seed
    options.threads = Machine.threads
    let job = try TrainingJob.begin(
      setup, card, options, samples, name: "demo", out: out, console: console,
      linesEvery: max(1, epochs / 5))
    let training = try job.perform()
    if training.isInterrupted { return DemoAnswer(training: training, pictures: "", curve: "") }
    return DemoAnswer(
      training: training, pictures: try pictures(job.run, samples.test),
      curve: try curve(job.run.history(), console))
  }

  private func curve(_ history: History, _ console: Console) -> String {
    TerminalChart(
      "loss", height: 10, scale: .log, xLabel: "epoch", usesColour: console.hasColour
    )
    .line(history.values("loss"), name: "training")
    .line(history.values("validation_loss"), name: "validation").description
  }

  /// Some held-out digits with what they were taken for: right ones first, then what went wrong.
  private func pictures(_ run: RunFolder, _ test: some Source<Example>) throws -> String {
    func probabilities<Model: Layer>(_ model: Model) throws -> Tensor {
      try predict(model, on: test).softmax(axis: -1)
    }
    let guesses = try probabilities(run.model()).array(of: Double.self)
    let actual = try Samples.labels(of: test).map { Int($0) }
    let all = actual.indices.map { index -> (index: Int, predicted: Int, sureness: Double) in
      let row = guesses[(index * 10)..<((index + 1) * 10)]
      let best = row.indices.max { row[$0] < row[$1] } ?? row.startIndex
      return (index, best - row.startIndex, row[best])
    }
    let wrong = all.filter { $0.predicted != actual[$0.index] }.prefix(4)
    let right = all.filter { $0.predicted == actual[$0.index] }.prefix(8 - wrong.count)
    let images = try (right + wrong).map { guess in
      let pixels = try test.sample(at: guess.index).features.array(of: Double.self)
      let isRight = guess.predicted == actual[guess.index]
      let sureness = Text.number((guess.sureness * 100).rounded())
      let caption =
        isRight
        ? "✓ \(guess.predicted), \(sureness) %" : "✗ \(guess.predicted), is \(actual[guess.index])"
      return TerminalImage(pixels, width: 8, height: 8, range: 0...1, caption: caption)
    }
    return stride(from: 0, to: images.count, by: 4).map {
      TerminalImage.row(Array(images[$0..<min($0 + 4, images.count)]))
    }.joined(separator: "\n\n")
  }
}

/// What the demonstration has to show.
struct DemoAnswer: Answer {
  var training: TrainingAnswer
  var pictures: String
  var curve: String

  var exitCode: Int32 { training.exitCode }

  func encode(to encoder: any Encoder) throws { try training.encode(to: encoder) }

  var text: String {
    if training.isInterrupted { return training.text }
    let place = Paths.word(URL(fileURLWithPath: training.run))
    return [
      "", curve, "", "Digits it had not seen, and what it took them for:", "", pictures,
      training.text, "", "Try next:",
      "  tarn train images digits --model mlp --hidden 64,32    # a network of another kind",
      "  tarn evaluate \(place)    # every class of digits by itself",
      "  tarn summary \(place)    # its layers",
      "  tarn data    # larger sets, and how to get them",
    ].joined(separator: "\n")
  }
}
