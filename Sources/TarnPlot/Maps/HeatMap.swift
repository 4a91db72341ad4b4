import Foundation
import TarnCore

/// Numbers on a grid as colours: a matrix with named rows and columns, or a function of two
/// numbers.
///
/// ```swift
/// HeatMap("Correlation", values, rows: 4, columns: 4, colours: .diverging)
/// HeatMap("Loss", losses, rows: 51, columns: 51, colours: .viridis, contours: 12)
///   .over(x: Axis("α", range: -1...1), y: Axis("β", range: -1...1))
/// ```
///
/// What is not finite is grey.
public struct HeatMap: Figure, Equatable {
  public var title: String
  public var subtitle: String
  /// Row by row, `rows` × `columns` of them.
  public let values: [Double]
  public let rows: Int
  public let columns: Int
  public var x: Axis
  public var y: Axis
  public var rowNames: [String]
  public var columnNames: [String]
  public var colours: ColourMap
  /// How values become colours: evenly, or by their logarithm.
  public var scale: Axis.Scale
  /// The values at the ends of the colours; found from the data when nil.
  public var range: ClosedRange<Double>?
  /// How many lines of equal value to draw; only over axes, see ``over(x:y:)``.
  public var contours: Int
  /// The text on each cell; numbers are written where cells are large enough when nil.
  package var cellTexts: [String]?
  /// What the colours stand for.
  public var colourLabel: String
  package var colourIsShare = false
  package var trails: [Trail] = []

  /// A line or points over the map.
  package struct Trail: Sendable, Equatable {
    let x: [Double]
    let y: [Double]
    let joins: Bool
    let colour: RGB
  }

  /// A map of `values`, row 0 at the top.
  ///
  /// - Parameters:
  ///   - values: `rows * columns` numbers, row by row. Any other count is reported.
  ///   - x: What columns are, as text.
  ///   - y: What rows are, as text.
  public init(
    _ title: String = "", subtitle: String = "", _ values: [Double], rows: Int, columns: Int,
    x: Axis = Axis(), y: Axis = Axis(), rowNames: [String] = [], columnNames: [String] = [],
    colours: ColourMap = .viridis, scale: Axis.Scale = .linear, range: ClosedRange<Double>? = nil,
    contours: Int = 0, colourLabel: String = ""
  ) {
    let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
    let agrees = rows >= 0 && columns >= 0 && !overflow && count == values.count
    if !agrees {
      Diagnostic.report(
        Diagnostic(
          operation: "HeatMap(\"\(title)\")", reason: "there must be rows × columns values",
          facts: ["values: \(values.count)", "rows × columns: \(rows) × \(columns)"]))
    }
    (self.title, self.subtitle, self.x, self.y) = (title, subtitle, x, y)
    self.values = agrees ? values : []
    (self.rows, self.columns) = agrees ? (rows, columns) : (0, 0)
    (self.rowNames, self.columnNames) = (rowNames, columnNames)
    (self.colours, self.scale, self.range) = (colours, scale, range)
    (self.contours, self.colourLabel) = (contours, colourLabel)
  }

  /// Lays the grid over two axes: the range of each says where the first and the last column (row)
  /// stand,
  /// and y grows upward, so that row 0 is at the bottom.
  public func over(x: Axis, y: Axis) -> HeatMap {
    var map = self
    (map.x, map.y) = (x, y)
    return map
  }

  /// Draws a line through points given on the axes, such as the way of an optimizer, with dots at
  /// its steps.
  public func trail(x: [Double], y: [Double], colour: RGB = RGB(0xD55E00)) -> HeatMap {
    adding(Trail(x: x, y: y, joins: true, colour: colour))
  }

  /// Draws points given on the axes.
  public func points(x: [Double], y: [Double], colour: RGB = RGB(0xD55E00)) -> HeatMap {
    adding(Trail(x: x, y: y, joins: false, colour: colour))
  }

  private func adding(_ trail: Trail) -> HeatMap {
    var map = self
    map.trails.append(trail)
    return map
  }

  /// Whether the grid lies over two numeric axes.
  package var isOverAxes: Bool { x.range != nil && y.range != nil }

  /// The way from values to colours; nil when no value is finite.
  package var colourScale: ColourScale? {
    ColourScale(colours, values: values, range: range, kind: scale, isShare: colourIsShare)
  }
}

/// The way from values to colours, and the scale beside the map.
package struct ColourScale {
  package let map: ColourMap
  package let scale: Scale
  /// Whether the numbers are written as percentages.
  package let isShare: Bool

  package init?(
    _ map: ColourMap, values: [Double], range: ClosedRange<Double>?, kind: Axis.Scale,
    isShare: Bool = false
  ) {
    let shown = kind == .log ? values.filter { $0 > 0 } : values
    guard let found = range ?? map.range(of: shown) else { return nil }
    let axis = Axis(scale: kind, range: found.lowerBound < found.upperBound ? found : nil)
    guard let scale = Scale(axis, data: found, padding: 0) else { return nil }
    (self.map, self.scale, self.isShare) = (map, scale, isShare)
  }

  package func colour(_ value: Double) -> RGB { map.colour(scale.position(value)) }

  /// Room the bar and its numbers take to the right of a map.
  package func width(label: String) -> Double {
    18 + 14 + 8 + numbersWidth + (label.isEmpty ? 8 : 26)
  }

  private var numbersWidth: Double {
    ticks(height: 240).map { TextMeasure.width($0.label, size: 11) }.max() ?? 0
  }

  private func ticks(height: Double) -> [Tick] {
    let ticks = Ticks.choose(scale, target: max(Int(height / 44), 2)).filter { !$0.label.isEmpty }
    return isShare
      ? ticks.map { Tick(value: $0.value, label: NumberText.percent($0.value, decimals: 0)) }
      : ticks
  }

  /// Draws the bar in steps, lowest value at the bottom, with its numbers to the right.
  package func draw(_ markup: inout Markup, at box: Box, label: String) {
    let steps = 64
    for step in 0..<steps {
      let top = box.bottom - box.height * Double(step + 1) / Double(steps)
      let piece = Box(x: box.x, y: top, width: box.width, height: box.height / Double(steps) + 0.5)
      let fraction = (Double(step) + 0.5) / Double(steps)
      markup.rectangle(piece, fill: map.colour(fraction), more: " shape-rendering=\"crispEdges\"")
    }
    var placed = scale
    (placed.start, placed.end) = (box.bottom, box.y)
    for tick in ticks(height: box.height) {
      let y = placed.position(tick.value)
      markup.line(Point(x: box.right, y: y), Point(x: box.right + 4, y: y), style: Ink.lineStyle)
      markup.label(tick.label, at: Point(x: box.right + 8, y: y + 4), size: 11, kind: "soft")
    }
    let middle = Point(x: box.right + 8 + numbersWidth + 18, y: box.y + box.height / 2)
    markup.label(
      TextMeasure.fitted(label, to: box.height + 20), at: middle, anchor: .middle, turned: -90)
  }
}
