import Tarn

/// What a model does on samples that it was not trained on, in the units of the data.
struct HeldOut: Codable {
  var count: Int
  var loss: Double
  var accuracy: Double?
  /// The mean over the classes.
  var f1: Double?
  var rmse: Double?
  var mae: Double?
  var r2: Double?
  /// `[actual][predicted]`.
  var confusion: [[Int]]?
  var classes: [String]?
  var perClass: [ClassScore]?

  init<Model: Layer>(
    _ model: Model, _ setup: RunSetup, _ samples: some Source<Example>, _ classes: [String]
  ) throws {
    count = samples.count
    switch setup.task {
    case .classification:
      let figures = try evaluate(model, Classification<Model>(), on: samples)
      var matrix = ConfusionMatrix(classes: classes)
      matrix.add(
        predicted: try predict(model, on: samples).argMax(axis: -1).array(of: Int.self),
        actual: try Samples.labels(of: samples).map { Int($0) })
      (loss, accuracy) = (figures["loss"] ?? .nan, figures["accuracy"])
      (f1, confusion, self.classes) = (matrix.scores().macro.f1, matrix.rows, classes)
      perClass = matrix.scores().perClass
    case .regression:
      let figures = try evaluate(model, Regression<Model>(), on: samples)
      let scale = setup.table?.deviation ?? 1
      loss = figures["loss"] ?? .nan
      rmse = figures["rmse"].map { $0 * scale }
      mae = figures["mae"].map { $0 * scale }
      r2 = figures["r2"]
    }
  }

  var text: String {
    if let accuracy, let f1 {
      return "accuracy \(Text.percent(accuracy)), F1 \(Text.number(f1)), loss \(Text.number(loss))"
    }
    return "RMSE \(Text.number(rmse ?? .nan)), MAE \(Text.number(mae ?? .nan)), "
      + "R² \(Text.number(r2 ?? .nan))"
  }
}
