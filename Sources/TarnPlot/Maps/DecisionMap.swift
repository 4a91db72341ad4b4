import TarnCore

/// What a classifier says all over a plane, and the points it was trained on.
///
/// The colour of a place mixes those of the classes by their probabilities, so that doubt is seen
/// as paleness.
///
/// ```swift
/// DecisionMap("Two moons", probabilities, classes: 2, rows: 100, columns: 100,
///   x: Axis("x₁", range: -2...3), y: Axis("x₂", range: -1.5...2))
///   .points(x: xs, y: ys, labels: labels)
/// ```
public struct DecisionMap: Figure, Equatable {
  public var title: String
  public var subtitle: String
  /// Probabilities, shape [rows, columns, classes]; row 0 at the bottom.
  public let probabilities: [Double]
  public let classes: Int
  public let rows: Int
  public let columns: Int
  public var x: Axis
  public var y: Axis
  public var classNames: [String]
  private var points: [(x: Double, y: Double, label: Int)] = []

  /// - Parameters:
  ///   - probabilities: `rows * columns * classes` numbers in 0…1. Any other count is reported.
  ///   - x: An axis whose range says where the outer edges of the grid are; 0…1 when it has none.
  ///   - y: Likewise, from the bottom up.
  public init(
    _ title: String = "", subtitle: String = "", _ probabilities: [Double], classes: Int, rows: Int,
    columns: Int, x: Axis = Axis(), y: Axis = Axis(), classNames: [String] = []
  ) {
    let (cells, overflow) = rows.multipliedReportingOverflow(by: columns)
    let (count, overflow2) = cells.multipliedReportingOverflow(by: classes)
    let agrees =
      !overflow && !overflow2 && min(rows, columns, classes) >= 0 && count == probabilities.count
    if !agrees {
      Diagnostic.report(
        Diagnostic(
          operation: "DecisionMap(\"\(title)\")",
          reason: "there must be rows × columns × classes probabilities",
          facts: [
            "probabilities: \(probabilities.count)",
            "rows × columns × classes: \(rows) × \(columns) × \(classes)",
          ]))
    }
    (self.title, self.subtitle, self.x, self.y) = (title, subtitle, x, y)
    self.probabilities = agrees ? probabilities : []
    (self.rows, self.columns, self.classes) = agrees ? (rows, columns, classes) : (0, 0, 0)
    self.classNames = classNames
  }

  /// From the class decided on at each place, shape [rows, columns].
  public init(
    _ title: String = "", subtitle: String = "", decisions: [Int], classes: Int, rows: Int,
    columns: Int, x: Axis = Axis(), y: Axis = Axis(), classNames: [String] = []
  ) {
    let sure = decisions.flatMap { decision in
      (0..<max(classes, 0)).map { $0 == decision ? 1.0 : 0 }
    }
    self.init(
      title, subtitle: subtitle, sure, classes: classes, rows: rows, columns: columns, x: x, y: y,
      classNames: classNames)
  }

  /// Adds labelled points.
  public func points(x: [Double], y: [Double], labels: [Int]) -> DecisionMap {
    if x.count != y.count || x.count != labels.count {
      Diagnostic.report(
        Diagnostic(
          operation: "DecisionMap.points", reason: "x, y and labels must be of one length",
          facts: ["x: \(x.count)", "y: \(y.count)", "labels: \(labels.count)"]))
    }
    var map = self
    for (place, label) in zip(zip(x, y), labels) { map.points.append((place.0, place.1, label)) }
    return map
  }

  public static func == (a: DecisionMap, b: DecisionMap) -> Bool {
    a.title == b.title && a.subtitle == b.subtitle && a.probabilities == b.probabilities
      && a.rows == b.rows && a.columns == b.columns && a.x == b.x && a.y == b.y
      && a.classNames == b.classNames && a.points.elementsEqual(b.points, by: ==)
  }

