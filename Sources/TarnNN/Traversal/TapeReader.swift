import TarnCore

/// The decoder's shared part: reads a value off a tape, with other tensors than were written.
final class TapeReader {
  private let tape: Tape
  private let tensors: [Tensor]

  init(_ tape: Tape, _ tensors: [Tensor]) { (self.tape, self.tensors) = (tape, tensors) }

  func value<T: Decodable>(at place: Int) throws -> T {
    switch tape.entries[place].content {
    case .leaf(let id):
      if T.self == Tensor.self, let tensor = tensors[id] as? T { return tensor }
      if T.self == Buffer.self, let buffer = Buffer(wrappedValue: tensors[id]) as? T {
        return buffer
      }
    case .value(let value):
      if let value = value as? T { return value }
      if Plain.contains(T.self) {
        if let converted = Plain.convert(value, to: T.self) { return converted }
        throw mismatch(T.self, at: place, found: "\(value)")
      }
    case .null, .keyed, .unkeyed, .dictionary:
      // A plain type here would ask for itself again and again.
      if Plain.isSingle(T.self) || Plain.contains(T.self) && !isList(place) {
        throw mismatch(T.self, at: place, found: isList(place) ? "a list" : "no value")
      }
    }
    return try T(from: TapeDecoder(reader: self, place: place))
  }

  private func isList(_ place: Int) -> Bool {
    if case .unkeyed = tape.entries[place].content { return true }
    return false
  }

  private func mismatch(_ type: Any.Type, at place: Int, found: String) -> DecodingError {
    .typeMismatch(type, context(place, "expected \(type), found \(found)"))
  }

  func context(_ place: Int, _ text: String) -> DecodingError.Context {
    let path = tape.path(of: place)
    return DecodingError.Context(
      codingPath: [], debugDescription: path.isEmpty ? text : "at \"\(path)\": \(text)")
  }

  // MARK: Walking

  func key(of place: Int) -> String { tape.entries[place].key }
  func next(after place: Int) -> Int { tape.entries[place].next }
  func isNull(_ place: Int) -> Bool {
    if case .null = tape.entries[place].content { return true }
    return false
  }
  func children(of place: Int) -> [Int] { tape.children(of: place) }

  func keyed(_ place: Int) throws {
    switch tape.entries[place].content {
    case .keyed, .dictionary: return
    default: throw mismatch([String: Any].self, at: place, found: "a single value or a list")
    }
  }

  func unkeyed(_ place: Int) throws {
    guard isList(place) else { throw mismatch([Any].self, at: place, found: "no list") }
  }
}

struct TapeDecoder: Decoder {
  let reader: TapeReader
  let place: Int
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    try reader.keyed(place)
    return KeyedDecodingContainer(KeyedReading<Key>(decoder: self))
  }
  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    try reader.unkeyed(place)
    return UnkeyedReading(decoder: self)
  }
  func singleValueContainer() -> any SingleValueDecodingContainer { SingleReading(decoder: self) }
}

private final class KeyedReading<Key: CodingKey>: KeyedDecodingContainerProtocol {
  private let reader: TapeReader
  private let place: Int
  private let end: Int
  /// Where the search for the next key begins: after the one found last.
  private var cursor: Int
  var codingPath: [any CodingKey] { [] }

  init(decoder: TapeDecoder) {
    (reader, place) = (decoder.reader, decoder.place)
    end = reader.next(after: place)
    cursor = place + 1
  }

  private func find(_ key: String) -> Int? {
    var child = cursor
    while child < end {
      if reader.key(of: child) == key { return found(child) }
      child = reader.next(after: child)
    }
    child = place + 1
    while child < cursor {
      if reader.key(of: child) == key { return found(child) }
      child = reader.next(after: child)
    }
    return nil
  }

  private func found(_ child: Int) -> Int {
    cursor = reader.next(after: child)
    return child
  }

  private func expect(_ key: Key) throws -> Int {
    guard let child = find(key.stringValue) else {
      throw DecodingError.keyNotFound(
        key, reader.context(place, "there is no \"\(key.stringValue)\""))
    }
    return child
  }

  var allKeys: [Key] {
    reader.children(of: place).compactMap { Key(stringValue: reader.key(of: $0)) }
  }
  func contains(_ key: Key) -> Bool {
    // Fields are asked for after this: the cursor must not move on.
    let before = cursor
    defer { cursor = before }
    return find(key.stringValue) != nil
  }
  func decodeNil(forKey key: Key) throws -> Bool {
    let before = cursor
    defer { cursor = before }
    return reader.isNull(try expect(key))
  }
  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
    try reader.value(at: try expect(key))
  }
  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> {
    try TapeDecoder(reader: reader, place: try expect(key)).container(keyedBy: type)
  }
  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try TapeDecoder(reader: reader, place: try expect(key)).unkeyedContainer()
  }
  func superDecoder() throws -> any Decoder {
    guard let child = find("super") else {
      throw DecodingError.valueNotFound(
        Any.self, reader.context(place, "there is no superclass part"))
    }
    return TapeDecoder(reader: reader, place: child)
  }
  func superDecoder(forKey key: Key) throws -> any Decoder {
    TapeDecoder(reader: reader, place: try expect(key))
  }
}

private struct UnkeyedReading: UnkeyedDecodingContainer {
  private let reader: TapeReader
  private let children: [Int]
  private(set) var currentIndex = 0
  private let place: Int
  var codingPath: [any CodingKey] { [] }
  var count: Int? { children.count }
  var isAtEnd: Bool { currentIndex == children.count }

  init(decoder: TapeDecoder) {
    (reader, place) = (decoder.reader, decoder.place)
    children = reader.children(of: place)
  }

  private mutating func nextChild() throws -> Int {
    guard currentIndex < children.count else {
      throw DecodingError.valueNotFound(
        Any.self, reader.context(place, "the list has only \(children.count) elements"))
    }
    defer { currentIndex += 1 }
    return children[currentIndex]
  }
  mutating func decodeNil() throws -> Bool {
    guard currentIndex < children.count, reader.isNull(children[currentIndex]) else { return false }
    currentIndex += 1
    return true
  }
  mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
    try reader.value(at: nextChild())
  }
  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type
  ) throws -> KeyedDecodingContainer<Nested> {
    try TapeDecoder(reader: reader, place: nextChild()).container(keyedBy: type)
  }
  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    try TapeDecoder(reader: reader, place: nextChild()).unkeyedContainer()
  }
  mutating func superDecoder() throws -> any Decoder {
    TapeDecoder(reader: reader, place: try nextChild())
  }
}

private struct SingleReading: SingleValueDecodingContainer {
  let decoder: TapeDecoder
  var codingPath: [any CodingKey] { [] }

  func decodeNil() -> Bool { decoder.reader.isNull(decoder.place) }
  func decode<T: Decodable>(_ type: T.Type) throws -> T {
    try decoder.reader.value(at: decoder.place)
  }
}
