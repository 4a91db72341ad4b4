import Foundation
import TarnCore
import TarnData
import TarnNN

/// Filling a report from a model and samples that it was not trained on.
extension TrainingReport {
  /// Adds the confusion matrix, the mistakes of highest loss where samples are pictures, and the first filters.
  /// - Parameters:
  ///   - model: gives logits, [n, classes].
  ///   - source: held-out samples, with class numbers as labels.
  ///   - most: how many mistakes to show.
  public mutating func addClassification<Model: Layer>(
    of model: Model, on source: some Source<Example>, classes: [String], most: Int = 40
  ) throws {
    let verdicts = try Verdict.all(model, source)
    var matrix = ConfusionMatrix(classes: classes)
    matrix.add(predicted: verdicts.map(\.predicted), actual: verdicts.map(\.actual))
    confusion = matrix
    guard source.count > 0 else { return }
    let shape = try source.sample(at: 0).features.shape
    addFilters(of: model, input: shape)
    guard shape.count == 3, shape[0] == 1 || shape[0] == 3 else { return }
    let wrong = verdicts.filter { $0.predicted != $0.actual }
      .sorted { ($1.loss, $0.index) < ($0.loss, $1.index) }
    mistakes = try wrong.prefix(most).map { verdict in
      Mistake(
        pixels: try source.sample(at: verdict.index).features.array(of: Double.self), shape: shape,
        predicted: name(verdict.predicted, classes), actual: name(verdict.actual, classes),
        loss: verdict.loss)
    }
  }

  private func name(_ place: Int, _ classes: [String]) -> String {
    classes.indices.contains(place) ? classes[place] : "\(place)"
  }

  /// Adds predicted and actual numbers.
  /// - Parameter scale: what undoes a standardisation of the labels, as value · deviation + mean.
  public mutating func addRegression<Model: Layer>(
    of model: Model, on source: some Source<Example>, name: String,
    scale: (mean: Double, deviation: Double) = (0, 1)
  ) throws {
    func restored(_ values: [Double]) -> [Double] {
      values.map { $0 * scale.deviation + scale.mean }
    }
    let predicted = try predict(model, on: source).array(of: Double.self)
    let actual = try labels(of: source)
    fit = Fit(actual: restored(actual), predicted: restored(predicted), name: name)
  }

  /// Adds the map of what a model of two features decides.
  /// - Parameters:
  ///   - source: samples with features [2] and class numbers.
  ///   - features: names of both, with what undoes their standardisation.
  public mutating func addPlane<Model: Layer>(
    of model: Model, on source: some Source<Example>, classes: [String],
    features: [(name: String, mean: Double, deviation: Double)], cells: Int = 120
  ) throws {
    guard features.count == 2, source.count > 0 else { return }
    let points = try (0..<source.count).map { index in
      try source.sample(at: index).features.array(of: Double.self)
    }
    let spans = (0..<2).map { axis in Self.span(points.map { $0[axis] }) }
    func place(_ axis: Int, _ step: Int) -> Double {
      spans[axis].lowerBound
        + (spans[axis].upperBound - spans[axis].lowerBound) * (Double(step) + 0.5) / Double(cells)
    }
    let grid = (0..<cells).flatMap { row in
      (0..<cells).flatMap { [Float(place(0, $0)), Float(place(1, row))] }
    }
    let logits = predict(model, features: Tensor(grid, shape: [cells * cells, 2]))
    func feature(_ axis: Int) -> Plane.Feature {
      let (name, mean, deviation) = features[axis]
      return Plane.Feature(
        name: name, low: spans[axis].lowerBound * deviation + mean,
        high: spans[axis].upperBound * deviation + mean)
    }
    let actual = try labels(of: source)
    plane = Plane(
      probabilities: logits.softmax(axis: -1).array(of: Double.self), rows: cells, columns: cells,
      x: feature(0), y: feature(1),
      points: zip(points, actual).map {
        Plane.Point(
          x: $0[0] * features[0].deviation + features[0].mean,
          y: $0[1] * features[1].deviation + features[1].mean, label: Int($1))
      }, classes: classes)
  }

  /// The values' range with a margin, never empty.
  private static func span(_ values: [Double]) -> ClosedRange<Double> {
    let (low, high) = (values.min() ?? 0, values.max() ?? 1)
    let margin = max(0.08 * (high - low), 1e-3)
    return (low - margin)...(high + margin)
  }

  /// Adds the first weights that look at the input as a picture: a convolution's kernels over one channel, or the
  /// rows of a matrix.
  mutating func addFilters(of model: some Module, input shape: [Int], most: Int = 48) {
    guard shape.count == 3, shape[0] == 1,
      let first = model.parameters.first(where: { $0.tensor.rank >= 2 })
    else { return }
    let weight = first.tensor.shape
    let size: [Int]
    switch weight.count {
    case 2 where weight[1] == shape[1] * shape[2]: size = [shape[1], shape[2]]
    case 4 where weight[1] == 1: size = [weight[2], weight[3]]
    default: return
    }
    let count = min(most, weight[0])
    let values = first.tensor.array(of: Double.self).prefix(count * size[0] * size[1])
    filters = Filters(
      values: Array(values), count: count, height: size[0], width: size[1], name: first.name)
  }
}

/// What a model says of one sample.
struct Verdict {
  let index: Int
  let actual: Int
  let predicted: Int
  /// −log of the probability of the actual class.
  let loss: Double

  static func all<Model: Layer>(
    _ model: Model, _ source: some Source<Example>
  ) throws -> [Verdict] {
    let logits = try predict(model, on: source)
    guard logits.rank == 2, logits.shape[1] > 0 else { return [] }
    let classes = logits.shape[1]
    let logProbabilities = logits.logSoftmax(axis: -1).array(of: Double.self)
    return try labels(of: source).enumerated().map { index, label in
      let row = logProbabilities[(index * classes)..<((index + 1) * classes)]
      let best = row.indices.max { row[$0] < row[$1] } ?? row.startIndex
      let actual = Int(label)
      let isKnown = actual >= 0 && actual < classes
      return Verdict(
        index: index, actual: actual, predicted: best - row.startIndex,
        loss: isKnown ? -row[row.startIndex + actual] : .infinity)
    }
  }
}

/// The labels of all samples, one number each.
private func labels(of source: some Source<Example>) throws -> [Double] {
  var result: [Double] = []
  result.reserveCapacity(source.count)
  try source.batched(1024).epoch(0).forEach { result += $0.labels.array(of: Double.self) }
  return result
}
