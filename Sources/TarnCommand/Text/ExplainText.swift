import ArgumentParser
import Foundation
import Tarn

/// `tarn explain`.
struct Explain: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows what a network sees.", subcommands: [ExplainText.self])
}

/// `tarn explain text`.
struct ExplainText: Verb {
  static let configuration = CommandConfiguration(
    commandName: "text", abstract: "Shows what a text model's cells do, as a page.",
    discussion: """
      The text coloured by any cell, what the model expected after each character, how surprising each was, and the cells \
      that keep track of something: quotations, brackets, indentation, the place in a line, links, comments.
      """)

  @Argument(help: ArgumentHelp("The run's folder.", valueName: "run"))
  var run: String

  @Option(
    help: ArgumentHelp(
      "A text to read. (default: the run's own, where it is validated)", valueName: "file"))
  var input: String?

  @Option(help: "How many characters to read at most.")
  var length = 20_000

  @Option(help: "How many of them to show.")
  var shown = 3000

  @Option(
    help: ArgumentHelp(
      "The page. (default: cells.html in the run's folder)", valueName: "file.html"))
  var out: String?

  @Flag(help: "Use the weights of the best validation instead of the last ones.")
  var best = false

  @OptionGroup var textCommon: TextCommonOptions

  var common: CommonOptions { textCommon.options }

  func validate() throws {
    try check("length", length, 2...10_000_000)
    try check("shown", shown, 1...100_000)
  }

  func answer(_ console: Console) throws -> ExplainTextAnswer {
    let text = try TextRun(Paths.run(run))
    let model = try text.model(best ? .best : .last)
    let (symbols, name) = try symbols(text)
    console.note("reading \(Text.count(symbols.count)) \(text.vocabulary.unit.name(symbols.count))")
    func read(_ model: some LanguageModel) -> TextReading { TextReading(model, symbols) }
    let reading = read(model)
    let search = CellSearch(reading, text.vocabulary)
    var page = ReadingPage(
      reading, text.vocabulary, search: search,
      title: "What \(text.folder.url.lastPathComponent) sees")
    page.subtitle =
      "\(model.card.kind.rawValue) of \(model.card.layers) × \(model.card.size), \(name)"
    page.shown = shown
    page.footer = "Tarn \(Root.version)"
    let file = out.map { URL(fileURLWithPath: $0) } ?? text.folder.url("cells.html")
    try page.report().write(to: file.path)
    return ExplainTextAnswer(
      run: Paths.shown(text.folder.url), page: Paths.shown(file), data: name,
      symbols: symbols.count, loss: reading.meanLoss,
      bitsPerCharacter: reading.meanLoss / 0.6931471805599453, cells: reading.cellCount,
      interpretable: search.interpretable, features: search.byFeature)
  }

  /// The text given, or where the run's own is validated.
  private func symbols(_ text: TextRun) throws -> (symbols: [Int], name: String) {
    if let input {
      let corpus = try Corpus(contentsOf: URL(fileURLWithPath: input), vocabulary: text.vocabulary)
      return (corpus[0..<min(length, corpus.count)], corpus.name)
    }
    let corpus = try text.corpus()
    let layout = try text.setup.layout(of: corpus)
    let start = layout.train * layout.steps
    return (corpus[start..<min(corpus.count, start + length)], corpus.name)
  }
}

/// What was found.
struct ExplainTextAnswer: Answer {
  var run: String
  var page: String
  var data: String
  var symbols: Int
  var loss: Double
  var bitsPerCharacter: Double
  var cells: Int
  /// Share of the cells that keep track of something.
  var interpretable: Double
  /// The best cell for each, layers and cells from 0.
  var features: [CellSearch.Match]

  var text: String {
    var lines: [String] = []
    if !features.isEmpty {
      var table = TextTable(["feature", "layer", "cell", "correlation"])
      for match in features {
        table.add([
          match.feature, "\(match.layer + 1)", "\(match.cell + 1)",
          Text.number(match.correlation, digits: 3),
        ])
      }
      lines += [table.description, ""]
      lines.append(
        "\(Text.percent(interpretable)) of \(Text.count(cells)) cells keep track of something")
    }
    lines.append("loss \(Text.number(loss)) nats, \(Text.number(bitsPerCharacter)) bits")
    lines.append("page \(page)")
    return lines.joined(separator: "\n")
  }
}
