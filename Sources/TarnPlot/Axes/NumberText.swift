import Foundation

/// Numbers as people read them.
package enum NumberText {
  /// With so many digits after the point, thousands apart: `60,000`, `0.25`.
  package static func fixed(_ value: Double, decimals: Int) -> String {
    guard value.isFinite else { return special(value) }
    var text = String(format: "%.*f", min(max(decimals, 0), 17), value)
    if text.hasPrefix("-"), !text.contains(where: { "123456789".contains($0) }) {
      text.removeFirst()
    }
    return grouped(text)
  }

  /// With so many significant digits, in the form that is shorter to read: `0.9731`, `12,450`,
  /// `3.2×10⁻⁷`.
  package static func short(_ value: Double, digits: Int = 4) -> String {
    guard value.isFinite else { return special(value) }
    if value == 0 { return "0" }
    let wanted = min(max(digits, 1), 17)
    // Rounding may carry into the next power of ten, so the exponent is read from the rounded
    // number.
    let rounded = String(format: "%.*e", wanted - 1, value)
    guard let mark = rounded.firstIndex(of: "e"),
      let exponent = Int(rounded[rounded.index(after: mark)...].drop { $0 == "+" })
    else { return rounded }
    if exponent >= -4 && exponent < max(wanted, 6) {
      return grouped(trimmed(String(format: "%.*f", max(wanted - 1 - exponent, 0), value)))
    }
    return trimmed(String(rounded[..<mark])) + "×10" + superscript(exponent)
  }

  /// A mantissa and a power of ten: `2.5×10⁻⁴`.
  package static func scientific(_ value: Double, decimals: Int) -> String {
    guard value.isFinite else { return special(value) }
    if value == 0 { return "0" }
    let text = String(format: "%.*e", min(max(decimals, 0), 16), value)
    guard let mark = text.firstIndex(of: "e"),
      let exponent = Int(text[text.index(after: mark)...].drop { $0 == "+" })
    else { return text }
    return trimmed(String(text[..<mark])) + "×10" + superscript(exponent)
  }

  /// Ten to a whole power: `10⁻³`.
  package static func powerOfTen(_ exponent: Int) -> String { "10" + superscript(exponent) }

  /// A fraction as a percentage: `97.3 %`.
  package static func percent(_ fraction: Double, decimals: Int = 1) -> String {
    fraction.isFinite ? fixed(fraction * 100, decimals: decimals) + " %" : special(fraction)
  }

  private static func superscript(_ number: Int) -> String {
    let digits = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
    return String(String(number).map { $0 == "-" ? "⁻" : digits[$0.wholeNumberValue ?? 0] })
  }

  private static func special(_ value: Double) -> String {
    value.isNaN ? "NaN" : value < 0 ? "-∞" : "∞"
  }

  private static func trimmed(_ text: String) -> String {
    guard text.contains(".") else { return text }
    var kept = Substring(text)
    while kept.last == "0" { kept.removeLast() }
    if kept.last == "." { kept.removeLast() }
    return String(kept)
  }

  /// Commas between thousands, from five digits on.
  private static func grouped(_ text: String) -> String {
    let whole = text.prefix { $0 != "." }
    let digits = whole.drop { $0 == "-" }
    guard digits.count >= 5 else { return text }
    var result = digits.count == whole.count ? "" : "-"
    for (index, digit) in digits.enumerated() {
      if index > 0 && (digits.count - index) % 3 == 0 { result.append(",") }
      result.append(digit)
    }
    return result + text.dropFirst(whole.count)
  }
}
