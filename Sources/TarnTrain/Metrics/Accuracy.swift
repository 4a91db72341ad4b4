import TarnCore

/// The share of predictions that are right: `Σ [predictedᵢ = actualᵢ] / n`.
///
/// ```swift
/// var accuracy = Accuracy()
/// accuracy.add(predicted: [0, 2, 1], actual: [0, 1, 1])
/// accuracy.value  // 0.6667
/// ```
public struct Accuracy: Metric {
  public private(set) var right = 0
  public private(set) var count = 0

  public init() {}

  /// Adds predicted and actual classes. Lengths that differ are reported.
  public mutating func add(predicted: [Int], actual: [Int]) {
    guard lengthsAgree("Accuracy.add", ("predicted", predicted.count), ("actual", actual.count))
    else {
      return
    }
    right += zip(predicted, actual).count { $0 == $1 }
    count += actual.count
  }

  public mutating func merge(_ other: Accuracy) {
    right += other.right
    count += other.count
  }

  public var value: Double { count == 0 ? .nan : Double(right) / Double(count) }
}

/// The share of examples whose class is among the `k` with the highest scores.
///
/// Of equal scores the later class counts as higher, as in scikit-learn. An example with a score
/// that is NaN is wrong.
public struct TopKAccuracy: Metric {
  public let k: Int
  public private(set) var right = 0
  public private(set) var count = 0

  /// - Parameter k: At least 1; less is reported.
  public init(_ k: Int = 5) {
    if k < 1 {
      Diagnostic.report(
        Diagnostic(
          operation: "TopKAccuracy(\(k))", reason: "k must be at least 1",
          hint: "TopKAccuracy(5) is usual"))
    }
    self.k = max(k, 1)
  }

  /// Adds a batch.
  ///
  /// - Parameters:
  ///   - scores: Shape [examples, classes], row by row; logits or probabilities.
  ///   - actual: The class of each example. One that has no score is reported.
  public mutating func add(scores: [Double], classes: Int, actual: [Int]) {
    let (wanted, overflow) = max(classes, 0).multipliedReportingOverflow(by: actual.count)
    guard
      lengthsAgree(
        "TopKAccuracy.add", ("scores", scores.count),
        ("examples × classes", overflow ? Int.max : wanted))
    else { return }
    if let stray = actual.first(where: { !(0..<max(classes, 0)).contains($0) }) {
      Diagnostic.report(
        Diagnostic(
          operation: "TopKAccuracy.add", reason: "class \(stray) has no score",
          facts: ["classes: 0..<\(classes)"]))
      return
    }
    for (index, label) in actual.enumerated() {
      let row = scores[(index * classes)..<((index + 1) * classes)]
      let own = row[row.startIndex + label]
      let higher = row.indices.count { place in
        row[place] > own || (row[place] == own && place - row.startIndex > label)
      }
      if higher < k && !row.contains(where: \.isNaN) { right += 1 }
    }
    count += actual.count
  }

  public mutating func merge(_ other: TopKAccuracy) {
    right += other.right
    count += other.count
  }

  public var value: Double { count == 0 ? .nan : Double(right) / Double(count) }
}
