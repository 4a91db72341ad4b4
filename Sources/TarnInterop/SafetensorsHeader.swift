import TarnCore
import TarnData

/// The names of element types in safetensors files.
enum SafetensorsType {
  static func name(of dtype: DType) -> String {
    switch dtype {
    case .bool: "BOOL"
    case .uint8: "U8"
    case .int8: "I8"
    case .int32: "I32"
    case .int64: "I64"
    case .float16: "F16"
    case .bfloat16: "BF16"
    case .float32: "F32"
    case .float64: "F64"
    }
  }

  static func dtype(named name: String) -> DType? {
    DType.allCases.first { Self.name(of: $0) == name }
  }

  /// Why a type is not read, and what to do.
  static func refusal(of name: String) -> (reason: String, hint: String) {
    switch name {
    case "I16", "U16": ("16-bit integers are not a tensor type here", "save them as int32")
    case "U32": ("unsigned 32-bit integers are not a tensor type here", "save them as int64")
    case "U64": ("unsigned 64-bit integers are not a tensor type here", "save them as int64")
    case "C64": ("complex numbers are not a tensor type here", "save real and imaginary part")
    case _ where name.hasPrefix("F8") || name.hasPrefix("F6") || name.hasPrefix("F4"):
      ("floating types of 8 bits or less are not a tensor type here", "save them as bfloat16")
    default: ("no such type is known", "save them as float32")
    }
  }
}

/// A parsed and checked header.
struct SafetensorsHeader {
  let entries: [Safetensors.Entry]
  let metadata: [String: String]

  init(_ file: FileBytes, _ range: Range<Int>, dataStart: Int) throws(DataError) {
    guard let members = try JSON(file, range).members else {
      throw Self.error(file, range.lowerBound, "the header is no JSON object")
    }
    var entries: [Safetensors.Entry] = []
    var metadata: [String: String] = [:]
    for member in members {
      if member.name == "__metadata__" {
        metadata = try Self.metadata(member, file)
      } else {
        entries.append(try Self.entry(member, file, dataStart: dataStart))
      }
    }
    entries.sort {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
    try Self.checkOrder(entries, file, dataStart: dataStart)
    (self.entries, self.metadata) = (entries, metadata)
  }

  private static func error(
    _ file: FileBytes, _ place: Int, _ reason: String, kind: DataError.Kind = .invalid,
    hint: String? = "the file is damaged; fetch or save it again"
  ) -> DataError {
    DataError(kind, file: file.name, at: .byte(place), reason: reason, hint: hint)
  }

  private static func metadata(
    _ member: JSON.Member, _ file: FileBytes
  ) throws(DataError) -> [String: String] {
    guard let texts = member.value.members else {
      throw error(file, member.place, "__metadata__ is no JSON object")
    }
    var metadata: [String: String] = [:]
    for text in texts {
      guard let value = text.value.string else {
        throw error(file, text.place, "__metadata__ '\(text.name)' is no text")
      }
      metadata[text.name] = value
    }
    return metadata
  }

  private static func entry(
    _ member: JSON.Member, _ file: FileBytes, dataStart: Int
  ) throws(DataError) -> Safetensors.Entry {
    func fail(_ reason: String) -> DataError {
      error(file, member.place, "tensor '\(member.name)': \(reason)")
    }
    guard let typeName = member.value["dtype"]?.string else { throw fail("it has no dtype") }
    guard let dtype = SafetensorsType.dtype(named: typeName) else {
      let (reason, hint) = SafetensorsType.refusal(of: typeName)
      throw error(
        file, member.place, "tensor '\(member.name)' has the type \(typeName): \(reason)",
        kind: .unsupported, hint: hint)
    }
    guard let shape = lengths(member.value["shape"]), shape.count <= 64 else {
      throw fail("its shape is no list of whole numbers")
    }
    guard let size = checkedByteCount(shape, elementSize: dtype.byteCount) else {
      throw fail("its shape \(shape) is absurd")
    }
    guard let offsets = lengths(member.value["data_offsets"]), offsets.count == 2,
      offsets[0] <= offsets[1], let end = checkedSum(dataStart, offsets[1])
    else { throw fail("its data_offsets are not two whole numbers, the first the smaller") }
    guard end <= file.count else {
      throw fail("its bytes end at \(end), but the file has \(file.count)")
    }
    guard offsets[1] - offsets[0] == size else {
      throw fail("\(shape) \(dtype) takes \(size) bytes, but it has \(offsets[1] - offsets[0])")
    }
    return Safetensors.Entry(
      name: member.name, dtype: dtype, shape: shape, range: (dataStart + offsets[0])..<end)
  }

  /// A list of whole numbers from 0.
  private static func lengths(_ value: JSON?) -> [Int]? {
    guard let values = value?.array else { return nil }
    let numbers = values.compactMap(\.int).filter { $0 >= 0 }
    return numbers.count == values.count ? numbers : nil
  }

  /// The tensors' bytes must fill the file from the header to the end, each byte once.
  private static func checkOrder(
    _ entries: [Safetensors.Entry], _ file: FileBytes, dataStart: Int
  ) throws(DataError) {
    var end = dataStart
    for entry in entries {
      guard entry.range.lowerBound == end else {
        let what = entry.range.lowerBound < end ? "overlap those before" : "leave a gap before them"
        throw error(
          file, entry.range.lowerBound, "the bytes of the tensor '\(entry.name)' \(what)")
      }
      end = entry.range.upperBound
    }
    guard end == file.count else {
      throw error(file, end, "\(file.count - end) bytes belong to no tensor")
    }
  }
}
