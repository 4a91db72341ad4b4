import TarnData

/// What the functions of the allow-list would give, as plain data.
extension Unpickler {
  mutating func call(
    _ function: PickleGlobal, _ arguments: [PickleValue]
  ) throws(DataError) -> PickleValue {
    switch function {
    case .dictionary: return try dictionary(arguments.first)
    case .defaultDictionary: return try dictionary(arguments.dropFirst().first)
    case .record: return made(.dictionary, [])
    case .list: return made(.list, try elements(arguments.first))
    case .tuple: return made(.tuple, try elements(arguments.first))
    case .set: return made(.set, try elements(arguments.first))
    case .bytes, .encode: return .bytes(try encoded(arguments))
    case .reconstructor: return try reconstructed(arguments)
    case .firstArgument: return try argument(arguments, 0, of: "a function")
    case .filePath: return .text(arguments.compactMap(\.text).joined(separator: "/"))
    case .device: return .text(deviceName(arguments))
    case .rebuildTensor(let version): return try rebuiltTensor(version, arguments)
    case .rebuildParameter: return try argument(arguments, 0, of: "a parameter")
    case .rebuildFromType: return try rebuiltFromType(arguments)
    case .numpyReconstruct:
      arrays.append(PickledArray(source: .nothing, place: place))
      return .array(arrays.count - 1)
    case .numpyType:
      numpyTypes.append(try argument(arguments, 0, of: "a type").text ?? "")
      return .numpyType(numpyTypes.count - 1)
    case .numpyScalar: return try numpyArray(arguments.first, arguments.dropFirst().first, [])
    case .numpyFromBuffer: return try numpyFromBuffer(arguments)
    case .scalarType, .tensorClass, .storage, .untypedStorage, .element, .numpyArray:
      throw error("calls what is a type", kind: .unsupported, hint: Self.refusalHint)
    }
  }

  private mutating func made(_ kind: PickleContainer.Kind, _ items: [PickleValue]) -> PickleValue {
    containers.append(PickleContainer(kind: kind, items: items))
    return .container(containers.count - 1)
  }

  private func argument(
    _ arguments: [PickleValue], _ index: Int, of what: String
  ) throws(DataError) -> PickleValue {
    guard index < arguments.count else { throw error("\(what) without its argument \(index + 1)") }
    return arguments[index]
  }

  private func elements(_ value: PickleValue?) throws(DataError) -> [PickleValue] {
    guard let value else { return [] }
    guard let items = items(value) else { throw error("a list of what is none") }
    return items
  }

  /// From nothing, from another dictionary, or from a list of pairs.
  private mutating func dictionary(_ value: PickleValue?) throws(DataError) -> PickleValue {
    guard let value else { return made(.dictionary, []) }
    if case .container(let place) = value, containers[place].kind == .dictionary {
      return made(.dictionary, containers[place].items)
    }
    var pairs: [PickleValue] = []
    for pair in try elements(value) {
      guard let pair = items(pair), pair.count == 2 else { throw error("a dictionary of no pairs") }
      pairs += pair
    }
    return made(.dictionary, pairs)
  }

  /// `_codecs.encode(text, 'latin1')`, `bytes(list of numbers)`, or nothing.
  private func encoded(_ arguments: [PickleValue]) throws(DataError) -> FileBytes {
    switch arguments.first {
    case nil: return FileBytes([], name: reader.name)
    case .bytes(let bytes): return bytes
    case .text(let text):
      let isLatin = arguments.count > 1 && arguments[1].text?.hasPrefix("latin") == true
      let codes = text.unicodeScalars
      guard isLatin, codes.allSatisfy({ $0.value < 256 }) else {
        throw error("encodes a text as what is not Latin-1", kind: .unsupported)
      }
      return FileBytes(codes.map { UInt8(truncatingIfNeeded: $0.value) }, name: reader.name)
    case .some: throw error("bytes of what is no text", kind: .unsupported)
    }
  }

  /// `copyreg._reconstructor(class, object, None)`: the class must be one that is read as a dictionary.
  private mutating func reconstructed(_ arguments: [PickleValue]) throws(DataError) -> PickleValue {
    switch arguments.first {
    case .global(.record), .global(.dictionary): return made(.dictionary, [])
    default: throw error("makes an object of what is no known class", kind: .unsupported)
    }
  }

  private func deviceName(_ arguments: [PickleValue]) -> String {
    let name = arguments.first?.text ?? "cpu"
    return arguments.dropFirst().first?.int.map { "\(name):\($0)" } ?? name
  }

