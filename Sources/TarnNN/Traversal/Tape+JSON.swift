import Foundation
import TarnCore

/// A saved model or optimizer that cannot be read.
public struct ModelFileError: Error, CustomStringConvertible {
  /// Where it was.
  public var file: String
  /// What is wrong.
  public var reason: String
  /// What to do.
  public var hint: String?

  public var description: String {
    "\(file): \(reason)" + (hint.map { "\n  hint: \($0)" } ?? "")
  }
}

/// A tape as JSON: configuration as it is, a tensor as its name, type and shape.
extension Tape {
  private static let tensorKey = "$tensor"

  /// Written with names, in the order of declaration.
  func json() throws -> String {
    var text = ""
    try write(0, "", "", into: &text)
    return text + "\n"
  }

  private func write(_ place: Int, _ path: String, _ indent: String, into text: inout String) throws
  {
    switch entries[place].content {
    case .null: text += "null"
    case .value(let value): text += try Self.plain(value)
    case .leaf(let id):
      let tensor = leaves[id].tensor
      text += "{\"\(Self.tensorKey)\": \(Self.quoted(leaves[id].name)), "
      text += "\"dtype\": \"\(tensor.dtype.name)\", \"shape\": \(tensor.shape)}"
    case .keyed, .dictionary:
      try list(place, "{", "}", indent, into: &text) { Self.quoted(entries[$0].key) + ": " }
    case .unkeyed: try list(place, "[", "]", indent, into: &text) { _ in "" }
    }
  }

  private func list(
    _ place: Int, _ open: String, _ close: String, _ indent: String, into text: inout String,
    label: (Int) -> String
  ) throws {
    let children = children(of: place)
    text += open
    for (index, child) in children.enumerated() {
      text += (index == 0 ? "\n" : ",\n") + indent + "  " + label(child)
      try write(child, "", indent + "  ", into: &text)
    }
    text += (children.isEmpty ? "" : "\n" + indent) + close
  }

  private static func quoted(_ string: String) -> String {
    var text = "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"", "\\": text += "\\" + String(scalar)
      case "\u{0}"..."\u{1f}":
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }

  private static func plain(_ value: Any) throws -> String {
    switch value {
    case let value as String: return quoted(value)
    case let value as Bool: return value ? "true" : "false"
    case let value as Double: return value.isFinite ? "\(value)" : quoted("\(value)")
    case let value as Float: return value.isFinite ? "\(value)" : quoted("\(value)")
    case let value as any BinaryInteger: return "\(value)"
    case let values as [Any]: return "[" + (try values.map(plain)).joined(separator: ", ") + "]"
    default:
      throw EncodingError.invalidValue(
        value,
        EncodingError.Context(codingPath: [], debugDescription: "no JSON for \(type(of: value))"))
    }
  }

  // MARK: Reading

  /// From JSON; `tensor` gives the tensor of a name, type and shape.
  init(json data: Data, tensor: (String, [Int]) throws -> Tensor) throws {
    self.init()
    try append(JSONDecoder().decode(JSONValue.self, from: data), key: "", tensor)
  }

  private mutating func append(
    _ value: JSONValue, key: String, _ tensor: (String, [Int]) throws -> Tensor
  ) throws {
    let place = entries.count
    entries.append(Entry(key: key, firstLeaf: leaves.count))
    switch value {
    case .null: entries[place].content = .null
    case .plain(let value): entries[place].content = .value(value.any)
    case .array(let elements):
      entries[place].content = .unkeyed
      for (index, element) in elements.enumerated() { try append(element, key: "\(index)", tensor) }
    case .object(let fields):
      if let (name, shape) = Self.tensorReference(fields) {
        entries[place].content = .leaf(leaves.count)
        leaves.append(Leaf(tensor: try tensor(name, shape), isBuffer: false, name: name))
      } else {
        for (key, field) in fields.sorted(by: { $0.key < $1.key }) {
          try append(field, key: key, tensor)
        }
      }
    }
    entries[place].next = entries.count
  }

  private static func tensorReference(_ fields: [String: JSONValue]) -> (String, [Int])? {
    guard case .plain(.string(let name))? = fields[tensorKey],
      case .array(let lengths)? = fields["shape"]
    else { return nil }
    let shape = lengths.compactMap { length -> Int? in
      if case .plain(.integer(let number)) = length { return number }
      return nil
    }
    return shape.count == lengths.count ? (name, shape) : nil
  }
}

/// Any JSON.
private enum JSONValue: Decodable {
  enum Plain {
    case bool(Bool), integer(Int), real(Double), string(String)
    var any: Any {
      switch self {
      case .bool(let value): value
      case .integer(let value): value
      case .real(let value): value
      case .string(let value): value
      }
    }
  }
  case null, plain(Plain), array([JSONValue]), object([String: JSONValue])

  init(from decoder: any Decoder) throws {
    if let container = try? decoder.container(keyedBy: AnyKey.self) {
      var fields: [String: JSONValue] = [:]
      for key in container.allKeys {
        fields[key.stringValue] = try container.decode(JSONValue.self, forKey: key)
      }
      self = .object(fields)
      return
    }
    if var container = try? decoder.unkeyedContainer() {
      var elements: [JSONValue] = []
      while !container.isAtEnd { elements.append(try container.decode(JSONValue.self)) }
      self = .array(elements)
      return
    }
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .plain(.bool(value))
    } else if let value = try? container.decode(Int.self) {
      self = .plain(.integer(value))
    } else if let value = try? container.decode(Double.self) {
      self = .plain(.real(value))
    } else {
      self = .plain(.string(try container.decode(String.self)))
    }
  }

  private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { return nil }
  }
}
