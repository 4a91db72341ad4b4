/// One value of a log record.
///
/// ```swift
/// try log.append([("step", 100), ("loss", 0.25), ("phase", "training"), ("best", true)])
/// ```
public enum LogValue: Sendable, Equatable {
  case real(Double)
  case integer(Int)
  case text(String)
  case bool(Bool)
  case null
}

extension LogValue: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByNilLiteral
{
  public init(floatLiteral value: Double) { self = .real(value) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(stringLiteral value: String) { self = .text(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(nilLiteral: ()) { self = .null }
}

extension LogValue {
  /// As JSON writes it. JSON has no NaN and no infinity: they become `null`.
  var json: String {
    switch self {
    case .real(let value): value.isFinite ? "\(value)" : "null"
    case .integer(let value): String(value)
    case .text(let value): Self.quoted(value)
    case .bool(let value): value ? "true" : "false"
    case .null: "null"
    }
  }

  /// As a cell of a CSV file (RFC 4180). What is missing is an empty cell; NaN is `nan`,
  /// infinities are `inf` and `-inf`.
  var csv: String {
    switch self {
    case .real(let value): "\(value)"
    case .integer(let value): String(value)
    case .text(let value): Self.cell(value)
    case .bool(let value): value ? "true" : "false"
    case .null: ""
    }
  }

  /// A string as JSON writes it.
  static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case "\u{0}"..<"\u{20}":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  /// A text as a CSV cell, in quotes where it needs them. Line ends become blanks, so that a
  /// record is one line.
  static func cell(_ text: String) -> String {
    let line = String(text.map { $0.isNewline ? " " : $0 })
    guard line.contains(where: { ",\"".contains($0) }) || line.first == " " || line.last == " "
    else {
      return line
    }
    return "\"" + line.replacing("\"", with: "\"\"") + "\""
  }
}
