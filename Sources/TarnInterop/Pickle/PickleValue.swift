import TarnData

/// A value of a pickle. Lists, tuples, dictionaries and sets lie in the unpickler's `containers` and are named by their
/// place there: so cycles cost nothing, and nothing deep is ever freed recursively.
enum PickleValue: Sendable {
  case none
  case bool(Bool)
  case int(Int)
  /// An integer beyond 64 bits: two's complement, little-endian.
  case wide([UInt8])
  case number(Double)
  case text(String)
  case bytes(FileBytes)
  case container(Int)
  /// A class or function of the allow-list.
  case global(PickleGlobal)
  /// A place in `storages`.
  case storage(Int)
  /// A place in `arrays`.
  case array(Int)
  /// A place in `numpyTypes`.
  case numpyType(Int)
}

/// What a container holds; keys and values of a dictionary alternate.
struct PickleContainer: Sendable {
  enum Kind: Sendable { case list, tuple, dictionary, set }

  var kind: Kind
  var items: [PickleValue] = []
}

/// A storage of PyTorch that a pickle refers to: a row of elements that lies elsewhere in the file.
struct PickledStorage: Sendable {
  var element: TorchElement
  /// Its name in the file.
  var key: String
  /// Number of elements.
  var count: Int
  /// Where a view of it begins, in elements (only before PyTorch 0.4).
  var viewStart = 0
}

/// A tensor of PyTorch or an array of NumPy, not yet read.
struct PickledArray: Sendable {
  enum Source: Sendable {
    /// A place in `storages`.
    case storage(Int)
    /// Contents within the pickle, and NumPy's name of the element type.
    case bytes(FileBytes, type: String)
    /// An array of NumPy that is announced, but has no contents yet.
    case nothing
  }

  var source: Source
  var element: TorchElement = .float32
  /// Where its first element lies, in elements.
  var offset = 0
  var shape: [Int] = []
  /// Elements from one index to the next along each axis; nil: they lie in row-major order.
  var strides: [Int]?
  var isColumnMajor = false
  /// Where in the file it is described, for errors.
  var place: Int
}

/// What came out of a pickle.
struct Pickle: Sendable {
  var root: PickleValue
  var containers: [PickleContainer]
  var storages: [PickledStorage]
  var arrays: [PickledArray]
  /// Bytes of the pickle.
  var size: Int

  /// Keys and values, if the value is a dictionary.
  func entries(_ value: PickleValue) -> [(key: PickleValue, value: PickleValue)]? {
    guard case .container(let place) = value, containers[place].kind == .dictionary else {
      return nil
    }
    let items = containers[place].items
    return stride(from: 0, to: items.count - 1, by: 2).map { (items[$0], items[$0 + 1]) }
  }

  /// The value of a text key in a dictionary; the last where there are several.
  func value(_ key: String, of dictionary: PickleValue) -> PickleValue? {
    entries(dictionary)?.last { $0.key.text == key }?.value
  }
}

extension PickleValue {
  /// A text; pickles of Python 2 have bytes for it.
  var text: String? {
    switch self {
    case .text(let text): text
    case .bytes(let bytes) where bytes.count <= 1 << 16:
      bytes.withBytes { String(validating: $0, as: UTF8.self) }
    default: nil
    }
  }

  /// A whole number.
  var int: Int? {
    switch self {
    case .int(let value): value
    case .bool(let value): value ? 1 : 0
    default: nil
    }
  }
}
