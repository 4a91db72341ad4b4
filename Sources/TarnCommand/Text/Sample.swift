import ArgumentParser
import Foundation
import Tarn

/// `tarn sample`.
struct Sample: Verb {
  static let configuration = CommandConfiguration(
    abstract: "Writes text with a model that `tarn train text` made.",
    discussion: """
      The text comes out as it is written; several temperatures come side by side. A file of weights with the names of \
      PyTorch's modules (rnn.weight_ih_l0, …, decoder.weight) does in place of a run, together with --vocabulary.
      """)

  @Argument(
    help: ArgumentHelp("The run's folder, or a file of weights.", valueName: "run"))
  var run: String

  @Option(help: "How many characters to write.")
  var length = 2000

  @Option(
    help: ArgumentHelp(
      "Below 1 safer, above 1 wilder, 0 as --argmax; several with commas between.",
      valueName: "0.5,0.8,1"))
  var temperature = Temperatures([1])

  @Option(help: ArgumentHelp("What the text begins with.", valueName: "text"))
  var prime = ""

  @Flag(help: "Take the likeliest character each time.")
  var argmax = false

  @Option(help: "Choose among the likeliest so many only.")
  var topK: Int?

  @Option(help: "Choose among the likeliest only, whose probabilities add up to this.")
  var topP: Double?

  @Flag(help: "Use the weights of the best validation instead of the last ones.")
  var best = false

  @Option(
    help: ArgumentHelp(
      "For a file of weights: a run's vocabulary.json, a JSON list of characters, or the text it learned from.",
      valueName: "file"))
  var vocabulary: String?

  @OptionGroup var textCommon: TextCommonOptions

  var common: CommonOptions { textCommon.options }

  func validate() throws {
    try check("length", length, 0...100_000_000)
    try check("top-k", topK, 1...10_000_000)
    try check("top-p", topP, "more than 0, at most 1") { $0 > 0 && $0 <= 1 }
  }

  func answer(_ console: Console) throws -> SampleAnswer {
    let writer = try TextWriter(run, vocabulary: vocabulary, best: best)
    let temperatures = argmax ? [0] : temperature.values
    let streams = !console.isJSON && temperatures.count == 1
    let texts = try temperatures.map { temperature in
      try written(writer, temperature) { if streams { try console.piece($0) } }
    }
    return SampleAnswer(
      run: run, prime: prime, seed: common.seed, length: length, samples: texts,
      isWritten: streams)
  }

  /// One text, handed over as it is written.
  private func written(
    _ writer: TextWriter, _ temperature: Double, _ show: (String) throws -> Void
  ) throws -> SampleAnswer.Sample {
    let choice = SymbolChoice(
      temperature: temperature, isGreedy: argmax || temperature == 0, topK: topK, topP: topP)
    var generator = try writer.generator(prime: prime, choice: choice, seed: common.seed)
    var text = prime
    // The compiler of plans works at the first symbol; what is measured is what each of the others takes.
    var pending = prime
    var start = Date()
    let isTerminal = isatty(STDOUT_FILENO) == 1
    for number in 0..<length {
      let piece = generator.next()
      if number == 0 { start = Date() }
      text += piece
      pending += piece
      if isTerminal || pending.utf8.count > 4096 {
        try show(pending)
        pending = ""
      }
    }
    let seconds = Date().timeIntervalSince(start)
    let rest = generator.finish()
    try show(pending + rest)
    return .init(
      temperature: temperature, text: text + rest,
      msPerCharacter: length > 1 ? seconds * 1000 / Double(length - 1) : nil)
  }
}

/// What was written.
struct SampleAnswer: Answer {
  struct Sample: Encodable {
    var temperature: Double
    /// The prime included.
    var text: String
    var msPerCharacter: Double?
  }

  var run: String
  var prime: String
  var seed: UInt64
  var length: Int
  var samples: [Sample]
  /// Whether the text stands on standard output already.
  var isWritten: Bool

  private enum CodingKeys: CodingKey {
    case run, prime, seed, length, samples, text, temperature, msPerCharacter
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(run, forKey: .run)
    try container.encode(prime, forKey: .prime)
    try container.encode(seed, forKey: .seed)
    try container.encode(length, forKey: .length)
    if samples.count == 1, let sample = samples.first {
      try container.encode(sample.text, forKey: .text)
      try container.encode(sample.temperature, forKey: .temperature)
      try container.encodeIfPresent(sample.msPerCharacter, forKey: .msPerCharacter)
    } else {
      try container.encode(samples, forKey: .samples)
    }
  }

  var text: String {
    if isWritten { return "" }
    let width = max(20, (Self.terminalWidth - 3 * (samples.count - 1)) / max(1, samples.count))
    return Columns(
      samples.map { ("temperature \(Text.number($0.temperature))", $0.text) }, width: width
    ).description
  }

  private static var terminalWidth: Int {
    var size = winsize()
    let found = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    return found ? Int(size.ws_col) : 120
  }
}

/// Texts side by side, broken to the width of a column.
struct Columns: CustomStringConvertible {
  private let columns: [[String]]
  private let width: Int

  init(_ texts: [(title: String, text: String)], width: Int) {
    self.width = width
    columns = texts.map { title, text in
      [title, String(repeating: "─", count: width)]
        + text.split(omittingEmptySubsequences: false) { $0.isNewline }.flatMap {
          Self.broken(String($0), width)
        }
    }
  }

  private static func broken(_ line: String, _ width: Int) -> [String] {
    let letters = Array(line.replacing("\t", with: "    "))
    guard letters.count > width else { return [String(letters)] }
    return stride(from: 0, to: letters.count, by: width).map {
      String(letters[$0..<min(letters.count, $0 + width)])
    }
  }

  var description: String {
    let rows = columns.map(\.count).max() ?? 0
    return (0..<rows).map { row in
      let cells = columns.enumerated().map { index, lines in
        let line = row < lines.count ? lines[row] : ""
        let fill = index == columns.count - 1 ? 0 : max(0, width - line.count)
        return line + String(repeating: " ", count: fill)
      }
      return cells.joined(separator: " │ ")
    }.joined(separator: "\n")
  }
}
