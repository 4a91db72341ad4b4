import Tarn

/// A data set, read and cut in three.
struct Samples {
  let name: String
  let train: any Source<Example>
  /// Nil where none is kept for it.
  let validation: (any Source<Example>)?
  let test: any Source<Example>
  /// Of one sample.
  let shape: [Int]
  /// Empty where numbers are predicted.
  let classes: [String]
  /// A number that changes when those to learn from do; nil: to be worked out by looking at every one.
  let digest: UInt64?

  /// Samples that are cut already.
  init(
    name: String, train: any Source<Example>, validation: (any Source<Example>)?,
    test: any Source<Example>, shape: [Int], classes: [String], digest: UInt64?
  ) {
    (self.name, self.train, self.validation, self.test) = (name, train, validation, test)
    (self.shape, self.classes, self.digest) = (shape, classes, digest)
  }

  /// Cuts the validation samples off those to learn from, with the same share of every class.
  init(
    name: String, learning: Subset<TensorSource>, test: Subset<TensorSource>, split: Split,
    classes: [String]
  ) throws {
    (self.name, self.test, self.classes) = (name, test, classes)
    shape = learning.base.features.rowShape
    digest = nil
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
  static func labels(of source: some Source<Example>) throws -> [Double] {
    if let known = (source as? LabelledImages)?.labels { return known.map(Double.init) }
    var labels: [Double] = []
    try source.batched(256).epoch(0).forEach { labels += $0.labels.array(of: Double.self) }
    return labels
  }
}
