import TarnCore

/// The encoder's shared part: writes the tape.
final class TapeWriter {
  private(set) var tape = Tape()
  private let named: Bool
  /// Entries still being written, outermost first.
  private var open: [Int] = []

  /// What a value is written as, by its path; nil: as it is.
  typealias Change = (_ path: String, _ value: Any) -> Any
  private let change: Change?

  init(named: Bool, isProbe: Bool = false, changing change: Change? = nil) {
    (self.named, self.isProbe, self.change) = (named, isProbe, change)
  }

  func writeRoot<T: Encodable>(_ value: T) throws {
    let place = append("")
    try fill(place, with: value, path: "")
    close(through: place)
    if let order = tape.order { tape.order = order + Array(order.count..<tape.leaves.count) }
  }

  /// Writes a field or an element of the container at `parent`.
  fileprivate func write<T: Encodable>(
    _ value: T, _ key: String, in parent: Int, path: String
  ) throws {
    try select(parent)
    let place = append(key)
    try fill(place, with: value, path: join(path, key))
    close(through: place)
  }

  fileprivate func fill<T: Encodable>(_ place: Int, with value: T, path: String) throws {
    let value = change.flatMap { $0(path, value) as? T } ?? value
    if T.self == Tensor.self, let tensor = value as? Tensor {
      writeLeaf(tensor, at: place, isBuffer: false, path)
    } else if T.self == Buffer.self, let buffer = value as? Buffer {
      writeLeaf(buffer.wrappedValue, at: place, isBuffer: true, path)
    } else if Plain.contains(T.self) {
      tape.entries[place].content = .value(value)
    } else {
      if named, let type = T.self as? any Module.Type {
        tape.parts.append(Tape.Part(path: path, type: type))
      }
      try value.encode(to: TapeEncoder(writer: self, place: place, path: path))
    }
  }

  private func writeLeaf(_ tensor: Tensor, at place: Int, isBuffer: Bool, _ path: String) {
    tape.entries[place].content = .leaf(tape.leaves.count)
    tape.leaves.append(Tape.Leaf(tensor: tensor, isBuffer: isBuffer, name: path))
  }

  /// Starts an entry inside `parent` whose content a container of its own will write.
  fileprivate func nest(_ key: String, in parent: Int) throws -> Int {
    try select(parent)
    return append(key)
  }

  fileprivate func writeNull(_ key: String, in parent: Int) throws {
    try select(parent)
    let place = append(key)
    tape.entries[place].content = .null
    close(through: place)
  }

  fileprivate func become(_ content: Tape.Content, at place: Int) {
    tape.entries[place].content = content
  }

  fileprivate func join(_ path: String, _ key: String) -> String {
    !named ? "" : path.isEmpty ? key : key.isEmpty ? path : path + "." + key
  }

  fileprivate var isNamed: Bool { named }

  // MARK: Open entries

  private func append(_ key: String) -> Int {
    tape.entries.append(Tape.Entry(key: key, firstLeaf: tape.leaves.count))
    open.append(tape.entries.count - 1)
    return tape.entries.count - 1
  }

  /// Ends what was being written inside `place`, so that more of it can follow.
  private func select(_ place: Int) throws {
    while let last = open.last, last != place { close(last) }
    guard open.isEmpty else { return }
    throw EncodingError.invalidValue(
      place,
      EncodingError.Context(
        codingPath: [], debugDescription: "two nested containers were written to in turns"))
  }

  private func close(through place: Int) {
    while let last = open.last, last >= place { close(last) }
  }

  private func close(_ place: Int) {
    open.removeLast()
    tape.entries[place].next = tape.entries.count
    if case .dictionary = tape.entries[place].content { sortLeaves(of: place) }
  }

  /// Dictionaries come in any order: their tensors are put in the order of the keys.
  private func sortLeaves(of place: Int) {
    let end = tape.leaves.count
    let first = tape.entries[place].firstLeaf
    guard end - first > 1 else { return }
    var order = tape.order ?? []
    order.append(contentsOf: order.count..<end)
    let children = tape.children(of: place)
    let ranges = zip(children, children.dropFirst().map { tape.entries[$0].firstLeaf } + [end]).map
    {
      (key: tape.entries[$0].key, leaves: Array(order[tape.entries[$0].firstLeaf..<$1]))
    }
    order.replaceSubrange(
      first..<end, with: ranges.sorted { $0.key < $1.key }.flatMap { $0.leaves })
    tape.order = order
  }

