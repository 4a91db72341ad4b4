import TarnData

/// Arrays and scalars of NumPy.
extension Unpickler {
  /// The state of a type: version, byte order, and what only records have.
  mutating func setByteOrder(of type: Int, _ state: PickleValue) {
    guard let parts = tuple(state), parts.count >= 2, let order = parts[1].text,
      [">", "<", "|", "="].contains(order)
    else { return }
    numpyTypes[type] = order + numpyTypes[type]
  }

  /// The state of an announced array: version, shape, type, whether column by column, contents.
  mutating func setContents(of array: Int, _ state: PickleValue) throws(DataError) {
    guard case .nothing = arrays[array].source else { return }
    guard let parts = tuple(state), parts.count == 5, let shape = lengths(parts[1]),
      shape.count <= 64, case .numpyType(let type) = parts[2], let isColumnMajor = parts[3].int
    else { throw error("an array of NumPy without shape and type") }
    guard case .bytes(let contents) = parts[4] else {
      throw error(
        "an array of NumPy that holds objects", kind: .unsupported,
        hint: "save arrays of numbers")
    }
    arrays[array].source = .bytes(contents, type: numpyTypes[type])
    arrays[array].shape = shape
    arrays[array].isColumnMajor = isColumnMajor != 0
  }

  /// A scalar, or an array that is ready.
  mutating func numpyArray(
    _ type: PickleValue?, _ contents: PickleValue?, _ shape: [Int]
  ) throws(DataError) -> PickleValue {
    guard case .numpyType(let type) = type, case .bytes(let bytes) = contents else {
      throw error("a scalar of NumPy without type and contents", kind: .unsupported)
    }
    arrays.append(
      PickledArray(source: .bytes(bytes, type: numpyTypes[type]), shape: shape, place: place))
    return .array(arrays.count - 1)
  }

  /// `_frombuffer(contents, type, shape, 'C' or 'F')`.
  mutating func numpyFromBuffer(_ arguments: [PickleValue]) throws(DataError) -> PickleValue {
    guard arguments.count == 4, let shape = lengths(arguments[2]), shape.count <= 64 else {
      throw error("an array of NumPy without contents, type, shape and order")
    }
    let array = try numpyArray(arguments[1], arguments[0], shape)
    arrays[arrays.count - 1].isColumnMajor = arguments[3].text == "F"
    return array
  }
}
