import TarnCore
import TarnData

/// A random change of a whole batch, whose pictures are mixed with one another. Labels become shares of
/// classes, [n, classes], which cross-entropy takes as they are.
public protocol BatchMixing: Sendable {
  /// - Parameters:
  ///   - batch: features [n, ...] and labels [n] or shares [n, classes].
  func callAsFunction(
    _ batch: Batch, classes: Int, using generator: inout SeededGenerator
  ) -> Batch
}

/// Each picture mixed with another: λ x + (1 − λ) x′, and the labels likewise; λ from Beta(α, α).
///
/// Zhang, Cissé, Dauphin, Lopez-Paz, *mixup: Beyond Empirical Risk Minimization*, 2017.
public struct Mixup: BatchMixing, Hashable {
  public var alpha: Double

  public init(alpha: Double = 1) { self.alpha = checkedAlpha(alpha, "Mixup") }

  public func callAsFunction(
    _ batch: Batch, classes: Int, using generator: inout SeededGenerator
  ) -> Batch {
    let share = generator.beta(alpha, alpha)
    return Batch(
      features: mixed(batch.features, share), labels: mixed(shares(batch.labels, classes), share))
  }
}

/// A rectangle of each picture taken from another, and the labels mixed by its area.
///
/// Yun and others, *CutMix*, 2019: sides √(1 − λ) of the picture's, around a random place, cut at its rim.
public struct CutMix: BatchMixing, Hashable {
  public var alpha: Double

  public init(alpha: Double = 1) { self.alpha = checkedAlpha(alpha, "CutMix") }

  public func callAsFunction(
    _ batch: Batch, classes: Int, using generator: inout SeededGenerator
  ) -> Batch {
    let shape = batch.features.shape
    guard shape.count == 4 else {
      return Diagnostic.report(
        Diagnostic(
          operation: "CutMix", reason: "pictures of a batch have the shape [n, C, H, W]",
          facts: ["features \(shape)"]), giving: batch)
    }
    let (height, width) = (shape[2], shape[3])
    let half = 0.5 * (1 - generator.beta(alpha, alpha)).squareRoot()
    let (x, y) = (generator.integer(below: width), generator.integer(below: height))
    let (halfWidth, halfHeight) = (Int(half * Double(width)), Int(half * Double(height)))
    let columns = max(0, x - halfWidth)..<min(width, x + halfWidth)
    let rows = max(0, y - halfHeight)..<min(height, y + halfHeight)
    let share = 1 - Double(columns.count * rows.count) / Double(width * height)
    return Batch(
      features: pasted(batch.features, rows, columns),
      labels: mixed(shares(batch.labels, classes), share))
  }

  /// The rectangle of every picture from the one before it.
  private func pasted(_ features: Tensor, _ rows: Range<Int>, _ columns: Range<Int>) -> Tensor {
    let shape = features.shape
    let (channels, height, width) = (shape[1], shape[2], shape[3])
    let old = features.array(of: Float.self)
    var new = old
    for picture in 0..<shape[0] {
      let other = (picture + shape[0] - 1) % shape[0]
      for channel in 0..<channels {
        for row in rows {
          let line = (channel * height + row) * width
          let (to, from) = (
            picture * channels * height * width + line, other * channels * height * width + line
          )
          for column in columns { new[to + column] = old[from + column] }
        }
      }
    }
    return Tensor(new, shape: shape)
  }
}

/// One of several, drawn for each batch.
public struct RandomMixing: BatchMixing {
  public var choices: [any BatchMixing]

  public init(_ choices: [any BatchMixing] = [Mixup(), CutMix()]) { self.choices = choices }

  public func callAsFunction(
    _ batch: Batch, classes: Int, using generator: inout SeededGenerator
  ) -> Batch {
    guard !choices.isEmpty else {
      return Batch(features: batch.features, labels: shares(batch.labels, classes))
    }
    return choices[generator.integer(below: choices.count)](
      batch, classes: classes, using: &generator)
  }
}

private func checkedAlpha(_ alpha: Double, _ operation: String) -> Double {
  if alpha > 0 && alpha.isFinite { return alpha }
  return Diagnostic.report(
    Diagnostic(operation: operation, reason: "alpha must be above 0", facts: ["alpha \(alpha)"]),
    giving: 1)
}

/// share · x + (1 − share) · the one before it.
private func mixed(_ rows: Tensor, _ share: Double) -> Tensor {
  guard let count = rows.shape.first, count > 1 else { return rows }
  let values = rows.array(of: Float.self)
  let length = values.count / count
  let (own, other) = (Float(share), Float(1 - share))
  let result = [Float](unsafeUninitializedCapacity: values.count) { room, filled in
    for row in 0..<count {
      let (to, from) = (row * length, (row + count - 1) % count * length)
      for i in 0..<length { room[to + i] = own * values[to + i] + other * values[from + i] }
    }
    filled = values.count
  }
  return Tensor(result, shape: rows.shape)
}

/// Class numbers [n] as shares [n, classes].
private func shares(_ labels: Tensor, _ classes: Int) -> Tensor {
  if labels.rank == 2 && labels.dtype.isFloating { return labels }
  let numbers = labels.array(of: Int.self)
  var result = [Float](repeating: 0, count: numbers.count * max(0, classes))
  for (row, number) in numbers.enumerated() {
    guard (0..<classes).contains(number) else {
      return Diagnostic.report(
        Diagnostic(
          operation: "BatchMixing", reason: "label \(number) is no class",
          facts: ["classes \(classes)"]), poison: [numbers.count, max(0, classes)])
    }
    result[row * classes + number] = 1
  }
  return Tensor(result, shape: [numbers.count, classes])
}

/// A source whose batches are mixed at random, anew every epoch.
///
/// The random numbers of a batch depend on the seed, the epoch and the samples in it only.
public struct MixedSource<Base: BatchSource>: BatchSource where Base.Batch == Batch {
  public typealias Sample = Example
  public typealias Batch = TarnData.Batch

  public let base: Base
  public let mixing: any BatchMixing
  public let classes: Int
  public let seed: UInt64

  public var count: Int { base.count }

  /// A picture by itself is not mixed; its label is in shares as those of batches are.
  public func sample(at index: Int) throws -> Example {
    try sample(at: index, epoch: 0)
  }

  public func sample(at index: Int, epoch: Int) throws -> Example {
    let batch = try base.batch(at: [index], epoch: epoch)
    return Example(features: batch.features[0], label: shares(batch.labels, classes)[0])
  }

  public func batch(at indices: [Int], epoch: Int) throws -> Batch {
    var generator = SeededGenerator(seed: seed).forked(UInt64(bitPattern: Int64(epoch)))
    for index in indices { generator = generator.forked(UInt64(bitPattern: Int64(index))) }
    return mixing(
      try base.batch(at: indices, epoch: epoch), classes: classes, using: &generator)
  }
}

extension BatchSource where Batch == TarnData.Batch {
  /// Batches mixed by ``Mixup``, ``CutMix`` or a choice of them, anew every epoch.
  public func mixed(
    by mixing: any BatchMixing = RandomMixing(), classes: Int, seed: UInt64
  ) -> MixedSource<Self> {
    MixedSource(base: self, mixing: mixing, classes: classes, seed: seed)
  }
}
