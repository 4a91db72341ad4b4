/// A line chart for the terminal, in Braille dots: two columns and four rows of them a character.
///
/// ```swift
/// print(TerminalChart("loss", width: 60, height: 10).line(losses))
/// ```
///
/// Several lines are told apart by colour; without colour each has a sign of its own.
public struct TerminalChart: Sendable, Equatable, CustomStringConvertible {
  public var title: String
  /// Characters in all, numbers and axis included.
  public var width: Int
  /// Rows of the plot itself.
  public var height: Int
  public var scale: Axis.Scale
  /// What is counted along x.
  public var xLabel: String
  /// Whether to colour lines with ANSI escape codes.
  public var usesColour: Bool
  private var lines: [Line] = []

  private struct Line: Sendable, Equatable {
    let name: String
    let x: [Double]
    let y: [Double]
  }

  public init(
    _ title: String = "", width: Int = 72, height: Int = 12, scale: Axis.Scale = .linear,
    xLabel: String = "", usesColour: Bool = false
  ) {
    (self.title, self.xLabel, self.scale, self.usesColour) = (title, xLabel, scale, usesColour)
    (self.width, self.height) = (min(max(width, 24), 500), min(max(height, 3), 200))
  }

  /// Adds a line through values at `first`, `first + 1` and so on.
  public func line(_ values: [Double], from first: Int = 1, name: String = "") -> TerminalChart {
    line(x: values.indices.map { Double(first + $0) }, y: values, name: name)
  }

  /// Adds a line through the points `(x[i], y[i])`.
  public func line(x: [Double], y: [Double], name: String = "") -> TerminalChart {
    var chart = self
    chart.lines.append(Line(name: name, x: x, y: y))
    return chart
  }

  public var description: String { render().joined(separator: "\n") }

  private static let signs = Array("●×+○*")
  private static let codes = [34, 33, 32, 35, 36, 31]

  /// The rows of the chart, without line ends.
  public func render() -> [String] {
    var output = title.isEmpty ? [] : [title]
    let shown = lines.map { line in
      zip(line.x, line.y).filter { $0.isFinite && $1.isFinite && (scale == .linear || $1 > 0) }
    }
    let tall = finiteRange(shown.joined().map(\.1))
    let wide = finiteRange(shown.joined().map(\.0))
    guard var y = Scale(Axis(scale: scale), data: tall, padding: 0),
      var x = Scale(Axis(), data: wide, padding: 0)
    else { return output + ["no data"] }
    let ticks = Ticks.choose(y, target: max(height / 3, 2)).filter { !$0.label.isEmpty }
    let ends =
      ticks.isEmpty ? [Tick(value: y.high, label: NumberText.short(y.high, digits: 3))] : ticks
    let margin = min(ends.map { TextMeasure.columns($0.label) }.max() ?? 0, 14)
    let columns = max(width - margin - 2, 8)
    (y.start, y.end) = (Double(height * 4 - 1), 0)
    (x.start, x.end) = (0, Double(columns * 2 - 1))
    var canvas = DotCanvas(columns: columns, rows: height)
    for (index, points) in shown.enumerated() {
      let places = points.map { Point(x: x.position($0.0), y: y.position($0.1)) }
      canvas.draw(Thinning.line(places), line: index)
    }
    var labels = [String](repeating: "", count: height)
    for tick in ends {
      let row = Int((y.position(tick.value) / 4).rounded(.down))
      if labels.indices.contains(row) {
        labels[row] = TextMeasure.fitted(tick.label, columns: margin)
      }
    }
    for row in 0..<height {
      let pad = String(repeating: " ", count: margin - TextMeasure.columns(labels[row]))
      output.append(
        pad + labels[row] + (labels[row].isEmpty ? " │" : " ┤") + canvas.text(row, glyph))
    }
    output += footer(x, margin: margin, columns: columns)
    return output
  }

  /// One character of the plot: its dots, and the line last drawn there.
  private func glyph(_ dots: UInt8, _ line: Int) -> String {
    guard dots != 0 else { return " " }
    if lines.count > 1 && !usesColour { return String(Self.signs[line % Self.signs.count]) }
    let braille = Unicode.Scalar(0x2800 + UInt32(dots)).map { String(Character($0)) } ?? " "
    return usesColour ? coloured(braille, line) : braille
  }

  private func coloured(_ text: String, _ line: Int) -> String {
    "\u{1B}[\(Self.codes[line % Self.codes.count])m\(text)\u{1B}[0m"
  }

  private func footer(_ x: Scale, margin: Int, columns: Int) -> [String] {
    let indent = String(repeating: " ", count: margin)
    let (first, last) = (NumberText.short(x.low), NumberText.short(x.high))
    let used = TextMeasure.columns(first) + TextMeasure.columns(last)
    let label = TextMeasure.fitted(xLabel, columns: max(columns - used - 2, 0))
    let room = max(columns - used - TextMeasure.columns(label), 0)
    let left = String(repeating: " ", count: room / 2)
    let right = String(repeating: " ", count: room - room / 2)
    var rows = [
      indent + " └" + String(repeating: "─", count: columns),
      indent + "  " + first + left + label + right + last,
    ]
    let names = lines.enumerated().filter { !$0.element.name.isEmpty }.map { index, line in
      let sign = String(Self.signs[index % Self.signs.count])
      return usesColour
        ? coloured("── " + line.name, index) : lines.count > 1 ? "\(sign) \(line.name)" : line.name
    }
    if !names.isEmpty { rows.append(indent + "  " + names.joined(separator: "   ")) }
    return rows
  }
}

/// A field of dots, 2 × 4 a character.
package struct DotCanvas {
  package let columns: Int
  package let rows: Int
  private var dots: [UInt8]
  private var owner: [Int]

  /// The bits of a Braille character, by row and column.
  private static let bits: [[UInt8]] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]]

  package init(columns: Int, rows: Int) {
    (self.columns, self.rows) = (columns, rows)
    dots = [UInt8](repeating: 0, count: columns * rows)
    owner = [Int](repeating: 0, count: columns * rows)
  }

  package mutating func draw(_ points: [Point], line: Int) {
    if points.count == 1 { mark(points[0], line) }
    for (a, b) in zip(points, points.dropFirst()) {
      let steps = max(Int(max((b.x - a.x).magnitude, (b.y - a.y).magnitude).rounded(.up)), 1)
      for step in 0...steps {
        let part = Double(step) / Double(steps)
        mark(Point(x: a.x + (b.x - a.x) * part, y: a.y + (b.y - a.y) * part), line)
      }
    }
  }

  private mutating func mark(_ point: Point, _ line: Int) {
    let (x, y) = (Int(point.x.rounded()), Int(point.y.rounded()))
    guard x >= 0, y >= 0, x < columns * 2, y < rows * 4 else { return }
    let cell = y / 4 * columns + x / 2
    dots[cell] |= Self.bits[y % 4][x % 2]
    owner[cell] = line
  }

  package func text(_ row: Int, _ glyph: (UInt8, Int) -> String) -> String {
    (0..<columns).map { glyph(dots[row * columns + $0], owner[row * columns + $0]) }.joined()
  }
}
