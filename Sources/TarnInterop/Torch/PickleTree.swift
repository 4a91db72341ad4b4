import TarnData

/// The tensors and scalars of a pickle by their paths: `{"state_dict": {"fc.bias": …}}` has `state_dict.fc.bias`.
struct PickleTree {
  private(set) var names: [String] = []
  /// For each name its place in the pickle's arrays.
  private(set) var places: [String: Int] = [:]
  private(set) var metadata: [String: String] = [:]
  private(set) var modelPrefix = ""
  private let pickle: Pickle
  private let file: FileBytes
  /// Bytes that names may still take: shared containers can describe many more than the file has.
  private var room: Int

  private static let greatestDepth = 100

  init(_ pickle: Pickle, file: FileBytes) {
    (self.pickle, self.file) = (pickle, file)
    room = 1 << 16 + pickle.size * 32
  }

  mutating func walk() throws(DataError) {
    try visit(pickle.root, "", depth: 0)
    modelPrefix = modelPart()
  }

  private mutating func visit(
    _ value: PickleValue, _ path: String, depth: Int
  ) throws(DataError) {
    room -= path.utf8.count + 8
    guard room >= 0, depth <= Self.greatestDepth else {
      throw DataError(
        .invalid, file: file.name,
        reason: depth > Self.greatestDepth
          ? "its dictionaries are nested more than \(Self.greatestDepth) deep, or hold themselves"
          : "it describes many more entries than it has bytes for",
        hint: "the file was made to do harm, or is damaged")
    }
    switch value {
    case .array(let place): add(path.isEmpty ? "tensor" : path, place)
    case .container(let place): try visitContainer(place, path, depth)
    default:
      if let text = Self.text(value) { metadata[path.isEmpty ? "value" : path] = text }
    }
  }

  private mutating func add(_ name: String, _ place: Int) {
    if places.updateValue(place, forKey: name) == nil { names.append(name) }
  }

  private mutating func visitContainer(
    _ place: Int, _ path: String, _ depth: Int
  ) throws(DataError) {
    let container = pickle.containers[place]
    let start = path.isEmpty ? "" : path + "."
    if container.kind == .dictionary {
      let items = container.items
      for i in stride(from: 0, to: items.count - 1, by: 2) {
        try visit(items[i + 1], start + key(items[i], i / 2), depth: depth + 1)
      }
    } else if let texts = scalars(container.items) {
      metadata[path.isEmpty ? "value" : path] = "[\(texts.joined(separator: ", "))]"
    } else {
      for (i, item) in container.items.enumerated() {
        try visit(item, "\(start)\(i)", depth: depth + 1)
      }
    }
  }

  private func key(_ value: PickleValue, _ index: Int) -> String {
    value.text ?? Self.text(value) ?? "key \(index)"
  }

  /// A list of nothing but numbers and texts is one text.
  private mutating func scalars(_ items: [PickleValue]) -> [String]? {
    let texts = items.compactMap(Self.text)
    guard texts.count == items.count else { return nil }
    room -= texts.reduce(0) { $0 + $1.utf8.count }
    return room >= 0 ? texts : nil
  }

  private static func text(_ value: PickleValue) -> String? {
    switch value {
    case .none: "None"
    case .bool(let value): value ? "true" : "false"
    case .int(let value): "\(value)"
    case .number(let value): "\(value)"
    case .text(let text): text
    case .bytes: value.text
    case .global(.element(let element)): element.rawValue
    default: nil
    }
  }

  // MARK: - The part that is the model

  private static let modelKeys = [
    "state_dict", "model_state_dict", "model_state", "model", "net", "network", "module",
    "weights", "params",
  ]

  /// A dictionary under one of the usual names, or the only one that has tensors. Where tensors (but for scalars) lie at
  /// the top the whole file is the model.
  private func modelPart() -> String {
    var prefix = ""
    var value = pickle.root
    let sorted = names.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
    /// Whether a name begins so.
    func isUsed(_ beginning: String) -> Bool {
      let wanted = Array(beginning.utf8)
      var range = sorted.indices
      while !range.isEmpty {
        let middle = range.lowerBound + range.count / 2
        let isBefore = sorted[middle].lexicographicallyPrecedes(wanted)
        range = isBefore ? middle + 1..<range.upperBound : range.lowerBound..<middle
      }
      return range.lowerBound < sorted.count && sorted[range.lowerBound].starts(with: wanted)
    }
    for _ in 0..<4 {
      guard let entries = pickle.entries(value) else { return prefix }
      let parts = entries.filter { entry in
        guard let key = entry.key.text else { return false }
        return pickle.entries(entry.value) != nil
          && isUsed("\(prefix)\(key).")
      }
      let hasOwn = entries.contains { isTensor($0.value) }
      let named = Self.modelKeys.lazy.compactMap { key in parts.first { $0.key.text == key } }.first
      guard !hasOwn, let part = named ?? (parts.count == 1 ? parts.first : nil),
        let key = part.key.text
      else { return prefix }
      (prefix, value) = ("\(prefix)\(key).", part.value)
    }
    return prefix
  }

  /// Whether the value has axes.
  private func isTensor(_ value: PickleValue) -> Bool {
    if case .array(let place) = value { !pickle.arrays[place].shape.isEmpty } else { false }
  }
}
