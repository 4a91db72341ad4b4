import TarnCore
import TarnData

/// Parameters of MXNet (`.params`): a list of arrays, then a list of names.
///
/// Arrays of all versions are read: those before 0.9 (no magic number of their own), 1, 2 and 3. The prefixes `arg:` and `aux:`
/// of the names are taken off.
enum MXNetFile {
  /// The first eight bytes.
  static let magic: [UInt8] = [0x12, 1, 0, 0, 0, 0, 0, 0]

  static func read(_ file: FileBytes) throws(DataError) -> [(name: String, tensor: Tensor)] {
    var reader = ByteReader(file)
    _ = try reader.take(16, "the header")
    // An array takes four bytes at least, a name eight.
    let count = try length(&reader, "arrays", size: 4)
    var arrays: [Tensor?] = []
    for i in 0..<count { arrays.append(try MXNetArray.read(&reader, number: i)) }
    let nameCount = try length(&reader, "names", size: 8)
    guard nameCount == 0 || nameCount == count else {
      throw reader.error("has \(count) arrays and \(nameCount) names")
    }
    var result: [(name: String, tensor: Tensor)] = []
    for i in 0..<count {
      var name = "\(i)"
      if nameCount > 0 {
        let size = try length(&reader, "bytes of a name", size: 1)
        name = try reader.text(size, "a name")
      }
      let bare = name.droppingPrefix("arg:") ?? name.droppingPrefix("aux:") ?? name
      if let tensor = arrays[i] { result.append((bare, tensor)) }
    }
    guard reader.remaining == 0 else {
      throw reader.error("\(reader.remaining) bytes follow the names")
    }
    return result
  }

  /// A count of things of `size` bytes or more.
  private static func length(
    _ reader: inout ByteReader, _ what: String, size: Int
  ) throws(DataError) -> Int {
    let place = reader.offset
    let count = try reader.integer(UInt64.self, .little, "the number of \(what)")
    guard count <= UInt64(reader.remaining / size) else {
      throw reader.error(
        "says it has \(count) \(what), too many for its size", at: place,
        hint: "the file is damaged; fetch it again")
    }
    return Int(count)
  }
}

/// One array of a list.
private enum MXNetArray {
  private static let version1: UInt32 = 0xf993_fac8
  private static let version2: UInt32 = 0xf993_fac9
  private static let version3: UInt32 = 0xf993_faca

  /// nil: an array that was never given a shape.
  static func read(_ reader: inout ByteReader, number: Int) throws(DataError) -> Tensor? {
    let place = reader.offset
    let magic = try reader.integer(UInt32.self, .little, "the array \(number)")
    if magic == version2 || magic == version3 {
      let storage = try reader.integer(Int32.self, .little, "how the array \(number) is stored")
      guard storage == 0 else {
        throw reader.error(
          "the array \(number) is sparse", at: place, kind: .unsupported,
          hint: "save array.tostype('default')")
      }
    }
    guard let shape = try shape(&reader, magic, number) else { return nil }
    _ = try reader.take(8, "the device of the array \(number)")
    let flag = try reader.integer(Int32.self, .little, "the type of the array \(number)")
    guard let element = element(flag) else {
      throw reader.error(
        "the array \(number) has the element type \(flag), which is not read", kind: .unsupported,
        hint: "save array.astype('float32')")
    }
    guard let size = checkedByteCount(shape, elementSize: element.size),
      checkedByteCount(shape, elementSize: element.dtype.byteCount) != nil
    else { throw reader.error("the array \(number) has the absurd shape \(shape)") }
    let range = try reader.take(size, "the elements \(shape) of the array \(number)")
    return reader.bytes.withBytes(range) { bytes in
      element.stored == .same(element.dtype)
        ? Tensor(bytes: bytes, shape: shape, dtype: element.dtype)
        : element.native(bytes).withUnsafeBytes {
          Tensor(bytes: $0, shape: shape, dtype: element.dtype)
        }
    }
  }

  /// Before version 1 the magic number is the number of axes, and lengths have 32 bits. Without axes there is no array, but
  /// for version 3, where that is -1.
  private static func shape(
    _ reader: inout ByteReader, _ magic: UInt32, _ number: Int
  ) throws(DataError) -> [Int]? {
    let isOld = ![version1, version2, version3].contains(magic)
    let rank =
      isOld
      ? Int(magic) : Int(try reader.integer(Int32.self, .little, "the axes of the array \(number)"))
    if magic == version3 ? rank == -1 : rank == 0 { return nil }
    guard (0...32).contains(rank) else {
      throw reader.error(
        "the array \(number) has \(rank) axes", hint: "the file is damaged; fetch it again")
    }
    var shape: [Int] = []
    for _ in 0..<rank {
      let what = "the shape of the array \(number)"
      shape.append(
        isOld
          ? Int(try reader.integer(UInt32.self, .little, what))
          : Int(clamping: try reader.integer(Int64.self, .little, what)))
    }
    return shape
  }

  private static func element(_ flag: Int32) -> NPYElement? {
    let stored: NPYElement.Stored? =
      switch flag {
      case 0: .same(.float32)
      case 1: .same(.float64)
      case 2: .same(.float16)
      case 3: .same(.uint8)
      case 4: .same(.int32)
      case 5: .same(.int8)
      case 6: .same(.int64)
      case 7: .same(.bool)
      case 8: .int16
      case 9: .uint16
      case 10: .uint32
      case 12: .same(.bfloat16)
      default: nil
      }
    return stored.map { NPYElement($0, isBigEndian: false) }
  }
}

extension Weights {
  /// MXNet's names as PyTorch's: `conv0_weight` becomes `conv0.weight`, `bn0_gamma` `bn0.weight`, `bn0_moving_var`
  /// `bn0.running_var`. Layouts are the same. Other names stay.
  public func renamedFromMXNet() -> Weights {
    let endings = [
      "_weight": ".weight", "_bias": ".bias", "_gamma": ".weight", "_beta": ".bias",
      "_moving_mean": ".running_mean", "_running_mean": ".running_mean",
      "_moving_var": ".running_var", "_running_var": ".running_var",
      ".gamma": ".weight", ".beta": ".bias",
    ]
    return renamed { name in
      for (old, new) in endings where name.hasSuffix(old) {
        return name.dropLast(old.count) + new
      }
      return name
    }
  }
}
