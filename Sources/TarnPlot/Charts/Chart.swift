import TarnCore

/// A chart with two axes: lines, bands, points, bars, histograms and rules, in any mixture.
///
/// A chart is a value; each method gives a chart with one thing more.
///
/// ```swift
/// let chart = Chart("Loss", x: "epoch", y: Axis("cross-entropy", scale: .log))
///   .line(training, name: "training")
///   .line(validation, name: "validation", dashed: true)
/// try chart.write(to: "loss.svg")
/// ```
///
/// Values that are not finite, or not positive on a logarithmic axis, leave a gap; a note under
/// the chart
/// counts them. Series of any length are thinned to what the picture can show, keeping every
/// extreme.
public struct Chart: Figure, Equatable {
  public var title: String
  public var subtitle: String
  public var x: Axis
  public var y: Axis
  /// In pixels.
  public var width: Double
  public var height: Double
  package var series: [Series] = []
  package var categories: [String] = []

  /// An empty chart.
  ///
  /// - Parameters:
  ///   - x: The horizontal axis, or just what it measures, as text.
  ///   - y: The vertical axis, likewise.
  ///   - width: In pixels, at least 160.
  ///   - height: In pixels, at least 120.
  public init(
    _ title: String = "", subtitle: String = "", x: Axis = Axis(), y: Axis = Axis(),
    width: Double = 640, height: Double = 400
  ) {
    (self.title, self.subtitle, self.x, self.y) = (title, subtitle, x, y)
    (self.width, self.height) = (max(width, 160), max(height, 120))
  }

  /// Adds a line through the points `(x[i], y[i])`.
  public func line(
    x: [Double], y: [Double], name: String = "", marker: Marker = .none, dashed: Bool = false,
    colour: RGB? = nil
  ) -> Chart {
    agree("line", name, x.count, y.count)
    return adding(name, colour, .line(x: x, y: y, marker: marker, dashed: dashed))
  }

  /// Adds a line through values at `first`, `first + 1` and so on.
  public func line(
    _ y: [Double], from first: Int = 1, name: String = "", marker: Marker = .none,
    dashed: Bool = false, colour: RGB? = nil
  ) -> Chart {
    let x = y.indices.map { Double(first + $0) }
    return line(x: x, y: y, name: name, marker: marker, dashed: dashed, colour: colour)
  }

  /// Adds a point at each `(x[i], y[i])`; `radius` is in pixels.
  public func scatter(
    x: [Double], y: [Double], name: String = "", marker: Marker = .circle, radius: Double = 3,
    colour: RGB? = nil
  ) -> Chart {
    agree("scatter", name, x.count, y.count)
    return adding(name, colour, .scatter(x: x, y: y, marker: marker, radius: radius))
  }

  /// Shades what lies between `low` and `high`. Without a name the band takes the colour of the
  /// series added next.
  public func band(
    x: [Double], low: [Double], high: [Double], name: String = "", colour: RGB? = nil
  ) -> Chart {
    agree("band", name, x.count, min(low.count, high.count))
    return adding(name, colour, .band(x: x, low: low, high: high))
  }

  /// Adds one bar for each category. Called again with the same categories, bars stand side by
  /// side.
  public func bars(
    _ categories: [String], _ values: [Double], name: String = "", colour: RGB? = nil
  )
    -> Chart
  {
    agree("bars", name, categories.count, values.count)
    var chart = adding(name, colour, .bars(values))
    if categories.count > chart.categories.count { chart.categories = categories }
    return chart
  }

  /// Adds the counts of values in `bins` intervals of equal width (chosen from the data when nil).
  public func histogram(_ values: [Double], bins: Int? = nil, name: String = "", colour: RGB? = nil)
    -> Chart
  {
    let histogram = Histogram(values, bins: bins)
    return adding(
      name, colour, .histogram(edges: histogram.edges, counts: histogram.counts.map(Double.init)))
  }

  /// Draws a dashed line across the chart at a value of y.
  public func rule(y value: Double, name: String = "", colour: RGB? = nil) -> Chart {
    adding(name, colour ?? Ink.soft, .horizontalRule(value))
  }

  /// Draws a dashed line from top to bottom at a value of x.
  public func rule(x value: Double, name: String = "", colour: RGB? = nil) -> Chart {
    adding(name, colour ?? Ink.soft, .verticalRule(value))
  }

  private func adding(_ name: String, _ colour: RGB?, _ shape: Series.Shape) -> Chart {
    var chart = self
    let taken = series.count { !$0.isRule && !$0.isUnnamedBand }
    chart.series.append(Series(name: name, colour: colour ?? Palette.colour(taken), shape: shape))
    return chart
  }

  private func agree(_ operation: String, _ name: String, _ x: Int, _ y: Int) {
    if x == y { return }
    Diagnostic.report(
      Diagnostic(
        operation: "Chart.\(operation)(name: \"\(name)\")",
        reason: "there must be as many values along one axis as along the other",
        facts: ["x: \(x) values", "y: \(y) values"],
        hint: "cut the longer one, as in x.prefix(\(min(x, y)))"))
  }
}

extension Series {
  fileprivate var isUnnamedBand: Bool {
    if case .band = shape { return name.isEmpty }
    return false
  }
}

extension Chart {
  package func isShownOnX(_ value: Double) -> Bool {
    value.isFinite && (x.scale == .linear || value > 0)
  }
  package func isShownOnY(_ value: Double) -> Bool {
    value.isFinite && (y.scale == .linear || value > 0)
  }

  /// The span of the points that both axes can show.
  package func shown(_ xs: [Double], _ ys: [Double]) -> (
    x: ClosedRange<Double>?, y: ClosedRange<Double>?
  ) {
    var (left, right, low, high) = (
      Double.infinity, -Double.infinity, Double.infinity, -Double.infinity
    )
    for (px, py) in zip(xs, ys) where isShownOnX(px) && isShownOnY(py) {
      left = min(left, px)
      right = max(right, px)
      low = min(low, py)
      high = max(high, py)
    }
    return left <= right ? (left...right, low...high) : (nil, nil)
  }

  /// How many points cannot be shown on these axes.
  package var hiddenCount: Int {
    series.reduce(0) { sum, series in
      switch series.shape {
      case .line(let xs, let ys, _, _), .scatter(let xs, let ys, _, _):
        sum + zip(xs, ys).count { !isShownOnX($0) || !isShownOnY($1) }
      case .bars(let values): sum + values.count { !isShownOnY($0) }
      default: sum
      }
    }
  }
}
