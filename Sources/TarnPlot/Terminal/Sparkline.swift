/// Values as a row of small columns: `▁▂▄▆█`.
///
/// ```swift
/// print(sparkline([1, 4, 9, 16, 25]))  // ▁▂▃▆█
/// ```
///
/// - Parameters:
///   - values: What is not finite is left blank.
///   - width: The most characters to use; longer rows show the mean of neighbours.
/// - Returns: One character a value; empty when there are none.
public func sparkline(_ values: [Double], width: Int = 80) -> String {
  guard width > 0, !values.isEmpty else { return "" }
  let count = min(width, values.count)
  let shown: [Double] = (0..<count).map { column in
    let part = values[(column * values.count / count)..<((column + 1) * values.count / count)]
    let finite = part.filter(\.isFinite)
    return finite.isEmpty ? .nan : finite.reduce(0) { $0 + $1 / Double(finite.count) }
  }
  guard let range = finiteRange(shown) else { return String(repeating: " ", count: count) }
  let blocks = Array("▁▂▃▄▅▆▇█")
  // Halved, so that the span of the greatest numbers does not overflow.
  let span = range.upperBound / 2 - range.lowerBound / 2
  return String(
    shown.map { value -> Character in
      guard value.isFinite else { return " " }
      guard span > 0 else { return blocks[3] }
      let level = (value / 2 - range.lowerBound / 2) / span
      return blocks[min(Int(level * 8), 7)]
    })
}
