extension Chart {
  public func drawing() -> Drawing {
    var markup = Markup()
    let legend = Legend(entries: series.compactMap(\.legendEntry), width: width - 24)
    let heading = Heading(title: title, subtitle: subtitle, width: width)
    let top = heading.height + legend.height + 12
    heading.draw(&markup)
    if let area = area(top: top) {
      legend.draw(&markup, at: Point(x: 12, y: heading.height + 4))
      area.drawGrid(&markup)
      draw(&markup, in: area)
      area.drawAxes(&markup, xLabel: x.label, yLabel: y.label, pictureHeight: height)
      drawNote(&markup)
    } else {
      markup.label(
        "no data", at: Point(x: width / 2, y: (height + heading.height) / 2), anchor: .middle,
        size: 14, kind: "soft")
    }
    let label = title.isEmpty ? "\(y.label) over \(x.label)" : title
    return Drawing(width: width, height: height, label: label, body: markup.text)
  }

  private func area(top: Double) -> PlotArea? {
    let ranges = series.map { $0.ranges(self) }
    let standsOnZero = y.scale == .linear && series.contains(where: \.standsOnZero)
    var tall = finiteRange(ranges.compactMap(\.y).flatMap { [$0.lowerBound, $0.upperBound] })
    if standsOnZero, let found = tall {
      tall = min(found.lowerBound, 0)...max(found.upperBound, 0)
    }
    let wide = finiteRange(ranges.compactMap(\.x).flatMap { [$0.lowerBound, $0.upperBound] })
    let hasPoints = series.contains { if case .scatter = $0.shape { true } else { false } }
    let isFlush = standsOnZero || !categories.isEmpty
    guard let yScale = Scale(y, data: tall, padding: 0.05),
      let xScale = Scale(x, data: wide, padding: isFlush ? 0 : hasPoints ? 0.04 : 0.015)
    else { return nil }
    return PlotArea(
      width: width, height: height, top: top, x: xScale,
      y: standsOnZero && y.range == nil ? yScale.grounded(by: tall) : yScale,
      // The note stands where the label does, so room is kept for either.
      xLabel: x.label.isEmpty && hiddenCount > 0 ? " " : x.label, yLabel: y.label,
      xMarks: categories.isEmpty ? .numbers(wholeNumbers: hasWholeX) : .names(categories),
      yMarks: .numbers(wholeNumbers: hasWholeY))
  }

  /// Whether every value along x is a whole number, as epochs and steps are.
  private var hasWholeX: Bool {
    series.allSatisfy {
      switch $0.shape {
      case .line(let x, _, _, _), .scatter(let x, _, _, _), .band(let x, _, _):
        x.allSatisfy(\.isWhole)
      case .verticalRule(let x): x.isWhole
      default: false
      }
    }
  }

  private var hasWholeY: Bool {
    series.allSatisfy {
      switch $0.shape {
      case .line(_, let y, _, _), .scatter(_, let y, _, _), .bars(let y): y.allSatisfy(\.isWhole)
      case .histogram: true
      case .horizontalRule(let y): y.isWhole
      default: false
      }
    }
  }

  private func drawNote(_ markup: inout Markup) {
    let hidden = hiddenCount
    guard hidden > 0 else { return }
    let kind = x.scale == .log || y.scale == .log ? "finite and positive" : "finite"
    let values = hidden == 1 ? "1 value is" : "\(hidden) values are"
    markup.label(
      "\(values) not \(kind), so not shown", at: Point(x: width - 10, y: height - 10), anchor: .end,
      size: 10, kind: "soft")
  }
}

extension Scale {
  /// This scale with its lower (or upper) end at zero exactly, for shapes that stand on zero.
  fileprivate func grounded(by data: ClosedRange<Double>?) -> Scale {
    guard let data else { return self }
    if data.lowerBound == 0, data.upperBound > 0 {
      return Scale(Axis(range: 0...max(high, data.upperBound)), data: nil, padding: 0) ?? self
    }
    if data.upperBound == 0, data.lowerBound < 0 {
      return Scale(Axis(range: min(low, data.lowerBound)...0), data: nil, padding: 0) ?? self
    }
    return self
  }
}

extension Double {
  fileprivate var isWhole: Bool { !isFinite || rounded() == self }
}

/// Title and subtitle at the top of a picture, cut to its width.
package struct Heading {
  package let title: String
  package let subtitle: String
  package let width: Double

  package var height: Double { (title.isEmpty ? 6 : 32) + (subtitle.isEmpty ? 0 : 18) }

  package func draw(_ markup: inout Markup) {
    let room = width - 24
    markup.label(
      TextMeasure.fitted(title, to: room, size: 15, bold: true), at: Point(x: 12, y: 24), size: 15,
      bold: true)
    markup.label(
      TextMeasure.fitted(subtitle, to: room), at: Point(x: 12, y: title.isEmpty ? 18 : 42),
      kind: "soft")
  }
}
