/// The marks of an axis: numbers, or names at 0, 1, 2 and so on.
package enum AxisMarks {
  case numbers(wholeNumbers: Bool)
  case names([String])
}

/// The rectangle that data are drawn in, with its scales and marks.
package struct PlotArea {
  package var box: Box
  package var x: Scale
  package var y: Scale
  package var xTicks: [Tick] = []
  package var yTicks: [Tick] = []
  /// Names along the bottom are turned where they would run into one another.
  package var turnsNames = false
  package var hasGrid = true
  private var namesColumns = false

  package func point(_ x: Double, _ y: Double) -> Point {
    Point(x: self.x.position(x), y: self.y.position(y))
  }

  /// Of the angle that names are turned by, 37 degrees.
  private static let (cosine, sine) = (0.8, 0.6)

  /// Fits the scales, marks and labels into a picture of the given size.
  ///
  /// - Parameters:
  ///   - top: Room above for the title and the legend.
  ///   - right: Least room to the right.
  ///   - rowsGoDown: Whether y grows downward, as the rows of a matrix do.
  package init(
    width: Double, height: Double, top: Double, right: Double = 20, x: Scale, y: Scale,
    xLabel: String, yLabel: String, xMarks: AxisMarks, yMarks: AxisMarks, hasGrid: Bool = true,
    rowsGoDown: Bool = false
  ) {
    (self.x, self.y, self.hasGrid) = (x, y, hasGrid)
    let labelled = xLabel.isEmpty ? 12.0 : 32
    var bottom = labelled + 20
    var names: [String] = []
    if case .names(let all) = xMarks {
      names = all
      namesColumns = true
      let widest = all.map { TextMeasure.width($0, size: 11) }.max() ?? 0
      let slot = (width - 90) / Double(max(all.count, 1))
      if widest > slot - 6 {
        turnsNames = true
        bottom = labelled + 12 + min(widest, 120) * Self.sine + 6
      }
    }
    box = Box(x: 0, y: top, width: 0, height: max(height - top - bottom, 20))
    (self.y.start, self.y.end) = rowsGoDown ? (box.y, box.bottom) : (box.bottom, box.y)
    yTicks = Self.marks(
      self.y, yMarks, target: max(Int(box.height / 44), 2), room: box.height, size: 14)
    let widest = yTicks.map { TextMeasure.width($0.label, size: 11) }.max() ?? 0
    box.x = 12 + (yLabel.isEmpty ? 0 : 20) + min(widest, 160) + 8
    box.width = max(width - box.x - right, 20)
    (self.x.start, self.x.end) = (box.x, box.right)
    if names.isEmpty {
      chooseNumbers(xMarks, limit: width)
    } else {
      nameColumns(names)
    }
  }

  private mutating func chooseNumbers(_ marks: AxisMarks, limit: Double) {
    var target = max(Int(box.width / 70), 2)
    xTicks = Self.marks(x, marks, target: target, room: box.width, size: 0)
    while target > 1 && hasCollision {
      target -= 1
      xTicks = Self.marks(x, marks, target: target, room: box.width, size: 0)
    }
    // The last number may reach over the end of the axis.
    let overhang =
      xTicks.map { x.position($0.value) + TextMeasure.width($0.label, size: 11) / 2 }.max() ?? 0
    if overhang > limit - 4 {
      box.width = max(box.width - (overhang - limit + 4), 20)
      x.end = box.right
    }
  }

  private var hasCollision: Bool {
    var end = -Double.infinity
    for tick in xTicks where !tick.label.isEmpty {
      let half = TextMeasure.width(tick.label, size: 11) / 2
      let centre = x.position(tick.value)
      if centre - half < end + 8 { return true }
      end = centre + half
    }
    return false
  }

  private mutating func nameColumns(_ names: [String]) {
    let slot = box.width / Double(names.count)
    let every = turnsNames ? max(Int((13 / slot).rounded(.up)), 1) : 1
    for (index, name) in names.enumerated() where index % every == 0 {
      var label = name
      if turnsNames {
        let room = (x.position(Double(index)) - 4) / Self.cosine
        label = TextMeasure.fittedInside(name, to: min(120, room), size: 11)
      }
      xTicks.append(Tick(value: Double(index), label: label))
    }
  }

  private static func marks(
    _ scale: Scale, _ marks: AxisMarks, target: Int, room: Double, size: Double
  ) -> [Tick] {
    switch marks {
    case .numbers(let wholeNumbers):
      return Ticks.choose(scale, target: target, wholeNumbers: wholeNumbers)
    case .names(let names):
      let every = max(Int((size * Double(names.count) / room).rounded(.up)), 1)
      return names.enumerated().filter { $0.offset % every == 0 }.map {
        Tick(
          value: Double($0.offset), label: TextMeasure.fittedInside($0.element, to: 160, size: 11))
      }
    }
  }

  /// Grid lines, to be drawn before the data.
  package func drawGrid(_ markup: inout Markup) {
    guard hasGrid else { return }
    var path = ""
    for tick in yTicks where !tick.label.isEmpty {
      path += "M\(pixels(box.x)) \(pixels(y.position(tick.value)))H\(pixels(box.right))"
    }
    if !namesColumns {
      for tick in xTicks where !tick.label.isEmpty {
        path += "M\(pixels(x.position(tick.value))) \(pixels(box.y))V\(pixels(box.bottom))"
      }
    }
    markup.path(path, style: Ink.gridStyle)
  }

  /// The frame's lower and left side, marks, numbers and labels, to be drawn after the data.
  package func drawAxes(
    _ markup: inout Markup, xLabel: String, yLabel: String, pictureHeight: Double
  ) {
    let (left, bottom) = (pixels(box.x), pixels(box.bottom))
    var path = "M\(left) \(pixels(box.y))V\(bottom)H\(pixels(box.right))"
    for tick in xTicks {
      path += "M\(pixels(x.position(tick.value))) \(bottom)v\(tick.label.isEmpty ? 3 : 5)"
    }
    for tick in yTicks {
      path += "M\(left) \(pixels(y.position(tick.value)))h\(tick.label.isEmpty ? -3 : -5)"
    }
    markup.path(path, style: Ink.lineStyle)
    for tick in yTicks {
      let place = Point(x: box.x - 8, y: y.position(tick.value) + 4)
      markup.label(tick.label, at: place, anchor: .end, size: 11, kind: "soft")
    }
    for tick in xTicks {
      let centre = x.position(tick.value)
      if turnsNames {
        let place = Point(x: centre + 4, y: box.bottom + 15)
        markup.label(tick.label, at: place, anchor: .end, size: 11, kind: "soft", turned: -37)
      } else {
        let place = Point(x: centre, y: box.bottom + 18)
        markup.label(tick.label, at: place, anchor: .middle, size: 11, kind: "soft")
      }
    }
    let (midX, midY) = (box.x + box.width / 2, box.y + box.height / 2)
    markup.label(
      TextMeasure.fitted(xLabel, to: box.width + box.x), at: Point(x: midX, y: pictureHeight - 10),
      anchor: .middle)
    markup.label(
      TextMeasure.fitted(yLabel, to: box.height + 20), at: Point(x: 18, y: midY), anchor: .middle,
      turned: -90)
  }
}
