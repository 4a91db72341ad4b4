/// Several pictures side by side, in rows of `columns`.
///
/// ```swift
/// FigureGrid([lossChart, accuracyChart], columns: 2)
/// ```
public struct FigureGrid: Figure {
  public var figures: [any Figure]
  public var columns: Int
  public var title: String

  public init(_ figures: [any Figure], columns: Int = 2, title: String = "") {
    (self.figures, self.columns, self.title) = (figures, max(columns, 1), title)
  }

  public func drawing() -> Drawing {
    let drawings = figures.map { $0.drawing() }
    let count = min(columns, max(drawings.count, 1))
    let rows = (drawings.count + count - 1) / count
    var widths = [Double](repeating: 0, count: count)
    var heights = [Double](repeating: 0, count: rows)
    for (index, drawing) in drawings.enumerated() {
      widths[index % count] = max(widths[index % count], drawing.width)
      heights[index / count] = max(heights[index / count], drawing.height)
    }
    let gap = 12.0
    let top = title.isEmpty ? 0 : 36.0
    let width = max(widths.reduce(0, +) + gap * Double(count - 1), 120)
    let height = max(top + heights.reduce(0, +) + gap * Double(max(rows - 1, 0)), 40)
    var markup = Markup()
    markup.label(
      TextMeasure.fitted(title, to: width - 24, size: 16, bold: true), at: Point(x: 12, y: 24),
      size: 16, bold: true)
    for (index, drawing) in drawings.enumerated() {
      let x = widths[..<(index % count)].reduce(0) { $0 + $1 + gap }
      let y = heights[..<(index / count)].reduce(top) { $0 + $1 + gap }
      markup.insert(drawing, at: Point(x: x, y: y))
    }
    return Drawing(width: width, height: height, label: title, body: markup.text)
  }
}
