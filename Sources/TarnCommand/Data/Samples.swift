import Tarn

/// A data set, read and cut in three.
struct Samples {
  let name: String
  let train: Subset<TensorSource>
  /// Nil where none is kept for it.
  let validation: Subset<TensorSource>?
  let test: Subset<TensorSource>
  /// Of one sample.
  let shape: [Int]
  /// Empty where numbers are predicted.
  let classes: [String]

  /// Cuts the validation samples off those to learn from, with the same share of every class.
  init(
    name: String, learning: Subset<TensorSource>, test: Subset<TensorSource>, split: Split,
    classes: [String]
  ) throws {
    (self.name, self.test, self.classes) = (name, test, classes)
    shape = learning.base.features.rowShape
    guard split.validation > 0 else {
      (train, validation) = (learning, nil)
      return
    }
    let shares = [1 - split.validation, split.validation]
    let parts: [[Int]]
    if classes.isEmpty {
      parts = learning.split(shares, seed: split.seed).map(\.indices)
    } else {
      let labels = learning.base.labels.tensor.array(of: Int.self)
      parts = learning.stratifiedSplit(
        shares, by: learning.indices.map { labels[$0] }, seed: split.seed
      ).map(\.indices)
    }
    let chosen = parts.map { part in learning.base.subset(part.map { learning.indices[$0] }) }
    train = chosen[0]
    validation = chosen[1].count > 0 ? chosen[1] : nil
  }

  /// The class numbers, or the numbers to predict, of some of the samples.
  static func labels(of source: Subset<TensorSource>) throws -> [Double] {
    var labels: [Double] = []
    try source.batched(1024).epoch(0).forEach { labels += $0.labels.array(of: Double.self) }
    return labels
  }
}
