extension Chart {
  /// Draws every series into `area`, areas first so that lines and points stay visible.
  package func draw(_ markup: inout Markup, in area: PlotArea) {
    let barCount = series.count { if case .bars = $0.shape { true } else { false } }
    var barIndex = 0
    for item in series where item.isFilled {
      switch item.shape {
      case .band(let x, let low, let high): drawBand(&markup, item, x, low, high, area)
      case .bars(let values):
        drawBars(&markup, item, values, (barIndex, barCount), area)
        barIndex += 1
      case .histogram(let edges, let counts): drawHistogram(&markup, item, edges, counts, area)
      default: break
      }
    }
    for item in series where !item.isFilled {
      switch item.shape {
      case .line(let x, let y, let marker, let dashed):
        drawLine(&markup, item, x, y, marker, dashed, area)
      case .scatter(let x, let y, let marker, let radius):
        drawCloud(&markup, item, Thinning.runs(x, y, area).flatMap { $0 }, marker, radius, area)
      case .horizontalRule(let y) where area.y.contains(y):
        let path = "M\(pixels(area.box.x)) \(pixels(area.y.position(y)))H\(pixels(area.box.right))"
        markup.path(
          path, style: LineStyle(colour: item.colour, dashed: true, width: 1.25).attributes)
      case .verticalRule(let x) where area.x.contains(x):
        let path = "M\(pixels(area.x.position(x))) \(pixels(area.box.y))V\(pixels(area.box.bottom))"
        markup.path(
          path, style: LineStyle(colour: item.colour, dashed: true, width: 1.25).attributes)
      default: break
      }
    }
  }

  private func drawLine(
    _ markup: inout Markup, _ item: Series, _ x: [Double], _ y: [Double], _ marker: Marker,
    _ dashed: Bool, _ area: PlotArea
  ) {
    let runs = Thinning.runs(x, y, area)
    let style = LineStyle(colour: item.colour, dashed: dashed).attributes
    let path = runs.map { polyline(Thinning.line($0)) }.joined()
    let edge = area.box
    let window = Box(x: edge.x - 1, y: edge.y - 1, width: edge.width + 2, height: edge.height + 2)
    markup.clipped(to: window) { $0.path(path, style: style) }
    if marker == .none {
      // A point between two gaps has no line to it.
      drawCloud(&markup, item, runs.filter { $0.count == 1 }.flatMap { $0 }, .circle, 2.5, area)
    } else {
      drawCloud(&markup, item, runs.flatMap { $0 }, marker, 3, area)
    }
  }

  private func polyline(_ points: [Point]) -> String {
    var path = ""
    for (index, point) in points.enumerated() {
      path += index == 0 ? "M" : "L"
      path += pixels(point.x)
      path += " "
      path += pixels(point.y)
    }
    return path
  }

  private func drawCloud(
    _ markup: inout Markup, _ item: Series, _ points: [Point], _ marker: Marker, _ radius: Double,
    _ area: PlotArea
  ) {
    let box = area.box
    let visible = points.filter {
      $0.x >= box.x - 0.5 && $0.x <= box.right + 0.5 && $0.y >= box.y - 0.5
        && $0.y <= box.bottom + 0.5
    }
    let size = visible.count > 2000 ? min(radius, 1.5) : radius
    var path = ""
    for point in Thinning.cloud(visible) { path += marker.path(at: point, radius: size) }
    let opacity = visible.count > 300 ? " opacity=\"0.75\"" : ""
    markup.path(path, style: marker.style(colour: item.colour, radius: size) + opacity)
  }

  private func drawBand(
    _ markup: inout Markup, _ item: Series, _ x: [Double], _ low: [Double], _ high: [Double],
    _ area: PlotArea
  ) {
    let both = zip(x, zip(low, high)).filter {
      isShownOnX($0) && isShownOnY($1.0) && isShownOnY($1.1)
    }
    let upper = both.map { area.point($0.0, $0.1.1) }
    let lower = both.map { area.point($0.0, $0.1.0) }
    guard !upper.isEmpty else { return }
    let back = Thinning.line(lower).reversed().map { "L\(pixels($0.x)) \(pixels($0.y))" }.joined()
    let path = polyline(Thinning.line(upper)) + back + "z"
    markup.clipped(to: area.box) {
      $0.path(path, style: "fill=\"\(item.colour.hex)\" fill-opacity=\"0.2\"")
    }
  }

  private func drawBars(
    _ markup: inout Markup, _ item: Series, _ values: [Double], _ place: (index: Int, count: Int),
    _ area: PlotArea
  ) {
    let slot = 0.76 / Double(place.count)
    var path = ""
    for (index, value) in values.enumerated() where isShownOnY(value) {
      let left = area.x.position(Double(index) - 0.38 + slot * Double(place.index))
      let right = area.x.position(Double(index) - 0.38 + slot * Double(place.index + 1))
      path += column(left, right - (place.count > 1 ? 1 : 0), value, area)
    }
    markup.clipped(to: area.box) { $0.path(path, style: "fill=\"\(item.colour.hex)\"") }
  }

  private func drawHistogram(
    _ markup: inout Markup, _ item: Series, _ edges: [Double], _ counts: [Double], _ area: PlotArea
  ) {
    var path = ""
    for (index, count) in counts.enumerated() where isShownOnY(count) && count > 0 {
      let (left, right) = (area.x.position(edges[index]), area.x.position(edges[index + 1]))
      path += column(left, max(right - 0.5, left + 0.25), count, area)
    }
    markup.clipped(to: area.box) {
      $0.path(path, style: "fill=\"\(item.colour.hex)\" fill-opacity=\"0.65\"")
    }
  }

  /// A bar from zero (on a logarithmic axis: from the bottom) to `value`.
  private func column(_ left: Double, _ right: Double, _ value: Double, _ area: PlotArea) -> String
  {
    let ground = area.y.kind == .log ? area.box.bottom : area.y.position(0)
    let top = area.y.position(value)
    return "M\(pixels(left)) \(pixels(ground))V\(pixels(top))H\(pixels(right))V\(pixels(ground))z"
  }
}

extension Series {
  fileprivate var isFilled: Bool {
    switch shape {
    case .band, .bars, .histogram: true
    default: false
    }
  }
}
