import TarnData

/// Why a layer is not supported, in one clause.
struct KerasRefusal: Error {
  let reason: String
  init(_ reason: String) { self.reason = reason }
}

/// One layer's configuration, read with care: sizes are bounded, and what is not understood is refused.
struct KerasConfig {
  /// `Conv2D`
  let type: String
  /// `conv2d_1`
  let name: String
  /// 1, 2 or 3.
  let majorVersion: Int
  let json: JSON

  /// No number of units is larger.
  static let largest = 1 << 24
  /// No kernel, stride, factor or margin is larger.
  static let largestWindow = 4096

  subscript(_ key: String) -> JSON? {
    let value = json[key]
    return value == .null ? nil : value
  }

  func has(_ key: String) -> Bool { self[key] != nil }

  func bool(_ key: String, _ standard: Bool) throws -> Bool {
    switch self[key] {
    case nil: standard
    case .bool(let value): value
    case .some: throw KerasRefusal("\(key) is neither true nor false")
    }
  }

  func int(_ key: String, _ standard: Int? = nil, from least: Int = 1) throws -> Int {
    guard let value = self[key] else {
      if let standard { return standard }
      throw KerasRefusal("it has no \(key)")
    }
    guard let number = value.int, (least...Self.largest).contains(number) else {
      throw KerasRefusal("\(key) is no number from \(least) to \(Self.largest)")
    }
    return number
  }

  func double(_ key: String, _ standard: Double) throws -> Double {
    guard let value = self[key] else { return standard }
    guard let number = Self.double(value) else { throw KerasRefusal("\(key) is no number") }
    return number
  }

  static func double(_ value: JSON) -> Double? {
    if case .number(let text) = value { Double(text) } else { nil }
  }

  /// A list of numbers, or one number.
  func doubles(_ key: String) throws -> [Double] {
    guard let value = self[key] else { return [] }
    if let number = Self.double(value) { return [number] }
    // Lists within lists hold one row.
    var rows = value.array ?? []
    while rows.count == 1, let inner = rows[0].array { rows = inner }
    let numbers = rows.compactMap(Self.double)
    guard numbers.count == rows.count else { throw KerasRefusal("\(key) is no list of numbers") }
    return numbers
  }

  func string(_ key: String, _ standard: String) throws -> String {
    guard let value = self[key] else { return standard }
    guard let text = value.string else { throw KerasRefusal("\(key) is no text") }
    return text
  }

  /// `count` whole numbers; one number stands for all.
  func ints(_ key: String, _ count: Int, _ standard: [Int]? = nil, from least: Int = 1) throws
    -> [Int]
  {
    guard let value = self[key] else {
      if let standard { return standard }
      throw KerasRefusal("it has no \(key)")
    }
    let numbers =
      value.int.map { [Int](repeating: $0, count: count) } ?? value.array?.compactMap(\.int)
    guard let numbers, numbers.count == count,
      numbers.allSatisfy({ (least...Self.largestWindow).contains($0) })
    else {
      throw KerasRefusal("\(key) is not \(count) numbers from \(least) to \(Self.largestWindow)")
    }
    return numbers
  }

  /// Any number of whole numbers, which may be negative.
  func integers(_ key: String) throws -> [Int] {
    guard let values = self[key]?.array else { throw KerasRefusal("it has no list \(key)") }
    let numbers = values.compactMap(\.int).filter { abs($0) <= Self.largest }
    guard numbers.count == values.count, numbers.count <= 16 else {
      throw KerasRefusal("\(key) is no list of whole numbers")
    }
    return numbers
  }

  /// Margins `[[1, 2], [3, 4]]`, `[1, 2]` for both sides of each axis, or one number for all.
  func margins(_ key: String, _ count: Int) throws -> [(Int, Int)] {
    func pair(_ value: JSON) -> (Int, Int)? {
      if let both = value.int { return (both, both) }
      guard let sides = value.array?.compactMap(\.int), sides.count == 2 else { return nil }
      return (sides[0], sides[1])
    }
    guard let value = self[key] else { return [(Int, Int)](repeating: (1, 1), count: count) }
    // On one axis, [2, 3] are its two sides.
    let entries =
      count == 1 || value.int != nil ? [JSON](repeating: value, count: count) : value.array
    let margins = (entries ?? []).compactMap(pair)
    let isSound = margins.allSatisfy {
      (0...Self.largestWindow).contains($0.0) && (0...Self.largestWindow).contains($0.1)
    }
    guard margins.count == count, isSound else {
      throw KerasRefusal("\(key) is no list of margins")
    }
    return margins
  }

  /// Whether channels are the last axis, as they are unless the file says otherwise.
  func isChannelsLast() throws -> Bool {
    switch try string("data_format", "channels_last") {
    case "channels_last": true
    case "channels_first": false
    case let other: throw KerasRefusal("data_format is '\(other)'")
    }
  }

  /// Something that changes results and is not supported has to be off.
  func refuse(_ key: String, unless standard: Bool) throws {
    if try bool(key, standard) != standard { throw KerasRefusal("\(key) is \(!standard)") }
  }

  /// Another layer within this one's configuration.
  func inner(_ key: String) throws -> KerasConfig {
    guard let layer = self[key], let type = layer["class_name"]?.string,
      let config = layer["config"]
    else { throw KerasRefusal("it has no layer under '\(key)'") }
    return KerasConfig(
      type: type, name: config["name"]?.string ?? name, majorVersion: majorVersion, json: config)
  }
}
