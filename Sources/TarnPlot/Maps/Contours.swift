import Foundation

/// Lines of equal value over a grid, by marching squares.
package struct ContourGrid {
  package let values: [Double]
  package let rows: Int
  package let columns: Int

  package init(values: [Double], rows: Int, columns: Int) {
    (self.values, self.rows, self.columns) = (values, rows, columns)
  }

  /// The pieces of the line at `level`, in units of columns (x) and rows (y). Cells with a corner
  /// that is not finite have none.
  package func segments(at level: Double) -> [(Point, Point)] {
    var found: [(Point, Point)] = []
    for row in 0..<(rows - 1) {
      for column in 0..<(columns - 1) {
        append(&found, row: row, column: column, level)
      }
    }
    return found
  }

  private func append(
    _ found: inout [(Point, Point)], row: Int, column: Int, _ level: Double
  ) {
    let corners = [(0, 0), (0, 1), (1, 1), (1, 0)].map { (row + $0.0, column + $0.1) }
    let heights = corners.map { values[$0.0 * columns + $0.1] }
    guard heights.allSatisfy(\.isFinite) else { return }
    var crossings: [Point] = []
    for side in 0..<4 {
      let next = (side + 1) % 4
      let (a, b) = (heights[side], heights[next])
      guard (a < level) != (b < level) else { continue }
      // Halved first, so that values of opposite sign near the greatest number do not overflow.
      let part = (level / 2 - a / 2) / (b / 2 - a / 2)
      let (from, to) = (corners[side], corners[next])
      crossings.append(
        Point(
          x: Double(from.1) + part * Double(to.1 - from.1),
          y: Double(from.0) + part * Double(to.0 - from.0)))
    }
    if crossings.count == 2 { found.append((crossings[0], crossings[1])) }
    guard crossings.count == 4 else { return }
    // A saddle: the mean of the corners tells which of the two opposite ones belong together.
    let middle = heights.reduce(0) { $0 + $1 / 4 }
    if (middle < level) == (heights[0] < level) {
      found.append((crossings[0], crossings[1]))
      found.append((crossings[2], crossings[3]))
    } else {
      found.append((crossings[3], crossings[0]))
      found.append((crossings[1], crossings[2]))
    }
  }
}

extension ColourScale {
  /// The value at a fraction of the colours.
  package func value(at fraction: Double) -> Double {
    switch scale.kind {
    case .linear: scale.low + fraction * (scale.high - scale.low)
    case .log: pow(10, log10(scale.low) + fraction * (log10(scale.high) - log10(scale.low)))
    }
  }
}
