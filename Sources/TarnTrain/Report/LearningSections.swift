import TarnCore
import TarnPlot

/// How it went: loss, figures, learning rate and weights over the epochs.
extension TrainingReport {
  var learning: HTMLReport.Section? {
    guard !history.epochs.isEmpty else { return nil }
    var charts: [any Figure] = [curve("loss", "Loss", scale: lossScale)]
    for name in shownFigures { charts.append(curve(name, Self.title(of: name))) }
    if let rates = learningRates { charts.append(rates) }
    var items: [HTMLReport.Item] = [.prose(outcome), .figures(charts)]
    if history.epochs.count > 1 { items.append(.prose(speed)) }
    return .init("Learning", items)
  }

  /// The figures that have a curve of their own, beside the loss. The errors of a regression tell no more than its loss.
  private var shownFigures: [String] {
    let all = Set(history.epochs.flatMap { $0.values.keys })
      .filter { !$0.hasPrefix("validation_") && !["loss", "mae", "rmse"].contains($0) }
    return all.sorted()
  }

  static func title(of figure: String) -> String {
    switch figure {
    case "r2": "R²"
    case "rmse", "mae": figure.uppercased()
    default: figure.prefix(1).uppercased() + figure.dropFirst().replacing("_", with: " ")
    }
  }

  /// Logarithmic where the loss spans more than a factor of twenty.
  private var lossScale: Axis.Scale {
    let values = history.values("loss") + history.values("validation_loss")
    guard let low = values.min(), let high = values.max(), low > 0, low.isFinite, high.isFinite
    else { return .linear }
    return high > 20 * low ? .log : .linear
  }

  private func curve(_ name: String, _ title: String, scale: Axis.Scale = .linear) -> Chart {
    var chart = Chart(
      title, x: Axis("epoch"), y: Axis("", scale: scale), width: 520, height: 320)
    let validated = points("validation_" + name)
    chart = adding(chart, points(name), "training")
    if !validated.x.isEmpty { chart = adding(chart, validated, "validation") }
    if let best = history.bestEpoch, history.epochs.count > 1, !validated.x.isEmpty {
      chart = chart.rule(x: Double(best), name: "best epoch")
    }
    return chart
  }

  private func adding(_ chart: Chart, _ points: (x: [Double], y: [Double]), _ name: String) -> Chart
  {
    let marker: Marker = points.x.count <= 40 ? .circle : .none
    return chart.line(x: points.x, y: points.y, name: name, marker: marker)
  }

  private func points(_ name: String) -> (x: [Double], y: [Double]) {
    let known = history.epochs.filter { $0[name] != nil }
    return (known.map { Double($0.epoch) }, known.compactMap { $0[name] })
  }

  /// Left out where it is the same all along.
  private var learningRates: Chart? {
    let rates = history.epochs.map(\.learningRate)
    guard Set(rates).count > 1 else { return nil }
    return Chart("Learning rate", x: Axis("epoch"), y: Axis(), width: 520, height: 320)
      .line(x: history.epochs.map { Double($0.epoch) }, y: rates)
  }

  private var outcome: String {
    let count = history.epochs.count
    let reason = history.stopReason.map { ": \($0)" } ?? ""
    let best = history.bestEpoch.map { " Epoch \($0) was the best." } ?? ""
    return "\(count) \(count == 1 ? "epoch" : "epochs") in \(history.steps) steps\(reason).\(best)"
  }

  private var speed: String {
    let seconds = history.epochs.reduce(0) { $0 + $1.seconds }
    let rates = history.epochs.map(\.samplesPerSecond).sorted()
    let middle = NumberText.short(rates[rates.count / 2], digits: 3)
    return "\(NumberText.short(seconds, digits: 3)) s in all, \(middle) samples a second in "
      + "the median epoch."
  }

  var weightSection: HTMLReport.Section? {
    var items: [HTMLReport.Item] = []
    if let filters {
      items.append(
        .figure(
          ImageGrid.weights(
            filters.values, count: filters.count, width: filters.width, height: filters.height,
            columns: 12, size: 64, title: "What the first layer looks for"),
          caption: "The first \(filters.count) rows of \(filters.name): red where a bright pixel "
            + "excites the unit, blue where it inhibits it."))
    }
    if let chart = largestWeights {
      items.append(
        .figure(
          chart,
          caption:
            "One line for each layer. Growth without end calls for weight decay or a smaller step.")
      )
    }
    return items.isEmpty ? nil : .init("Weights", items)
  }

  /// The largest absolute weight of each layer over the epochs.
  private var largestWeights: Chart? {
    let names = history.epochs.first?.largestWeights.map(\.name).filter { $0.hasSuffix("weight") }
    guard let names, !names.isEmpty, history.epochs.count > 1 else { return nil }
    let chart = Chart(
      "Largest absolute weight", x: Axis("epoch"), y: Axis(), width: 640, height: 340)
    return names.prefix(12).reduce(chart) { chart, name in
      let known = history.epochs.compactMap { epoch in
        epoch.largestWeights.first { $0.name == name }.map { (Double(epoch.epoch), $0.value) }
      }
      return chart.line(x: known.map(\.0), y: known.map(\.1), name: name)
    }
  }

  var modelSection: HTMLReport.Section? {
    summary.isEmpty ? nil : .init("Model", [.code(summary)])
  }

  var settingSection: HTMLReport.Section? {
    var items: [HTMLReport.Item] = []
    if !settings.isEmpty {
      items.append(
        .table(
          TextTable(
            ["setting", "value"], settings.map { [$0.name, $0.value] }, alignments: [1: .left],
            columnLimit: 400)))
    }
    if !next.isEmpty { items.append(.code(next.joined(separator: "\n"))) }
    return items.isEmpty ? nil : .init("Settings", items)
  }
}
