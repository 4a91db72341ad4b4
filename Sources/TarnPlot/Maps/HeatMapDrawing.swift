extension HeatMap {
  public func drawing() -> Drawing {
    let heading = Heading(title: title, subtitle: subtitle, width: 320)
    guard rows > 0, columns > 0, let colourScale else { return emptyDrawing }
    let right = colourScale.width(label: colourLabel)
    let wanted = wantedSize
    var (width, height) = (wanted.width + right + 60, wanted.height + heading.height + 60)
    guard var area = area(width, height, heading.height, right) else { return emptyDrawing }
    width = max(width + wanted.width - area.box.width, 200)
    height += wanted.height - area.box.height
    area = self.area(width, height, heading.height, right) ?? area

    var markup = Markup()
    Heading(title: title, subtitle: subtitle, width: width).draw(&markup)
    drawCells(&markup, area, colourScale)
    markup.clipped(to: area.box) { drawContours(&$0, area, colourScale) }
    if !isOverAxes { drawTexts(&markup, area, colourScale) }
    drawTrails(&markup, area)
    area.drawAxes(&markup, xLabel: x.label, yLabel: y.label, pictureHeight: height)
    let tall = min(area.box.height, 320)
    let bar = Box(
      x: area.box.right + 18, y: area.box.y + (area.box.height - tall) / 2, width: 14, height: tall)
    colourScale.draw(&markup, at: bar, label: colourLabel)
    return Drawing(width: width, height: height, label: title, body: markup.text)
  }

  private var emptyDrawing: Drawing {
    var markup = Markup()
    Heading(title: title, subtitle: subtitle, width: 320).draw(&markup)
    markup.label("no data", at: Point(x: 160, y: 110), anchor: .middle, size: 14, kind: "soft")
    return Drawing(width: 320, height: 180, label: title, body: markup.text)
  }

  /// The size of the grid in pixels: square cells for a matrix, a wide rectangle over axes.
  private var wantedSize: (width: Double, height: Double) {
    if isOverAxes { return (460, 400) }
    let texts = cellTexts ?? []
    let widest = texts.map { TextMeasure.width($0, size: 11) }.max() ?? 0
    let most = max(rows, columns) <= 4 ? 64.0 : max(40, min(widest + 10, 56))
    let cell = min(max(440 / Double(max(rows, columns)), 2), most)
    return (max(cell * Double(columns), 40), max(cell * Double(rows), 40))
  }

  private func area(_ width: Double, _ height: Double, _ top: Double, _ right: Double) -> PlotArea?
  {
    let (dx, dy) = (step(x, columns), step(y, rows))
    let isOverAxes = isOverAxes
    func span(_ axis: Axis, _ count: Int, _ step: Double) -> Axis {
      guard isOverAxes, let range = axis.range else {
        return Axis(range: -0.5...(Double(count) - 0.5))
      }
      return Axis(range: (range.lowerBound - step / 2)...(range.upperBound + step / 2))
    }
    guard let xScale = Scale(span(x, columns, dx), data: nil, padding: 0),
      let yScale = Scale(span(y, rows, dy), data: nil, padding: 0)
    else { return nil }
    func marks(_ names: [String]) -> AxisMarks {
      isOverAxes || names.isEmpty ? .numbers(wholeNumbers: !isOverAxes) : .names(names)
    }
    return PlotArea(
      width: width, height: height, top: top + 8, right: right, x: xScale, y: yScale,
      xLabel: x.label, yLabel: y.label, xMarks: marks(columnNames), yMarks: marks(rowNames),
      hasGrid: false, rowsGoDown: !isOverAxes)
  }

  private func step(_ axis: Axis, _ count: Int) -> Double {
    guard let range = axis.range else { return 1 }
    let span = range.upperBound - range.lowerBound
    return count > 1 ? span / Double(count - 1) : span
  }

  private func drawCells(_ markup: inout Markup, _ area: PlotArea, _ colours: ColourScale) {
    let bitmap = Bitmap(width: columns, height: rows) { row, column in
      colours.colour(values[(isOverAxes ? rows - 1 - row : row) * columns + column])
    }
    markup.cells(bitmap, in: area.box, limit: 2500)
  }

  /// The given texts, or the numbers themselves, where they fit into their cells.
  private func drawTexts(_ markup: inout Markup, _ area: PlotArea, _ colours: ColourScale) {
    let (wide, tall) = (area.box.width / Double(columns), area.box.height / Double(rows))
    guard wide >= 18, tall >= 14 else { return }
    let texts = cellTexts ?? values.map { NumberText.short($0, digits: 2) }
    let size = wide < 32 ? 9.0 : 11
    for (index, text) in texts.enumerated() {
      guard TextMeasure.width(text, size: size) <= wide - 2 else { continue }
      let (row, column) = index.quotientAndRemainder(dividingBy: columns)
      let place = Point(
        x: area.box.x + (Double(column) + 0.5) * wide,
        y: area.box.y + (Double(row) + 0.5) * tall + size * 0.36)
      markup.label(
        text, at: place, anchor: .middle, size: size,
        fill: colours.colour(values[index]).readableInk)
    }
  }

  private func drawContours(_ markup: inout Markup, _ area: PlotArea, _ colours: ColourScale) {
    guard isOverAxes, contours > 0, rows > 1, columns > 1 else { return }
    let grid = ContourGrid(values: values, rows: rows, columns: columns)
    for index in 1...contours {
      let fraction = Double(index) / Double(contours + 1)
      var path = ""
      for (a, b) in grid.segments(at: colours.value(at: fraction)) {
        let (from, to) = (place(a, area), place(b, area))
        path += "M\(pixels(from.x)) \(pixels(from.y))L\(pixels(to.x)) \(pixels(to.y))"
      }
      let ink = colours.map.colour(fraction).readableInk
      markup.path(
        path,
        style: "fill=\"none\" stroke=\"\(ink.hex)\" stroke-opacity=\"0.45\" stroke-width=\"0.8\"")
    }
  }

  /// A place on the grid, counted in columns and rows, in pixels.
  private func place(_ point: Point, _ area: PlotArea) -> Point {
    let box = area.box
    return Point(
      x: box.x + (point.x + 0.5) / Double(columns) * box.width,
      y: box.bottom - (point.y + 0.5) / Double(rows) * box.height)
  }

  private func drawTrails(_ markup: inout Markup, _ area: PlotArea) {
    for trail in trails {
      let runs = Thinning.runs(trail.x, trail.y, area)
      markup.clipped(to: area.box) { inner in
        for run in runs {
          let line = Thinning.line(run)
          if trail.joins {
            let path = line.enumerated()
              .map {
                "\($0.offset == 0 ? "M" : "L")\(pixels($0.element.x)) \(pixels($0.element.y))"
              }
              .joined()
            inner.path(path, style: LineStyle(colour: Ink.paper, width: 4).attributes)
            inner.path(path, style: LineStyle(colour: trail.colour, width: 2).attributes)
          }
          let dots = Thinning.cloud(line, limit: 2000).map { Marker.circle.path(at: $0, radius: 3) }
            .joined()
          inner.path(dots, style: Marker.circle.style(colour: Ink.paper, radius: 4))
          inner.path(dots, style: Marker.circle.style(colour: trail.colour, radius: 3))
        }
      }
    }
  }
}
