import TarnCore

/// A small grey picture as characters: a digit, a filter.
///
/// ```swift
/// let picture = TerminalImage(digit, width: 8, height: 8, caption: "3 (98 %)")
/// print(TerminalImage.row([picture, other]))
/// ```
public struct TerminalImage: Sendable, Equatable, CustomStringConvertible {
  /// The rows as text, all of one width.
  public let lines: [String]

  /// - Parameters:
  ///   - values: `height * width` numbers, row by row. Any other count is reported.
  ///   - range: The values of blank and full; found from the data when nil.
  ///   - isCompact: One character for two rows (halves of a block) instead of two characters a
  ///     pixel in five shades.
  ///   - caption: A line below the picture.
  public init(
    _ values: [Double], width: Int, height: Int, range: ClosedRange<Double>? = nil,
    isCompact: Bool = false, caption: String = ""
  ) {
    let (count, overflow) = width.multipliedReportingOverflow(by: height)
    guard !overflow, width >= 0, height >= 0, count == values.count else {
      Diagnostic.report(
        Diagnostic(
          operation: "TerminalImage", reason: "there must be height × width values",
          facts: ["values: \(values.count)", "height × width: \(height) × \(width)"]))
      lines = []
      return
    }
    let span = range ?? finiteRange(values) ?? 0...1
    let size = span.upperBound - span.lowerBound
    let levels = values.map { size > 0 && $0.isFinite ? ($0 - span.lowerBound) / size : 0 }
    let rows =
      isCompact
      ? Self.halves(levels, width: width, height: height)
      : Self.shades(levels, width: width, height: height)
    let wide = max(isCompact ? width : 2 * width, 1)
    lines =
      caption.isEmpty
      ? rows : rows + [Self.padded(TextMeasure.fitted(caption, columns: wide), wide)]
  }

  private static func shades(_ levels: [Double], width: Int, height: Int) -> [String] {
    let shades = [" ", "░", "▒", "▓", "█"]
    return (0..<height).map { row in
      (0..<width).map { column in
        let level = min(max(levels[row * width + column], 0), 1)
        let shade = shades[min(Int(level * 5), 4)]
        return shade + shade
      }.joined()
    }
  }

  private static func halves(_ levels: [Double], width: Int, height: Int) -> [String] {
    stride(from: 0, to: height, by: 2).map { row in
      (0..<width).map { column in
        let upper = levels[row * width + column] >= 0.5
        let lower = row + 1 < height && levels[(row + 1) * width + column] >= 0.5
        return upper ? (lower ? "█" : "▀") : (lower ? "▄" : " ")
      }.joined()
    }
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(width - TextMeasure.columns(text), 0))
  }

  public var description: String { lines.joined(separator: "\n") }

  /// Pictures side by side, `gap` blanks between.
  public static func row(_ images: [TerminalImage], gap: Int = 3) -> String {
    let height = images.map(\.lines.count).max() ?? 0
    let widths = images.map { $0.lines.map { TextMeasure.columns($0) }.max() ?? 0 }
    return (0..<height).map { row in
      zip(images, widths)
        .map { padded(row < $0.lines.count ? $0.lines[row] : "", $1) }
        .joined(separator: String(repeating: " ", count: max(gap, 0)))
    }.joined(separator: "\n")
  }
}