  // MARK: Dictionaries

  private let isProbe: Bool
  private var probedKey: ObjectIdentifier?

  /// The key type that the standard library's dictionaries encode themselves with.
  private static let dictionaryKey: ObjectIdentifier? = {
    let probe = TapeWriter(named: false, isProbe: true)
    do { try probe.writeRoot(["": 0]) } catch { return nil }
    return probe.probedKey
  }()

  fileprivate func begin<Key: CodingKey>(_ key: Key.Type, at place: Int) {
    let id = ObjectIdentifier(key)
    if isProbe {
      probedKey = id
    } else if id == Self.dictionaryKey {
      tape.entries[place].content = .dictionary
    }
  }
}

// MARK: - The coders in front of it

struct TapeEncoder: Encoder {
  let writer: TapeWriter
  let place: Int
  let path: String
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    writer.become(.keyed, at: place)
    writer.begin(type, at: place)
    return KeyedEncodingContainer(KeyedTape<Key>(encoder: self))
  }
  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    writer.become(.unkeyed, at: place)
    return UnkeyedTape(encoder: self)
  }
  func singleValueContainer() -> any SingleValueEncodingContainer { SingleTape(encoder: self) }

  /// An encoder for a container inside this one; `key` is no part of the path for a superclass.
  fileprivate func nested(_ key: String, isSuper: Bool = false) throws -> TapeEncoder {
    TapeEncoder(
      writer: writer, place: try writer.nest(key, in: place),
      path: isSuper ? path : writer.join(path, key))
  }

  /// As ``nested(_:isSuper:)`` where the protocol leaves no room to throw.
  fileprivate func nestedOrReported(_ key: String, isSuper: Bool = false) -> TapeEncoder {
    do { return try nested(key, isSuper: isSuper) } catch {
      return Diagnostic.report(
        Diagnostic(operation: "walking a module", reason: "\(error)"), giving: self)
    }
  }
}

private struct KeyedTape<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let encoder: TapeEncoder
  var codingPath: [any CodingKey] { [] }

  func encodeNil(forKey key: Key) throws {
    try encoder.writer.writeNull(key.stringValue, in: encoder.place)
  }
  func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
    try encoder.writer.write(value, key.stringValue, in: encoder.place, path: encoder.path)
  }
  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) -> KeyedEncodingContainer<Nested> {
    encoder.nestedOrReported(key.stringValue).container(keyedBy: type)
  }
  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    encoder.nestedOrReported(key.stringValue).unkeyedContainer()
  }
  func superEncoder() -> any Encoder { encoder.nestedOrReported("super", isSuper: true) }
  func superEncoder(forKey key: Key) -> any Encoder {
    encoder.nestedOrReported(key.stringValue, isSuper: true)
  }
}

private struct UnkeyedTape: UnkeyedEncodingContainer {
  let encoder: TapeEncoder
  var codingPath: [any CodingKey] { [] }
  private(set) var count = 0

  init(encoder: TapeEncoder) { self.encoder = encoder }

  /// Elements are named by their index, as PyTorch names those of a list.
  private mutating func nextKey() -> String {
    defer { count += 1 }
    return encoder.writer.isNamed ? String(count) : ""
  }
  mutating func encodeNil() throws { try encoder.writer.writeNull(nextKey(), in: encoder.place) }
  mutating func encode<T: Encodable>(_ value: T) throws {
    try encoder.writer.write(value, nextKey(), in: encoder.place, path: encoder.path)
  }
  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type
  ) -> KeyedEncodingContainer<Nested> {
    encoder.nestedOrReported(nextKey()).container(keyedBy: type)
  }
  mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
    encoder.nestedOrReported(nextKey()).unkeyedContainer()
  }
  mutating func superEncoder() -> any Encoder { encoder.nestedOrReported(nextKey()) }
}

private struct SingleTape: SingleValueEncodingContainer {
  let encoder: TapeEncoder
  var codingPath: [any CodingKey] { [] }

  func encodeNil() throws { encoder.writer.become(.null, at: encoder.place) }
  func encode<T: Encodable>(_ value: T) throws {
    try encoder.writer.fill(encoder.place, with: value, path: encoder.path)
  }
}
