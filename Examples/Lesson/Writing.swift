import Foundation
import Tarn

/// A text to learn from, for lessons that write.
extension Lesson {
  /// The file given on the command line, else one of the folder `TARN_DATA`, else a text made here.
  public static func corpus(_ name: String, otherwise: () throws -> String) throws -> Corpus {
    if let file = argument ?? data(name) { return try Corpus(contentsOf: file) }
    return try Corpus(try otherwise(), name: "a small text")
  }
}

/// Two LSTM layers that learn a text character by character, by char-rnn's recipe, and write on.
public struct WritingLesson {
  public let corpus: Corpus
  public private(set) var model: RecurrentLanguageModel

  /// - Parameters:
  ///   - size: units of a layer.
  ///   - steps: training steps. Now and then the loss and a sample are printed.
  public init(_ corpus: Corpus, size: Int, steps: Int, seed: UInt64 = 1) throws {
    self.corpus = corpus
    let card = TextModelCard(.lstm, vocabulary: corpus.vocabulary.count, size: size)
    model = RecurrentLanguageModel(card, key: RandomKey(seed: seed))
    let batch = min(50, max(1, corpus.count / 500))
    let layout = try StreamLayout(
      count: corpus.count, batch: batch, steps: 50, name: corpus.name)
    var options = TrainingOptions()
    options.epochs = 1_000_000
    options.maxSteps = steps
    options.validateEvery = max(1, steps / 5)
    options.optimizer = .rmsprop
    options.learningRate = 4e-3
    options.squareDecay = 0.95
    // The loss is a mean over the steps, the gradient their sum.
    options.gradientScale = Double(layout.steps)
    options.clipValue = 5
    print("\(corpus.count) characters, \(corpus.vocabulary.count) different")
    let samples = LearningSamples(model, corpus.vocabulary, length: 70) { sample in
      let loss = sample.loss.map { $0.digits(3) } ?? "–"
      let line = sample.text.replacing("\n", with: "↵")
      print("step \(sample.step)  loss on unseen text \(loss)  \(line)")
    }
    try fit(
      &model, LanguageModeling(), train: corpus.training(layout),
      validation: corpus.validation(layout, most: 30), options: options, callbacks: [samples])
  }

  /// So many characters after `prime`.
  public func text(
    _ count: Int, after prime: String = "", temperature: Double = 1, seed: UInt64 = 7
  ) throws -> String {
    var writer = try TextGenerator(
      model, corpus.vocabulary, prime: prime, choice: SymbolChoice(temperature: temperature),
      seed: seed)
    return prime + writer.text(count)
  }
}

/// How many brackets of a text have a partner.
public struct Matching {
  public private(set) var matched = 0
  public private(set) var all = 0

  public init() {}

  /// Of all brackets; 1 where there are none.
  public var share: Double { all == 0 ? 1 : Double(matched) / Double(all) }

  /// Adds marks in the order in which they stand: what is opened, or closed.
  public mutating func add(_ marks: [(name: String, opens: Bool)]) {
    var open: [String] = []
    for mark in marks {
      all += 1
      if mark.opens {
        open.append(mark.name)
      } else if let place = open.lastIndex(of: mark.name) {
        // What was opened since has lost its partner.
        open.removeSubrange(place...)
        matched += 2
      }
    }
  }

  /// Adds the brackets `open` and `close` of a text.
  public mutating func add(_ text: String, _ open: Character, _ close: Character) {
    add(text.filter { $0 == open || $0 == close }.map { (String(open), $0 == open) })
  }
}
