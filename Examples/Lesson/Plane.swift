import Tarn

/// A rectangle of the plane cut into cells, to see what a function of two numbers does all over it.
public struct Plane: Sendable {
  public let x: ClosedRange<Double>
  public let y: ClosedRange<Double>
  public let columns: Int
  public let rows: Int

  public init(
    x: ClosedRange<Double>, y: ClosedRange<Double>, columns: Int = 96, rows: Int = 80
  ) {
    (self.x, self.y, self.columns, self.rows) = (x, y, columns, rows)
  }

  /// A plane with some room around points [n, 2].
  public init(around points: Tensor, columns: Int = 96, rows: Int = 80) {
    func range(_ values: Tensor) -> ClosedRange<Double> {
      let (low, high) = (values.min().item(), values.max().item())
      let room = 0.1 * (high - low) + 1e-3
      return (low - room)...(high + room)
    }
    self.init(
      x: range(points[.all, 0]), y: range(points[.all, 1]), columns: columns, rows: rows)
  }

  /// The middles of the cells, [rows · columns, 2], the lowest row first.
  public var points: Tensor {
    func middles(_ range: ClosedRange<Double>, _ count: Int) -> Tensor {
      let inner = Self.inner(range, count)
      return .linspace(from: inner.lowerBound, to: inner.upperBound, count: count)
    }
    let across = middles(x, columns).broadcast(to: [rows, columns])
    let up = middles(y, rows).expandedDims(1).broadcast(to: [rows, columns])
    return Tensor.stacked([across, up], axis: -1).reshaped(-1, 2).evaluate()
  }

  /// From the middle of the first cell to that of the last.
  private static func inner(_ range: ClosedRange<Double>, _ count: Int) -> ClosedRange<Double> {
    let half = (range.upperBound - range.lowerBound) / Double(2 * count)
    return (range.lowerBound + half)...(range.upperBound - half)
  }

  /// Values at the points, drawn with lines of equal value.
  public func heatMap(_ title: String, _ values: Tensor, contours: Int = 14) -> HeatMap {
    HeatMap(title, values.numbers, rows: rows, columns: columns, contours: contours).over(
      x: Axis("x₀", range: Self.inner(x, columns)), y: Axis("x₁", range: Self.inner(y, rows)))
  }

  /// What a classifier says at the points, from probabilities [rows · columns, classes], and data
  /// over it.
  public func decisionMap(_ title: String, _ probabilities: Tensor, data: Batch) -> DecisionMap {
    DecisionMap(
      title, probabilities.numbers, classes: probabilities.shape[1], rows: rows, columns: columns,
      x: Axis("x₀", range: x), y: Axis("x₁", range: y)
    ).points(
      x: data.features[.all, 0].numbers, y: data.features[.all, 1].numbers,
      labels: data.labels.array(of: Int.self))
  }

  /// Characters for the terminal: a light or dark ground for the class decided on, and the class
  /// number where there is an example.
  public func terminalMap(_ probabilities: Tensor, data: Batch) -> String {
    let grounds = Array("·░▒▓")
    var cells = probabilities.argMax(axis: 1).array(of: Int.self).map { grounds[$0 % 4] }
    let points = zip(data.features[.all, 0].numbers, data.features[.all, 1].numbers)
    for ((px, py), label) in zip(points, data.labels.array(of: Int.self)) {
      let column = Int((px - x.lowerBound) / (x.upperBound - x.lowerBound) * Double(columns))
      let row = Int((py - y.lowerBound) / (y.upperBound - y.lowerBound) * Double(rows))
      guard (0..<columns).contains(column), (0..<rows).contains(row) else { continue }
      cells[row * columns + column] = Character("\(label % 10)")
    }
    return (0..<rows).reversed()
      .map { String(cells[($0 * columns)..<(($0 + 1) * columns)]) }.joined(separator: "\n")
  }
}