  // MARK: - Tensors

  /// `_rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks)`, and `_v3` with the type after them.
  private mutating func rebuiltTensor(
    _ version: Int, _ arguments: [PickleValue]
  ) throws(DataError) -> PickleValue {
    guard arguments.count >= 4, case .storage(let storage) = arguments[0],
      let offset = arguments[1].int, let shape = lengths(arguments[2]),
      let strides = lengths(arguments[3]), shape.count == strides.count, shape.count <= 64
    else { throw error("a tensor without storage, offset, shape and strides that fit") }
    var element = storages[storage].element
    if version == 3 {
      guard arguments.count >= 7, case .global(.element(let own)) = arguments[6] else {
        throw error("a tensor without an element type")
      }
      element = own
    }
    let (start, overflow) = offset.addingReportingOverflow(storages[storage].viewStart)
    guard !overflow, offset >= 0 else { throw error("a tensor that begins at element \(offset)") }
    arrays.append(
      PickledArray(
        source: .storage(storage), element: element, offset: start, shape: shape, strides: strides,
        place: place))
    return .array(arrays.count - 1)
  }

  /// `_rebuild_from_type_v2(function, class, arguments, state)`: tensors of a class with attributes, which are passed over.
  private mutating func rebuiltFromType(
    _ arguments: [PickleValue]
  ) throws(DataError) -> PickleValue {
    guard arguments.count >= 3, case .global(let function) = arguments[0],
      case .global(.tensorClass) = arguments[1], let inner = tuple(arguments[2])
    else { throw error("a tensor of an unknown class", kind: .unsupported) }
    switch function {
    case .rebuildTensor, .rebuildParameter: return try call(function, inner)
    default: throw error("a tensor made by an unknown function", kind: .unsupported)
    }
  }

  /// Whole numbers from 0.
  func lengths(_ value: PickleValue) -> [Int]? {
    guard let items = items(value) else { return nil }
    let numbers = items.compactMap(\.int).filter { $0 >= 0 }
    return numbers.count == items.count ? numbers : nil
  }

  /// `('storage', class, key, place, count)`, before PyTorch 0.4 with `(view key, start, count)` or None after them.
  mutating func storage(_ name: PickleValue) throws(DataError) -> PickleValue {
    guard let parts = tuple(name), parts.count >= 5, let tag = parts[0].text else {
      throw error("a reference that is no storage of PyTorch", kind: .unsupported)
    }
    guard tag == "storage" else {
      throw error(
        "refers to the source code of a class (\(tag))", kind: .unsupported, hint: Self.refusalHint)
    }
    let element: TorchElement
    switch parts[1] {
    case .global(.storage(let own)), .global(.element(let own)): element = own
    case .global(.untypedStorage): element = .uint8
    default: throw error("a storage of an unknown type", kind: .unsupported)
    }
    guard let key = parts[2].text ?? parts[2].int.map(String.init), let count = parts[4].int,
      count >= 0
    else { throw error("a storage without a name and a count") }
    var storage = PickledStorage(element: element, key: key, count: count)
    if parts.count > 5, let view = items(parts[5]) {
      guard view.count == 3, let start = view[1].int, start >= 0 else {
        throw error("a view of a storage that begins nowhere")
      }
      storage.viewStart = start
    }
    storages.append(storage)
    return .storage(storages.count - 1)
  }
}

// MARK: - State that is set after an object was made

extension Unpickler {
  /// Attributes become entries of a record; those of ordered dictionaries and tensors are passed over.
  mutating func build(_ object: PickleValue, _ state: PickleValue) throws(DataError) {
    switch object {
    case .container(let place): try setAttributes(of: place, state)
    case .array(let place): try setContents(of: place, state)
    case .numpyType(let place): setByteOrder(of: place, state)
    default: return
    }
  }

  private mutating func setAttributes(of object: Int, _ state: PickleValue) throws(DataError) {
    // Objects with slots have two dictionaries.
    let states = tuple(state) ?? [state]
    for case .container(let own) in states
    where containers[own].kind == .dictionary && containers[object].kind == .dictionary {
      // `_metadata` of a state dict tells versions of modules; it is no entry.
      let items = containers[own].items
      for i in stride(from: 0, to: items.count - 1, by: 2) where items[i].text != "_metadata" {
        containers[object].items += [items[i], items[i + 1]]
      }
    }
  }
}
