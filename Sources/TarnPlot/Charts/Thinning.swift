/// Reduces long series to what a picture can show.
package enum Thinning {
  /// Splits at points that have no place (NaN).
  package static func runs(_ xs: [Double], _ ys: [Double], _ area: PlotArea) -> [[Point]] {
    var runs: [[Point]] = []
    var run: [Point] = []
    for (x, y) in zip(xs, ys) {
      let point = area.point(x, y)
      if point.x.isNaN || point.y.isNaN {
        if !run.isEmpty { runs.append(run) }
        run = []
      } else {
        run.append(point)
      }
    }
    if !run.isEmpty { runs.append(run) }
    return runs
  }

  /// A line of about four points a pixel column: the first, the lowest, the highest and the last
  /// of each.
  /// A line that turns back keeps the points that are some way from the one before.
  package static func line(_ points: [Point], limit: Int = 4000) -> [Point] {
    if points.count <= limit { return points }
    if zip(points, points.dropFirst()).allSatisfy({ $0.x <= $1.x }) { return columns(points) }
    var distance = 0.5
    var kept = apart(points, distance)
    while kept.count > 10 * limit && distance < 64 {
      distance *= 2
      kept = apart(points, distance)
    }
    return kept
  }

  private static func columns(_ points: [Point]) -> [Point] {
    var kept: [Point] = []
    var start = 0
    while start < points.count {
      let column = points[start].x.rounded(.down)
      var (end, low, high) = (start, start, start)
      while end < points.count && points[end].x.rounded(.down) == column {
        if points[end].y < points[low].y { low = end }
        if points[end].y > points[high].y { high = end }
        end += 1
      }
      var last = -1
      for index in [start, min(low, high), max(low, high), end - 1] where index > last {
        kept.append(points[index])
        last = index
      }
      start = end
    }
    return kept
  }

  private static func apart(_ points: [Point], _ distance: Double) -> [Point] {
    var kept: [Point] = []
    for point in points {
      if let last = kept.last,
        max((point.x - last.x).magnitude, (point.y - last.y).magnitude) < distance
      {
        continue
      }
      kept.append(point)
    }
    return kept
  }

  /// At most `limit` points, by leaving out those on a cell of a grid that already has one.
  package static func cloud(_ points: [Point], limit: Int = 20_000) -> [Point] {
    if points.count <= limit { return points }
    var size = 1.0
    while size < 256 {
      var taken: Set<SIMD2<Int32>> = []
      let kept = points.filter {
        taken.insert(SIMD2(Int32($0.x / size), Int32($0.y / size))).inserted
      }
      if kept.count <= limit { return kept }
      size *= 1.5
    }
    return Array(points.prefix(limit))
  }
}
