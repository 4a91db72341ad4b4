/// How wide texts are, without a font at hand: the widths of Helvetica and the fonts made to match
/// it.
package enum TextMeasure {
  package static let fontFamily = "Helvetica, Arial, Liberation Sans, sans-serif"

  /// Thousandths of the font size, from space (32) to tilde (126).
  private static let widths: [Int] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
  ]

  /// The width of `text` in pixels; `size` is the font size in pixels.
  package static func width(_ text: String, size: Double = 12, bold: Bool = false) -> Double {
    var thousandths = 0
    for character in text {
      if let ascii = character.asciiValue, (32...126).contains(ascii) {
        thousandths += widths[Int(ascii) - 32]
      } else if "⁰¹²³⁴⁵⁶⁷⁸⁹⁻".contains(character) {
        thousandths += 350
      } else {
        thousandths += columns(character) * 500 + 80
      }
    }
    return Double(thousandths) * size / 1000 * (bold ? 1.07 : 1)
  }

  /// `text`, cut and ended with an ellipsis where it is wider than `limit` pixels.
  package static func fitted(
    _ text: String, to limit: Double, size: Double = 12, bold: Bool = false
  )
    -> String
  {
    if width(text, size: size, bold: bold) <= limit { return text }
    var kept = ""
    let room = limit - width("…", size: size, bold: bold)
    var used = 0.0
    for character in text {
      used += width(String(character), size: size, bold: bold)
      if used > room { break }
      kept.append(character)
    }
    return kept.isEmpty ? "" : kept + "…"
  }

  /// `text`, with an ellipsis for its middle where it is wider than `limit` pixels, so that names
  /// which differ at the
  /// end stay different.
  package static func fittedInside(_ text: String, to limit: Double, size: Double = 12) -> String {
    if width(text, size: size) <= limit { return text }
    var (head, tail) = (text.prefix(text.count / 2), text.dropFirst(text.count / 2))
    while !head.isEmpty && !tail.isEmpty {
      let cut = head + "…" + tail
      if width(String(cut), size: size) <= limit { return String(cut) }
      if head.count >= tail.count { head.removeLast() } else { tail.removeFirst() }
    }
    return ""
  }

  /// Columns a character takes in a terminal: none for controls and joined marks, two for wide
  /// East Asian signs and emoji.
  package static func columns(_ character: Character) -> Int {
    guard let first = character.unicodeScalars.first else { return 0 }
    switch first.properties.generalCategory {
    case .control, .format, .nonspacingMark, .enclosingMark: return 0
    default: break
    }
    switch first.value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF,
      0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F9FF,
      0x20000...0x3FFFD:
      return 2
    default: return 1
    }
  }

  /// Columns a text takes in a terminal.
  package static func columns(_ text: String) -> Int {
    text.reduce(0) { $0 + columns($1) }
  }

  /// `text` cut to at most `limit` terminal columns, ended with an ellipsis where something is
  /// missing.
  package static func fitted(_ text: String, columns limit: Int) -> String {
    if columns(text) <= limit { return text }
    var kept = ""
    var used = 1
    for character in text {
      used += columns(character)
      if used > limit { break }
      kept.append(character)
    }
    return limit > 0 ? kept + "…" : ""
  }
}
