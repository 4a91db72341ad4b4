import Tarn

/// The key figures and settings of a run's page.
extension TrainingJob {
  func tiles(_ answer: TrainingAnswer) -> [HTMLReport.Tile] {
    var tiles: [HTMLReport.Tile] = []
    let held = "\(Text.count(answer.testSamples)) held-out samples"
    if let accuracy = answer.testAccuracy {
      tiles.append(.init("test accuracy", Text.percent(accuracy), note: held))
    }
    if let f1 = answer.testF1 {
      tiles.append(.init("F1", Text.number(f1), note: "mean of classes"))
    }
    if let rmse = answer.testRmse { tiles.append(.init("RMSE", Text.number(rmse), note: held)) }
    if let mae = answer.testMae { tiles.append(.init("MAE", Text.number(mae))) }
    if let r2 = answer.testR2 { tiles.append(.init("R²", Text.number(r2))) }
    if let loss = answer.testLoss, answer.testAccuracy != nil {
      tiles.append(.init("test loss", Text.number(loss, digits: 3)))
    }
    tiles.append(.init("parameters", Text.count(answer.parameters)))
    tiles.append(
      .init("epochs", "\(answer.epochs)", note: "\(Text.count(answer.steps)) steps"))
    tiles.append(
      .init(
        "training", Text.seconds(answer.seconds),
        note: answer.samplesPerSecond.map { "\(Text.rate($0)) samples/s" } ?? ""))
    return tiles
  }

  var settings: [TrainingReport.Setting] {
    var all: [TrainingReport.Setting] = [
      .init("data", "\(setup.name), \(Text.count(samples.train.count)) samples to learn from"),
      .init("model", modelWords),
      .init("optimizer", options.optimizer.rawValue),
      .init("learning rate", Text.number(options.learningRate)),
      .init("schedule", options.schedule.description),
      .init("batch", "\(options.batchSize)"),
      .init("epochs", "\(options.epochs)"),
      .init("seed", "\(options.seed)"),
      .init("validation", Text.percent(setup.split.validation) + " of the samples to learn from"),
    ]
    func add(_ name: String, _ value: Double?) {
      if let value, value != 0 { all.append(.init(name, Text.number(value))) }
    }
    add("weight decay", options.weightDecay)
    add("warm-up steps", Double(options.warmupSteps))
    add("gradient norm at most", options.clipNorm)
    add("gradient elements at most", options.clipValue)
    add("label smoothing", setup.labelSmoothing)
    add("average of weights", options.averaging)
    add("patience", options.patience.map(Double.init))
    add("time limit in seconds", options.timeLimit)
    if let table = setup.table {
      all.append(.init("predicted column", table.target))
      all.append(.init("features", table.encoder.names.joined(separator: ", ")))
    }
    all.append(.init("machine", "\(Machine.simdLevel), threads: \(Machine.threads)"))
    all.append(.init("folder", Paths.shown(run.url)))
    return all
  }

  private var modelWords: String {
    guard card.kind == ModelKind.mlp.rawValue else { return card.kind }
    let widths = card.hidden.map(String.init).joined(separator: ", ")
    let dropout = card.dropout > 0 ? ", dropout \(Text.number(card.dropout))" : ""
    return "mlp, hidden \(widths), \(card.activation.rawValue)\(dropout)"
  }
}
