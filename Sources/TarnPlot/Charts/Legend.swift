/// The names of the series, above the data where nothing can be hidden, in as many rows as they
/// need.
package struct Legend {
  package struct Entry {
    let name: String
    let colour: RGB
    let sign: Sign
  }

  package enum Sign: Equatable {
    case line(dashed: Bool, Marker)
    case marker(Marker)
    case area(opacity: Double)
  }

  private var places: [(entry: Entry, name: String, place: Point)] = []
  package let height: Double

  private static let rowHeight = 18.0
  private static let signWidth = 22.0

  package init(entries: [Entry], width: Double) {
    var (x, y) = (0.0, 0.0)
    for entry in entries {
      let name = TextMeasure.fitted(entry.name, to: min(width - 40, 260))
      let wide = Self.signWidth + 6 + TextMeasure.width(name)
      if x > 0 && x + wide > width { (x, y) = (0, y + Self.rowHeight) }
      places.append((entry, name, Point(x: x, y: y)))
      x += wide + 18
    }
    height = entries.isEmpty ? 0 : y + Self.rowHeight + 4
  }

  package func draw(_ markup: inout Markup, at corner: Point) {
    for (entry, name, place) in places {
      let (x, y) = (corner.x + place.x, corner.y + place.y + 8)
      let centre = Point(x: x + Self.signWidth / 2, y: y)
      switch entry.sign {
      case .line(let dashed, let marker):
        let style = LineStyle(colour: entry.colour, dashed: dashed).attributes
        markup.path("M\(pixels(x)) \(pixels(y))h\(pixels(Self.signWidth))", style: style)
        markup.path(
          marker.path(at: centre, radius: 3), style: marker.style(colour: entry.colour, radius: 3))
      case .marker(let marker):
        markup.path(
          marker.path(at: centre, radius: 4), style: marker.style(colour: entry.colour, radius: 4))
      case .area(let opacity):
        let box = Box(x: x + 4, y: y - 5, width: 14, height: 10)
        markup.rectangle(box, fill: entry.colour, more: " fill-opacity=\"\(pixels(opacity))\"")
      }
      markup.label(name, at: Point(x: x + Self.signWidth + 6, y: y + 4))
    }
  }
}

/// How a line is drawn.
package struct LineStyle {
  package let colour: RGB
  package var dashed = false
  package var width = 1.75

  package var attributes: String {
    "fill=\"none\" stroke=\"\(colour.hex)\" stroke-width=\"\(pixels(width))\""
      + " stroke-linejoin=\"round\""
      + (dashed ? " stroke-dasharray=\"6 4\"" : " stroke-linecap=\"round\"")
  }
}

extension Series {
  /// What the legend says of this series; unnamed ones are not in it.
  package var legendEntry: Legend.Entry? {
    if name.isEmpty { return nil }
    let sign: Legend.Sign =
      switch shape {
      case .line(_, _, let marker, let dashed): .line(dashed: dashed, marker)
      case .scatter(_, _, let marker, _): .marker(marker)
      case .band: .area(opacity: 0.2)
      case .bars: .area(opacity: 1)
      case .histogram: .area(opacity: 0.65)
      case .horizontalRule, .verticalRule: .line(dashed: true, .none)
      }
    return Legend.Entry(name: name, colour: colour, sign: sign)
  }
}
