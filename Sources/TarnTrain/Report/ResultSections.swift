import TarnCore
import TarnPlot

/// What the model does on samples that it has not seen.
extension TrainingReport {
  var confusionSection: HTMLReport.Section? {
    guard let confusion, confusion.total > 0 else { return nil }
    let map = ConfusionMap(
      confusion.rows, classes: confusion.classNames, title: "Confusion")
    return .init(
      "Classes",
      [
        .figure(map, caption: "Held-out samples: what they are, and what they were taken for."),
        .table(classTable(confusion), caption: "Each class on held-out samples."),
      ])
  }

  private func classTable(_ confusion: ConfusionMatrix) -> TextTable {
    var table = TextTable(
      ["class", "samples", "recall", "precision", "F1"],
      alignments: [0: .left, 1: .right, 2: .right, 3: .right, 4: .right])
    for (name, scores) in zip(confusion.classNames, confusion.scores(undefined: .nan).perClass) {
      let shares = [scores.recall, scores.precision, scores.f1].map {
        $0.isNaN ? "–" : NumberText.percent($0)
      }
      table.add([name, "\(scores.support)"] + shares)
    }
    return table
  }

  var mistakeSection: HTMLReport.Section? {
    guard !mistakes.isEmpty else { return nil }
    let images = mistakes.map { mistake in
      let title = "\(mistake.actual) as \(mistake.predicted)"
      let (height, width) = (mistake.shape[1], mistake.shape[2])
      return mistake.shape[0] == 3
        ? GridImage(
          planes: mistake.pixels, width: width, height: height, range: mistake.range, title: title)
        : GridImage(mistake.pixels, width: width, height: height, title: title)
    }
    let isLarge = mistakes.contains { $0.shape[1] > 64 }
    let grid = ImageGrid(
      images, columns: isLarge ? 5 : 10, size: isLarge ? 150 : 88,
      title: "Mistakes of highest loss",
      subtitle: "under each: what it is, and what it was taken for")
    return .init("Mistakes", [.figure(grid)])
  }

  var planeSection: HTMLReport.Section? {
    guard let plane else { return nil }
    let map = DecisionMap(
      "What the model decides", plane.probabilities, classes: plane.classes.count,
      rows: plane.rows, columns: plane.columns,
      x: Axis(plane.x.name, range: plane.x.low...plane.x.high),
      y: Axis(plane.y.name, range: plane.y.low...plane.y.high), classNames: plane.classes
    ).points(
      x: plane.points.map(\.x), y: plane.points.map(\.y), labels: plane.points.map(\.label))
    return .init("Decision", [.figure(map, caption: "Pale where the model is in doubt.")])
  }

  var fitSection: HTMLReport.Section? {
    guard let fit, !fit.actual.isEmpty else { return nil }
    let all = (fit.actual + fit.predicted).filter(\.isFinite)
    guard let low = all.min(), let high = all.max() else { return nil }
    let residuals = zip(fit.predicted, fit.actual).map { $0 - $1 }
    let scatter = Chart(
      "Predicted against actual", x: Axis("actual \(fit.name)"), y: Axis("predicted"), width: 520,
      height: 400
    ).line(x: [low, high], y: [low, high], name: "exact", dashed: true)
      .scatter(x: fit.actual, y: fit.predicted, name: "held-out samples")
    let errors = Chart(
      "Residuals", x: Axis("predicted \(fit.name)"), y: Axis("predicted − actual"), width: 520,
      height: 400
    ).rule(y: 0).scatter(x: fit.predicted, y: residuals)
    let spread = Chart(
      "Spread of residuals", x: Axis("predicted − actual"), y: Axis("samples"), width: 520,
      height: 320
    ).histogram(residuals)
    return .init("Fit", [.figures([scatter, errors, spread])])
  }
}