  public func drawing() -> Drawing {
    let (width, height) = (560.0, 480.0)
    var markup = Markup()
    let heading = Heading(title: title, subtitle: subtitle, width: width)
    let labels = points.map(\.label)
    let shown = max(classes, (labels.max() ?? -1) + 1)
    let entries = (0..<min(shown, 40)).map {
      Legend.Entry(
        name: $0 < classNames.count ? classNames[$0] : "class \($0)", colour: Palette.colour($0),
        sign: points.isEmpty ? .area(opacity: 0.6) : .marker(.numbered($0)))
    }
    let legend = Legend(entries: entries, width: width - 24)
    heading.draw(&markup)
    var (xAxis, yAxis) = (x, y)
    (xAxis.range, yAxis.range) = (x.range ?? 0...1, y.range ?? 0...1)
    guard rows > 0, columns > 0, classes > 0, let xScale = Scale(xAxis, data: nil, padding: 0),
      let yScale = Scale(yAxis, data: nil, padding: 0)
    else {
      markup.label(
        "no data", at: Point(x: width / 2, y: height / 2), anchor: .middle, size: 14, kind: "soft")
      return Drawing(width: width, height: height, label: title, body: markup.text)
    }
    legend.draw(&markup, at: Point(x: 12, y: heading.height + 4))
    let area = PlotArea(
      width: width, height: height, top: heading.height + legend.height + 12, x: xScale, y: yScale,
      xLabel: x.label, yLabel: y.label, xMarks: .numbers(wholeNumbers: false),
      yMarks: .numbers(wholeNumbers: false), hasGrid: false)
    drawRegions(&markup, area)
    drawPoints(&markup, area)
    area.drawAxes(&markup, xLabel: x.label, yLabel: y.label, pictureHeight: height)
    return Drawing(width: width, height: height, label: title, body: markup.text)
  }

  /// The colour of a place: classes mixed by probability, then lightened so that points stand out.
  package func colour(row: Int, column: Int) -> RGB {
    let first = (row * columns + column) * classes
    let here = probabilities[first..<(first + classes)].map { $0.isFinite ? max($0, 0) : 0 }
    let total = here.reduce(0, +)
    guard total > 0, total.isFinite else { return RGB(0xC8CCD1) }
    var (red, green, blue) = (0.0, 0.0, 0.0)
    for (index, share) in here.enumerated() {
      let colour = Palette.colour(index)
      red += share / total * Double(colour.red) / 255
      green += share / total * Double(colour.green) / 255
      blue += share / total * Double(colour.blue) / 255
    }
    let mixed = RGB(red: RGB.byte(red), green: RGB.byte(green), blue: RGB.byte(blue))
    // The surer, the stronger: 0 when all classes are as likely, 1 when one is certain.
    let even = 1 / Double(classes)
    let sureness = classes > 1 ? ((here.max() ?? 0) / total - even) / (1 - even) : 1
    return mixed.mixed(with: Ink.paper, 0.82 - 0.3 * sureness)
  }

  private func drawRegions(_ markup: inout Markup, _ area: PlotArea) {
    let bitmap = Bitmap(width: columns, height: rows) { row, column in
      colour(row: rows - 1 - row, column: column)
    }
    markup.cells(bitmap, in: area.box)
  }

  private func drawPoints(_ markup: inout Markup, _ area: PlotArea) {
    for label in Set(points.map(\.label)).sorted() {
      let mine = points.filter { $0.label == label }
      let runs = Thinning.runs(mine.map(\.x), mine.map(\.y), area).flatMap { $0 }
      let marker = Marker.numbered(label)
      let dots = Thinning.cloud(runs)
      let radius = points.count > 500 ? 2.0 : 3.2
      markup.clipped(to: area.box) { inner in
        if marker != .cross {
          let halo = dots.map { marker.path(at: $0, radius: radius + 1.2) }.joined()
          inner.path(halo, style: marker.style(colour: Ink.paper, radius: radius + 1.2))
        }
        let path = dots.map { marker.path(at: $0, radius: radius) }.joined()
        inner.path(path, style: marker.style(colour: Palette.colour(label), radius: radius))
      }
    }
  }
}
