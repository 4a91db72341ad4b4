import TarnCore
import TarnPlot

/// How often each class was taken for each.
///
/// ```swift
/// var matrix = ConfusionMatrix(classes: ["cat", "dog"])
/// matrix.add(predicted: [0, 1, 1], actual: [0, 0, 1])
/// matrix[actual: 0, predicted: 1]  // 1
/// matrix.scores().macro.f1
/// ```
public struct ConfusionMatrix: Metric {
  public let classNames: [String]
  /// `counts[actual * classes + predicted]`.
  public private(set) var counts: [Int]

  public var classes: Int { classNames.count }

  public init(classes names: [String]) {
    classNames = names
    counts = [Int](repeating: 0, count: names.count * names.count)
  }

  /// Classes named by their numbers.
  public init(classes count: Int) {
    self.init(classes: (0..<max(count, 0)).map(String.init))
  }

  /// With counts known already: `counts[actual][predicted]`, a row and a column a class.
  public init(classes names: [String], counts rows: [[Int]]) {
    self.init(classes: names)
    guard rows.count == names.count, rows.allSatisfy({ $0.count == names.count }) else {
      Diagnostic.report(
        Diagnostic(
          operation: "ConfusionMatrix", reason: "one row and one column for each class",
          facts: ["classes \(names.count)", "rows    \(rows.map(\.count))"]))
      return
    }
    counts = rows.flatMap { $0 }
  }

  /// Adds predicted and actual classes. Lengths that differ, and classes that are not there, are
  /// reported.
  public mutating func add(predicted: [Int], actual: [Int]) {
    guard
      lengthsAgree("ConfusionMatrix.add", ("predicted", predicted.count), ("actual", actual.count))
    else { return }
    let known = 0..<classes
    for labels in [predicted, actual] {
      if let stray = labels.first(where: { !known.contains($0) }) {
        Diagnostic.report(
          Diagnostic(
            operation: "ConfusionMatrix.add", reason: "there is no class \(stray)",
            facts: ["classes: 0..<\(classes)"]))
        return
      }
    }
    for (guess, truth) in zip(predicted, actual) { counts[truth * classes + guess] += 1 }
  }

  /// Adds the counts of a matrix of the same classes; of others is reported.
  public mutating func merge(_ other: ConfusionMatrix) {
    guard
      lengthsAgree(
        "ConfusionMatrix.merge", ("classes here", classes), ("classes there", other.classes))
    else { return }
    for index in counts.indices { counts[index] += other.counts[index] }
  }

  public subscript(actual actual: Int, predicted predicted: Int) -> Int {
    counts[actual * classes + predicted]
  }

  /// The rows, one for each actual class.
  public var rows: [[Int]] {
    (0..<classes).map { Array(counts[($0 * classes)..<(($0 + 1) * classes)]) }
  }

  /// Examples added.
  public var total: Int { counts.reduce(0, +) }

  /// The share that is right.
  public var value: Double {
    total == 0
      ? .nan
      : Double((0..<classes).reduce(0) { $0 + self[actual: $1, predicted: $1] }) / Double(total)
  }

  /// As a picture.
  public var figure: ConfusionMap { ConfusionMap(rows, classes: classNames) }
}
