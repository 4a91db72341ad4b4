import Tarn

/// The page of a run on a text.
extension TextJob {
  func writePage(
    _ answer: inout TextAnswer, _ history: History, _ samples: [(step: Int, text: String)]
  ) throws {
    var report = TrainingReport(
      title: "\(run.setup.card.kind.rawValue) on \(corpus.name)",
      subtitle: "run \(run.folder.url.lastPathComponent)", history: history)
    report.figures = tiles(answer)
    report.settings = settings
    let place = Paths.word(run.folder.url)
    report.next = [
      "tarn sample \(place) --temperature 0.5,0.8,1", "tarn evaluate \(place)",
      "tarn explain text \(place)", "\(resumeCommand) --epochs \(2 * options.epochs)",
    ]
    report.footer = "Tarn \(Root.version), seed \(options.seed)"
    var page = report.page()
    if !samples.isEmpty {
      page.sections.insert(sampleSection(samples), at: min(1, page.sections.count))
    }
    if !history.checks.isEmpty {
      page.sections.insert(.init("Validation", [.figure(chart(history))]), at: 0)
    }
    let file = run.folder.url("index.html")
    try page.write(to: file.path)
    answer.report = Paths.shown(file)
  }

  /// At most a dozen samples, the first and the last among them.
  private func sampleSection(_ samples: [(step: Int, text: String)]) -> HTMLReport.Section {
    let step = max(1, (samples.count + 10) / 11)
    let shown = samples.enumerated().filter {
      $0.offset % step == 0 || $0.offset == samples.count - 1
    }
    return .init(
      "What it wrote as it learned",
      shown.flatMap {
        [.prose("After \(Text.count($0.element.step)) iterations"), .code($0.element.text)]
      })
  }

  private func chart(_ history: History) -> Chart {
    let figure = "validation_loss"
    let points =
      history.checks.map { (Double($0.step), $0.values[figure]) }
      + history.epochs.map { (Double($0.step), $0[figure]) }
    let known = points.compactMap { x, y in y.map { (x, $0) } }.sorted { $0.0 < $1.0 }
    return Chart("Loss by iteration", x: Axis("iteration"), y: Axis("nats a symbol"))
      .line(x: known.map(\.0), y: known.map(\.1), name: "validation")
      .line(
        x: history.epochs.map { Double($0.step) }, y: history.values("loss"), name: "training")
  }

  private func tiles(_ answer: TextAnswer) -> [HTMLReport.Tile] {
    var tiles: [HTMLReport.Tile] = []
    if let loss = answer.valLoss {
      tiles.append(.init("validation loss", Text.number(loss), note: "nats a symbol"))
      tiles.append(.init("bits a symbol", Text.number(loss / 0.6931471805599453)))
    }
    if let loss = answer.bestValLoss, let step = answer.bestIteration {
      tiles.append(
        .init("best validation loss", Text.number(loss), note: "iteration \(Text.count(step))"))
    }
    if let loss = answer.trainLoss { tiles.append(.init("training loss", Text.number(loss))) }
    tiles.append(.init("parameters", Text.count(answer.parameters)))
    tiles.append(
      .init("symbols", Text.count(answer.symbols), note: "\(answer.vocabulary) different"))
    tiles.append(
      .init(
        "iterations", Text.count(answer.iterations),
        note: answer.msPerIteration.map { "\(Text.number($0, digits: 3)) ms each" } ?? ""))
    return tiles
  }

  private var settings: [TrainingReport.Setting] {
    let card = run.setup.card
    var all: [TrainingReport.Setting] = [
      .init("text", "\(corpus.name), \(Text.count(corpus.byteCount)) bytes"),
      .init("model", cardWords),
      .init("dropout", Text.number(card.dropout)),
      .init("streams", "\(layout.batch)"),
      .init("symbols in a piece", "\(layout.steps)"),
      .init("optimizer", options.optimizer.rawValue),
      .init("learning rate", Text.number(options.learningRate)),
      .init("schedule", options.schedule.description),
      .init("epochs", "\(options.epochs)"),
      .init("seed", "\(options.seed)"),
    ]
    if let clip = options.clipValue {
      all.append(.init("gradient elements at most", Text.number(clip)))
    }
    if let clip = options.clipNorm { all.append(.init("gradient norm at most", Text.number(clip))) }
    all.append(.init("machine", "\(Machine.simdLevel), threads: \(Machine.threads)"))
    all.append(.init("folder", Paths.shown(run.folder.url)))
    return all
  }
}
