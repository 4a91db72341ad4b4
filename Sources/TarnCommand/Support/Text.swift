import Foundation
import Tarn

/// Numbers as people read them.
enum Text {
  static func number(_ value: Double, digits: Int = 4) -> String {
    NumberText.short(value, digits: digits)
  }

  static func percent(_ share: Double) -> String {
    share.isFinite ? String(format: "%.2f %%", share * 100) : "–"
  }

  static func seconds(_ value: Double) -> String {
    if value >= 120, let whole = Int(exactly: value.rounded()) {
      return "\(whole / 60) min \(whole % 60) s"
    }
    return String(format: value < 10 ? "%.2f s" : "%.1f s", value)
  }

  /// A rate in whole numbers; one that no clock can give as a dash.
  static func rate(_ value: Double) -> String {
    Int(exactly: value.rounded(.towardZero)).map(count) ?? "–"
  }

  /// 60000 as 60,000.
  static func count(_ value: Int) -> String {
    var digits = Array(String(value.magnitude))
    for place in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: place) }
    return (value < 0 ? "-" : "") + String(digits)
  }

  static func megabytes(_ bytes: Int) -> String {
    String(format: "%.2f MB", Double(bytes) / 1e6)
  }
}
