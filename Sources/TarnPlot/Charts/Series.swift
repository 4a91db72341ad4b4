/// The sign at each point of a series.
public enum Marker: Sendable, Equatable {
  case none, circle, square, diamond, triangle, cross

  /// A different sign for each class or series, so that colour is not all that tells them apart.
  public static func numbered(_ index: Int) -> Marker {
    let all: [Marker] = [.circle, .square, .triangle, .diamond, .cross]
    return all[((index % all.count) + all.count) % all.count]
  }

  /// The sign around a point as path data, `radius` pixels in each direction.
  package func path(at point: Point, radius r: Double) -> String {
    func p(_ dx: Double, _ dy: Double) -> String {
      "\(pixels(point.x + dx)) \(pixels(point.y + dy))"
    }
    switch self {
    case .none: return ""
    case .circle: return "M\(p(0, 0))h0"
    case .square:
      let side = pixels(1.7 * r)
      return "M\(p(-0.85 * r, -0.85 * r))h\(side)v\(side)h-\(side)z"
    case .diamond: return "M\(p(0, -1.2 * r))L\(p(1.2 * r, 0))L\(p(0, 1.2 * r))L\(p(-1.2 * r, 0))z"
    case .triangle: return "M\(p(0, -1.15 * r))L\(p(1.1 * r, 0.8 * r))L\(p(-1.1 * r, 0.8 * r))z"
    case .cross:
      let arm = 0.8 * r
      return "M\(p(-arm, -arm))L\(p(arm, arm))M\(p(-arm, arm))L\(p(arm, -arm))"
    }
  }

  /// How the path of the sign is drawn: circles are dots of a round pen.
  package func style(colour: RGB, radius: Double) -> String {
    switch self {
    case .circle:
      "fill=\"none\" stroke=\"\(colour.hex)\" stroke-width=\"\(pixels(2 * radius))\""
        + " stroke-linecap=\"round\""
    case .cross: "fill=\"none\" stroke=\"\(colour.hex)\" stroke-width=\"1.6\""
    default: "fill=\"\(colour.hex)\""
    }
  }
}

/// One thing drawn in a chart.
package struct Series: Sendable, Equatable {
  package enum Shape: Sendable, Equatable {
    case line(x: [Double], y: [Double], marker: Marker, dashed: Bool)
    case scatter(x: [Double], y: [Double], marker: Marker, radius: Double)
    case band(x: [Double], low: [Double], high: [Double])
    case bars([Double])
    case histogram(edges: [Double], counts: [Double])
    case horizontalRule(Double)
    case verticalRule(Double)
  }

  package var name: String
  package var colour: RGB
  package var shape: Shape

  /// The span of the values along x and y that the axes must show.
  package func ranges(_ chart: Chart) -> (x: ClosedRange<Double>?, y: ClosedRange<Double>?) {
    switch shape {
    case .line(let x, let y, _, _), .scatter(let x, let y, _, _): chart.shown(x, y)
    case .band(let x, let low, let high):
      (chart.shown(x, low).x, finiteRange([low, high].joined().filter(chart.isShownOnY)))
    case .bars(let values):
      (-0.5...max(Double(values.count) - 0.5, 0.5), finiteRange(values.filter(chart.isShownOnY)))
    case .histogram(let edges, let counts):
      (finiteRange(edges), finiteRange(counts.filter(chart.isShownOnY)))
    case .horizontalRule(let y): (nil, finiteRange([y].filter(chart.isShownOnY)))
    case .verticalRule(let x): (finiteRange([x].filter(chart.isShownOnX)), nil)
    }
  }

  package var isRule: Bool {
    switch shape {
    case .horizontalRule, .verticalRule: true
    default: false
    }
  }

  /// Whether the shape stands on zero.
  package var standsOnZero: Bool {
    switch shape {
    case .bars, .histogram: true
    default: false
    }
  }
}
