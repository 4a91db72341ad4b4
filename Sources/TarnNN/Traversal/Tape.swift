import TarnCore

/// A module written out: one entry for each value in it, in the order in which it encodes itself, tensors aside.
///
/// Entries of one container follow each other, each with all that is inside it, so a reader that asks for
/// fields in the order of writing never searches.
struct Tape {
  struct Entry {
    var key: String
    var content: Content = .keyed
    /// One past the last entry inside this one.
    var next = 0
    /// How many tensors were written before.
    var firstLeaf: Int
  }

  enum Content {
    case keyed, unkeyed, null
    /// As `keyed`, but the order of its fields means nothing.
    case dictionary
    /// A number, a truth value, a string, or an array of such.
    case value(Any)
    case leaf(Int)
  }

  struct Leaf {
    var tensor: Tensor
    var isBuffer: Bool
    /// Its path, e.g. `layer1.0.conv1.weight`; empty unless names were asked for.
    var name: String

    func belongs(to kind: LeafKind) -> Bool {
      kind == .all || (!isBuffer && tensor.dtype.isFloating)
    }
  }

  /// A module inside, the whole one included.
  struct Part {
    var path: String
    var type: any Module.Type
  }

  var entries: [Entry] = []
  /// In the order of writing, which for dictionaries differs from one run to the next.
  var leaves: [Leaf] = []
  var parts: [Part] = []
  /// Numbers of the leaves in lasting order; nil: as written.
  var order: [Int]?

  /// Writes a value out, and on the way changes what is in it.
  init<T: Encodable>(
    _ value: T, named: Bool = false, changing change: TapeWriter.Change? = nil
  ) throws {
    let writer = TapeWriter(named: named, changing: change)
    try writer.writeRoot(value)
    self = writer.tape
  }

  init() {}

  /// The leaves of a kind with their numbers, in lasting order.
  func forEachLeaf(_ kind: LeafKind, _ body: (Int, Leaf) -> Void) {
    if let order {
      for id in order where leaves[id].belongs(to: kind) { body(id, leaves[id]) }
    } else {
      for id in leaves.indices where leaves[id].belongs(to: kind) { body(id, leaves[id]) }
    }
  }

  var orderedLeaves: [Leaf] { order?.map { leaves[$0] } ?? leaves }

  /// Reads a value back, with these tensors, by number.
  func read<T: Decodable>(_ type: T.Type, with tensors: [Tensor]) throws -> T {
    // A field with an initial value, `var fc = Linear(9, 3)`, is first given that one in every initialiser, also the
    // decoding one. It is replaced at once and must cost nothing and take no random keys.
    try Initialization.skipped { try TapeReader(self, tensors).value(at: 0) }
  }

  /// Where an entry stands, for messages.
  func path(of place: Int) -> String {
    var keys: [String] = []
    var at = 0
    while at < place,
      let child = children(of: at).first(where: { $0 <= place && place < entries[$0].next })
    {
      keys.append(entries[child].key)
      at = child
    }
    return keys.joined(separator: ".")
  }

  func children(of place: Int) -> [Int] {
    var found: [Int] = []
    var child = place + 1
    while child < entries[place].next {
      found.append(child)
      child = entries[child].next
    }
    return found
  }
}

/// What is taken as one value and not looked into.
enum Plain {
  private static let single: Set<ObjectIdentifier> = Set(
    [
      Bool.self, Int.self, Int8.self, Int16.self, Int32.self, Int64.self, UInt.self, UInt8.self,
      UInt16.self, UInt32.self, UInt64.self, Float.self, Double.self, String.self,
    ].map { (type: Any.Type) in ObjectIdentifier(type) })
  private static let lists: Set<ObjectIdentifier> = Set(
    [[Int].self, [Double].self, [Float].self, [String].self, [Bool].self]
      .map { (type: Any.Type) in ObjectIdentifier(type) })

  static func contains<T>(_ type: T.Type) -> Bool { isSingle(type) || isList(type) }
  static func isSingle<T>(_ type: T.Type) -> Bool { single.contains(ObjectIdentifier(type)) }
  private static func isList<T>(_ type: T.Type) -> Bool { lists.contains(ObjectIdentifier(type)) }

  /// A number read from text as the type that is wanted; nil if it is no such number.
  static func convert<T>(_ value: Any, to type: T.Type) -> T? {
    if let value = value as? T { return value }
    if let number = value as? Int {
      let converted: Any? =
        switch type {
        case is Double.Type: Double(number)
        case is Float.Type: Float(number)
        case is Int8.Type: Int8(exactly: number)
        case is Int16.Type: Int16(exactly: number)
        case is Int32.Type: Int32(exactly: number)
        case is Int64.Type: Int64(number)
        case is UInt.Type: UInt(exactly: number)
        case is UInt8.Type: UInt8(exactly: number)
        case is UInt16.Type: UInt16(exactly: number)
        case is UInt32.Type: UInt32(exactly: number)
        case is UInt64.Type: UInt64(exactly: number)
        default: nil
        }
      return converted as? T
    }
    if let number = value as? Double { return type is Float.Type ? Float(number) as? T : nil }
    // Text has no other way to write numbers that are not finite.
    if let text = value as? String, ["nan", "inf", "-inf"].contains(text) {
      return type is Float.Type ? Float(text) as? T : type is Double.Type ? Double(text) as? T : nil
    }
    return nil
  }
}
