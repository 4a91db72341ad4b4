import TarnData

/// Reads one pickle (protocols 0 to 5) as plain data.
///
/// A pickle is a program for a machine with a stack, which in Python may import and call anything. Here it can only
/// build the values of ``PickleValue``: every name must be on the list of ``PickleGlobal``, and nothing is ever called. What a pickle
/// can make grows with its bytes alone: each operation makes one value at most, and contents are not copied.
struct Unpickler {
  /// What to do with a class that is not on the list.
  static let refusalHint =
    "nothing in the file was run; save a state dict (torch.save(model.state_dict(), ...)) or plain numbers, or convert "
    + "the file to safetensors where you trust it"

  var reader: ByteReader
  private let start: Int
  private var stack: [PickleValue] = []
  /// Heights of the stack at open marks.
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]
  var containers: [PickleContainer] = []
  var storages: [PickledStorage] = []
  var arrays: [PickledArray] = []
  /// NumPy's names of element types, such as `<f4`.
  var numpyTypes: [String] = []
  /// Where the operation at hand begins.
  private(set) var place: Int

  /// Reads the pickle that begins where `reader` stands, and leaves `reader` after it.
  static func read(_ reader: inout ByteReader) throws(DataError) -> Pickle {
    var machine = Unpickler(reader)
    let root = try machine.run()
    reader = machine.reader
    return Pickle(
      root: root, containers: machine.containers, storages: machine.storages,
      arrays: machine.arrays, size: reader.offset - machine.start)
  }

  private init(_ reader: ByteReader) {
    (self.reader, start, place) = (reader, reader.offset, reader.offset)
  }

  private mutating func run() throws(DataError) -> PickleValue {
    while true {
      place = reader.offset
      let code = try reader.integer(UInt8.self, .little, "a pickle")
      if code == UInt8(ascii: ".") { return try pop() }
      try step(code)
    }
  }

  func error(
    _ reason: String, kind: DataError.Kind = .invalid, hint: String? = nil
  ) -> DataError {
    reader.error("pickle: \(reason)", at: place, kind: kind, hint: hint)
  }

  /// One operation. They are grouped as in the description of the protocol: what they push, and what they pop.
  private mutating func step(_ code: UInt8) throws(DataError) {
    if try pushNumber(code) { return }
    if try pushText(code) { return }
    switch code {
    case 0x80: try protocolVersion()
    case 0x95: _ = try reader.take(8, "a frame")
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: "0"): try discard()
    case UInt8(ascii: "1"): _ = try popToMark()
    case UInt8(ascii: "2"): push(try top())
    case UInt8(ascii: "]"): push(.list, [])
    case UInt8(ascii: ")"): push(.tuple, [])
    case UInt8(ascii: "}"): push(.dictionary, [])
    case 0x8f: push(.set, [])
    case UInt8(ascii: "l"): push(.list, try popToMark())
    case UInt8(ascii: "t"): push(.tuple, try popToMark())
    case UInt8(ascii: "d"): push(.dictionary, try popPairs())
    case 0x91: push(.set, try popToMark())
    case 0x85, 0x86, 0x87: push(.tuple, try pop(Int(code) - 0x84))
    case UInt8(ascii: "a"), UInt8(ascii: "e"), 0x90: try extend(code)
    case UInt8(ascii: "s"), UInt8(ascii: "u"): try setItems(code)
    case UInt8(ascii: "p"), UInt8(ascii: "q"), UInt8(ascii: "r"), 0x94: try remember(code)
    case UInt8(ascii: "g"), UInt8(ascii: "h"), UInt8(ascii: "j"): try recall(code)
    case UInt8(ascii: "c"), 0x93: push(.global(try global(code)))
    case UInt8(ascii: "P"), UInt8(ascii: "Q"): try persistent(code)
    case UInt8(ascii: "R"), 0x81, 0x92, UInt8(ascii: "i"), UInt8(ascii: "o"): try construct(code)
    case UInt8(ascii: "b"):
      let state = try pop()
      try build(top(), state)
    case 0x82, 0x83, 0x84: throw refuse("a class by its number in a registry (opcode EXT)")
    case 0x97, 0x98: throw refuse("a buffer outside the pickle")
    default:
      throw error(
        "byte \(code) is no operation of a pickle", hint: "the file is damaged; save it again")
    }
  }

  func refuse(_ what: String) -> DataError {
    error("it asks for \(what), which is refused", kind: .unsupported, hint: Self.refusalHint)
  }
}

// MARK: - The stack

extension Unpickler {
  mutating func push(_ value: PickleValue) { stack.append(value) }

  mutating func push(_ kind: PickleContainer.Kind, _ items: [PickleValue]) {
    containers.append(PickleContainer(kind: kind, items: items))
    stack.append(.container(containers.count - 1))
  }

  private func top() throws(DataError) -> PickleValue {
    guard let value = stack.last, stack.count > marks.last ?? 0 else { throw underflow() }
    return value
  }

