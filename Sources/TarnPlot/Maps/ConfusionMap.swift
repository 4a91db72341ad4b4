import TarnCore

/// How often each class was taken for each: counts in the cells, shaded by their share of the row.
///
/// ```swift
/// ConfusionMap([[48, 2], [5, 45]], classes: ["cat", "dog"])
/// ```
public struct ConfusionMap: Figure, Equatable {
  public var title: String
  /// `counts[actual][predicted]`.
  public let counts: [[Int]]
  public var classes: [String]

  /// - Parameters:
  ///   - counts: A row for each actual class, a column for each predicted one. A table that is not
  ///     square is reported.
  ///   - classes: The names; numbers when empty.
  public init(_ counts: [[Int]], classes: [String] = [], title: String = "Confusion matrix") {
    let isSquare = counts.allSatisfy { $0.count == counts.count }
    if !isSquare {
      Diagnostic.report(
        Diagnostic(
          operation: "ConfusionMap", reason: "there must be as many columns as rows",
          facts: ["rows: \(counts.count)", "columns: \(counts.map(\.count))"]))
    }
    self.counts = isSquare ? counts : []
    self.classes = classes
    self.title = title
  }

  public func drawing() -> Drawing {
    let count = counts.count
    let names = (0..<count).map { $0 < classes.count ? classes[$0] : String($0) }
    let shares = counts.flatMap { row in
      let total = row.reduce(0.0) { $0 + Double($1) }
      return row.map { total > 0 ? Double($0) / total : 0 }
    }
    let total = counts.joined().reduce(0.0) { $0 + Double($1) }
    let right = counts.indices.reduce(0.0) { $0 + Double(counts[$1][$1]) }
    let subtitle =
      total > 0
      ? "\(NumberText.percent(right / total)) of \(NumberText.fixed(total, decimals: 0)) right" : ""
    var map = HeatMap(
      title, subtitle: subtitle, total > 0 ? shares : [], rows: total > 0 ? count : 0,
      columns: total > 0 ? count : 0, x: "predicted", y: "actual", rowNames: names,
      columnNames: names, colours: .blues, range: 0...1, colourLabel: "share of actual")
    map.cellTexts = counts.joined().map { NumberText.fixed(Double($0), decimals: 0) }
    map.colourIsShare = true
    return map.drawing()
  }
}
