import TarnCore

/// The header of an NPY file: a Python dictionary with the element type, the order and the shape.
struct NPYHeader: Equatable {
  /// The element type in NumPy's words, such as `<f4`.
  var type: String
  var isColumnMajor: Bool
  var shape: [Int]

  /// Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
  init(parsing text: String, _ reader: ByteReader, at start: Int) throws(DataError) {
    var scanner = PythonLiteral(text: Array(text.utf8), reader: reader, start: start)
    var type: String?
    var order: Bool?
    var shape: [Int]?
    try scanner.expect("{")
    while !scanner.accept("}") {
      let key = try scanner.string()
      try scanner.expect(":")
      switch key {
      case "descr" where type == nil: type = try scanner.elementType()
      case "fortran_order" where order == nil: order = try scanner.boolean()
      case "shape" where shape == nil: shape = try scanner.tuple()
      default: throw scanner.error("the header has an unknown or repeated entry '\(key)'")
      }
      if !scanner.accept(",") {
        try scanner.expect("}")
        break
      }
    }
    try scanner.expectEnd()
    guard let type, let order, let shape else {
      throw scanner.error("the header lacks 'descr', 'fortran_order' or 'shape'")
    }
    (self.type, isColumnMajor, self.shape) = (type, order, shape)
  }

  init(type: String, shape: [Int]) {
    (self.type, isColumnMajor, self.shape) = (type, false, shape)
  }

  /// The header as NumPy writes it.
  var text: String {
    let lengths =
      shape.count == 1 ? "\(shape[0])," : shape.map(String.init).joined(separator: ", ")
    return "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(lengths)), }"
  }
}

/// Reads the few Python literals that an NPY header is made of.
private struct PythonLiteral {
  let text: [UInt8]
  let reader: ByteReader
  /// Where the text lies in the file.
  let start: Int
  var place = 0

  func error(_ reason: String, kind: DataError.Kind = .invalid, hint: String? = nil) -> DataError {
    reader.error(reason, at: start + place, kind: kind, hint: hint)
  }

  private mutating func skipSpaces() {
    while place < text.count, text[place] == 32 || (9...13).contains(text[place]) { place += 1 }
  }

  mutating func accept(_ symbol: Character) -> Bool {
    skipSpaces()
    guard place < text.count, text[place] == symbol.asciiValue else { return false }
    place += 1
    return true
  }

  mutating func expect(_ symbol: Character) throws(DataError) {
    guard accept(symbol) else { throw error("the header has no '\(symbol)' where one is due") }
  }

  mutating func expectEnd() throws(DataError) {
    skipSpaces()
    guard place == text.count else { throw error("the header goes on after its dictionary") }
  }

  mutating func string() throws(DataError) -> String {
    skipSpaces()
    guard place < text.count, text[place] == UInt8(ascii: "'") || text[place] == UInt8(ascii: "\"")
    else { throw error("the header has no text in quotes where one is due") }
    let quote = text[place]
    let first = place + 1
    guard let end = text[first...].firstIndex(of: quote) else {
      throw error("the header has a quote that is never closed")
    }
    place = end + 1
    return String(decoding: text[first..<end], as: UTF8.self)
  }

  mutating func elementType() throws(DataError) -> String {
    skipSpaces()
    if place < text.count, text[place] == UInt8(ascii: "[") {
      throw error(
        "the elements are records with named fields, which a tensor cannot hold",
        kind: .unsupported, hint: "save each field as an array of its own: array['name']")
    }
    return try string()
  }

  mutating func boolean() throws(DataError) -> Bool {
    skipSpaces()
    for (word, value) in [("True", true), ("False", false)]
    where text[place...].starts(with: word.utf8) {
      place += word.utf8.count
      return value
    }
    throw error("'fortran_order' is neither True nor False")
  }

  mutating func tuple() throws(DataError) -> [Int] {
    try expect("(")
    var lengths: [Int] = []
    while !accept(")") {
      guard lengths.count < 64 else { throw error("the shape has more than 64 axes") }
      lengths.append(try number())
      if !accept(",") {
        try expect(")")
        break
      }
    }
    return lengths
  }

  private mutating func number() throws(DataError) -> Int {
    skipSpaces()
    let digits = text[place...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    guard let value = Int(String(decoding: digits, as: UTF8.self)) else {
      throw error("the shape has a length that is not a number, or absurd")
    }
    place += digits.count
    if place < text.count, text[place] == UInt8(ascii: "L") { place += 1 }
    return value
  }
}