  private mutating func pop() throws(DataError) -> PickleValue {
    let value = try top()
    stack.removeLast()
    return value
  }

  private mutating func pop(_ count: Int) throws(DataError) -> [PickleValue] {
    guard stack.count - (marks.last ?? 0) >= count else { throw underflow() }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func popToMark() throws(DataError) -> [PickleValue] {
    guard let mark = marks.popLast() else { throw underflow() }
    defer { stack.removeLast(stack.count - mark) }
    return Array(stack[mark...])
  }

  private mutating func popPairs() throws(DataError) -> [PickleValue] {
    let items = try popToMark()
    guard items.count.isMultiple(of: 2) else { throw error("a key without a value") }
    return items
  }

  /// POP takes a mark where nothing lies above it.
  private mutating func discard() throws(DataError) {
    if let mark = marks.last, mark == stack.count {
      marks.removeLast()
    } else {
      _ = try pop()
    }
  }

  private func underflow() -> DataError {
    error("takes more from its stack than is there", hint: "the file is damaged; save it again")
  }

  private mutating func extend(_ code: UInt8) throws(DataError) {
    let items = code == UInt8(ascii: "a") ? [try pop()] : try popToMark()
    guard case .container(let owner) = try top(), containers[owner].kind != .dictionary else {
      throw error("adds elements to what is no list")
    }
    containers[owner].items += items
  }

  private mutating func setItems(_ code: UInt8) throws(DataError) {
    let items = code == UInt8(ascii: "s") ? try pop(2) : try popPairs()
    guard case .container(let owner) = try top(), containers[owner].kind == .dictionary else {
      throw error("sets items of what is no dictionary")
    }
    containers[owner].items += items
  }

  private mutating func remember(_ code: UInt8) throws(DataError) {
    let key = code == 0x94 ? memo.count : try memoKey(code, "p", "q")
    memo[key] = try top()
  }

  private mutating func recall(_ code: UInt8) throws(DataError) {
    let key = try memoKey(code, "g", "h")
    guard let value = memo[key] else { throw error("recalls what it has not kept (\(key))") }
    push(value)
  }

  private mutating func memoKey(
    _ code: UInt8, _ asText: Unicode.Scalar, _ asByte: Unicode.Scalar
  ) throws(DataError) -> Int {
    if code == UInt8(ascii: asByte) { return Int(try reader.integer(UInt8.self, .little, "a key")) }
    if code != UInt8(ascii: asText) {
      return Int(try reader.integer(UInt32.self, .little, "a key"))
    }
    guard let key = Int(try line()) else { throw error("a key that is no number") }
    return key
  }

  private func protocolVersionError(_ version: UInt8) -> DataError {
    error("protocol \(version) is not known; 0 to 5 are", kind: .unsupported)
  }

  private mutating func protocolVersion() throws(DataError) {
    let version = try reader.integer(UInt8.self, .little, "the protocol's version")
    guard version <= 5 else { throw protocolVersionError(version) }
  }
}

// MARK: - Names and calls

extension Unpickler {
  private mutating func global(_ code: UInt8) throws(DataError) -> PickleGlobal {
    if code != 0x93 { return try global(module: line(), name: line()) }
    let names = try pop(2)
    guard let module = names[0].text, let name = names[1].text else {
      throw error("names a class by what is no text")
    }
    return try global(module: module, name: name)
  }

  private func global(module: String, name: String) throws(DataError) -> PickleGlobal {
    if let known = PickleGlobal(module: module, name: name) { return known }
    throw refuse("'\("\(module).\(name)".prefix(200))'")
  }

  private mutating func construct(_ code: UInt8) throws(DataError) {
    var callee: PickleValue
    let arguments: [PickleValue]
    switch code {
    case UInt8(ascii: "i"):
      callee = .global(try global(code))
      arguments = try popToMark()
    case UInt8(ascii: "o"):
      let all = try popToMark()
      guard let first = all.first else { throw underflow() }
      (callee, arguments) = (first, Array(all.dropFirst()))
    default:
      if code == 0x92 { _ = try pop() }
      let packed = try pop()
      callee = try pop()
      guard let items = tuple(packed) else { throw error("calls with what is no tuple") }
      arguments = items
    }
    guard case .global(let function) = callee else { throw error("calls what is no function") }
    push(try call(function, arguments))
  }

  /// The items of a tuple.
  func tuple(_ value: PickleValue) -> [PickleValue]? {
    guard case .container(let place) = value, containers[place].kind == .tuple else { return nil }
    return containers[place].items
  }

  /// The items of a list, tuple or set.
  func items(_ value: PickleValue) -> [PickleValue]? {
    guard case .container(let place) = value, containers[place].kind != .dictionary else {
      return nil
    }
    return containers[place].items
  }

  private mutating func persistent(_ code: UInt8) throws(DataError) {
    if code == UInt8(ascii: "P") { throw error("a storage that is named by a text") }
    push(try storage(pop()))
  }
}
