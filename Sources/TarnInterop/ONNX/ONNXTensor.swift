import Foundation
import TarnCore
import TarnData
import TarnSchemas

/// Tensors of ONNX files.
package struct ONNXTensorReader {
  /// What errors call the file.
  package let file: String
  /// Where the model lies: tensors may be in other files of this folder. Nil: they may not.
  package let folder: URL?

  package init(file: String, folder: URL?) { (self.file, self.folder) = (file, folder) }

  /// The tensor of a message, in the type that carries its elements.
  package func tensor(_ proto: ONNXTensorProto) throws(DataError) -> Tensor {
    let element = try element(proto)
    guard let carrier = element.carrier else {
      throw error(proto, "its elements are of type \(element), which is not read", .unsupported)
    }
    let (shape, count) = try shape(proto, element)
    if let bytes = try raw(proto, element, count) {
      return try decoded(bytes, shape, element, carrier)
    }
    return try typed(proto, shape, count, element, carrier)
  }

  /// The element type of a message.
  package func element(_ proto: ONNXTensorProto) throws(DataError) -> ONNXElement {
    guard let element = ONNXElement(rawValue: proto.dataType) else {
      throw error(proto, "its elements are of the unknown type \(proto.dataType)", .unsupported)
    }
    return element
  }

  private func shape(
    _ proto: ONNXTensorProto, _ element: ONNXElement
  ) throws(DataError) -> (shape: [Int], count: Int) {
    let shape = proto.dims.map { Int(truncatingIfNeeded: $0) }
    // Lengths beside one of 0 count as well: strides are products of them.
    guard shape.count <= 64, shape.allSatisfy({ $0 >= 0 }), let count = shape.checkedProduct,
      let room = shape.map({ max($0, 1) }).checkedProduct, room < 1 << 48
    else { throw error(proto, "its shape \(shape) is absurd") }
    if proto.hasSegment { throw error(proto, "it is cut into segments", .unsupported) }
    return (shape, count)
  }

  private func error(
    _ proto: ONNXTensorProto, _ reason: String, _ kind: DataError.Kind = .invalid,
    hint: String? = nil
  ) -> DataError {
    DataError(kind, file: file, reason: "tensor '\(proto.name)': \(reason)", hint: hint)
  }

  // MARK: Raw data

  /// The bytes of its elements, checked to be as many as its shape wants; nil where it has typed data.
  private func raw(
    _ proto: ONNXTensorProto, _ element: ONNXElement, _ count: Int
  ) throws(DataError) -> FileBytes? {
    let wanted = (count * element.bitCount + 7) / 8
    if proto.dataLocation == 1 { return try external(proto, wanted) }
    guard proto.hasRawData else { return nil }
    guard proto.rawData.count == wanted else {
      throw error(proto, "its shape takes \(wanted) bytes, but it has \(proto.rawData.count)")
    }
    return FileBytes(proto.rawData, name: file)
  }

  private func external(_ proto: ONNXTensorProto, _ wanted: Int) throws(DataError) -> FileBytes {
    var entries: [String: String] = [:]
    for entry in proto.externalData { entries[entry.key] = entry.value }
    guard let folder else {
      throw error(proto, "its data is in another file, but the model came without a folder")
    }
    guard let location = entries["location"] else {
      throw error(proto, "its data is in another file, which is not named")
    }
    let url = try inside(folder, location, proto)
    let offset = try number(entries["offset"] ?? "0", proto)
    let length = try entries["length"].map { text throws(DataError) in try number(text, proto) }
    let bytes = try FileBytes(mapping: url)
    guard length ?? wanted == wanted, offset <= bytes.count, bytes.count - offset >= wanted else {
      throw error(
        proto, "its shape takes \(wanted) bytes, which '\(location)' does not have at \(offset)")
    }
    return FileBytes(part: offset..<offset + wanted, of: bytes, name: location)
  }

  private func number(_ text: String, _ proto: ONNXTensorProto) throws(DataError) -> Int {
    guard let value = Int(text), value >= 0 else {
      throw error(proto, "its place in the other file is '\(text)', which is no place")
    }
    return value
  }

  /// The file of this name in the folder; links and `..` may not lead out of it.
  private func inside(
    _ folder: URL, _ location: String, _ proto: ONNXTensorProto
  ) throws(DataError) -> URL {
    let root = folder.resolvingSymlinksInPath().standardizedFileURL.path
    let url = folder.appendingPathComponent(location).resolvingSymlinksInPath()
      .standardizedFileURL
    let prefix = root.hasSuffix("/") ? root : root + "/"
    guard !location.isEmpty, !location.hasPrefix("/"), !location.contains("\0"),
      url.path.hasPrefix(prefix)
    else {
      throw error(
        proto, "its data is in '\(location)', outside of the model's folder",
        hint: "move the file beside the model and name it without folders")
    }
    return url
  }

  private func decoded(
    _ bytes: FileBytes, _ shape: [Int], _ element: ONNXElement, _ carrier: DType
  ) throws(DataError) -> Tensor {
    bytes.withBytes { bytes in
      if element.isNative { return Tensor(bytes: bytes, shape: shape, dtype: carrier) }
      let count = shape.product
      func load<T: BitwiseCopyable>(_ type: T.Type) -> [T] {
        (0..<count).map {
          bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<T>.stride, as: type)
        }
      }
      switch element {
      case .uint16: return Tensor(load(UInt16.self).map(Int32.init), shape: shape)
      case .int16: return Tensor(load(Int16.self).map(Int32.init), shape: shape)
      case .uint32: return Tensor(load(UInt32.self).map(Int64.init), shape: shape)
      case .uint64: return Tensor(load(Int64.self), shape: shape)
      case .uint4: return Tensor((0..<count).map { nibble(bytes[$0 / 2], $0) }, shape: shape)
      case .int4:
        return Tensor((0..<count).map { signed(nibble(bytes[$0 / 2], $0)) }, shape: shape)
      default:
        guard let type = element.float8 else { return Tensor.zeros(shape, dtype: carrier) }
        return Tensor((0..<count).map { type.value(bytes[$0]) }, shape: shape)
      }
    }
  }

  /// The lower half of a byte is the element of even number.
  private func nibble(_ byte: UInt8, _ number: Int) -> UInt8 {
    number % 2 == 0 ? byte & 15 : byte >> 4
  }

  private func signed(_ nibble: UInt8) -> Int8 { Int8(nibble) - (nibble > 7 ? 16 : 0) }

  // MARK: Typed data

  private func typed(
    _ proto: ONNXTensorProto, _ shape: [Int], _ count: Int, _ element: ONNXElement,
    _ carrier: DType
  ) throws(DataError) -> Tensor {
    func all<T, U: TensorScalar>(
      _ values: [T], _ convert: (T) -> U
    ) throws(DataError) -> Tensor {
      guard values.count == count else {
        throw error(proto, "its shape \(shape) takes \(count) elements, but it has \(values.count)")
      }
      return Tensor(values.map(convert), shape: shape)
    }
    let small = proto.int32Data
    switch element {
    case .float32: return try all(proto.floatData) { $0 }
    case .float64: return try all(proto.doubleData) { $0 }
    case .int64: return try all(proto.int64Data) { $0 }
    case .uint32: return try all(proto.uint64Data) { Int64(UInt32(truncatingIfNeeded: $0)) }
    case .uint64: return try all(proto.uint64Data) { Int64(bitPattern: $0) }
    case .int32: return try all(small) { $0 }
    case .uint16: return try all(small) { Int32(UInt16(truncatingIfNeeded: $0)) }
    case .int16: return try all(small) { Int32(Int16(truncatingIfNeeded: $0)) }
    case .uint8: return try all(small) { UInt8(truncatingIfNeeded: $0) }
    case .int8: return try all(small) { Int8(truncatingIfNeeded: $0) }
    case .bool: return try all(small) { $0 != 0 }
    case .float16:
      return try all(small) { Float(Float16(bitPattern: UInt16(truncatingIfNeeded: $0))) }
        .cast(to: .float16).evaluate()
    case .bfloat16: return try all(small) { BFloat16(bitPattern: UInt16(truncatingIfNeeded: $0)) }
    case .uint4, .int4:
      guard small.count == (count + 1) / 2 else {
        throw error(proto, "its shape \(shape) takes \((count + 1) / 2) bytes of two elements")
      }
      let nibbles = (0..<count).map { nibble(UInt8(truncatingIfNeeded: small[$0 / 2]), $0) }
      return element == .uint4
        ? Tensor(nibbles, shape: shape) : Tensor(nibbles.map(signed), shape: shape)
    default:
      guard let type = element.float8 else {
        throw error(proto, "its elements are of type \(element), which is not read", .unsupported)
      }
      return try all(small) { type.value(UInt8(truncatingIfNeeded: $0)) }
    }
  }
}

extension ONNXTensorReader {
  /// The dense tensor of a sparse one: `values` at `indices`, flat or one row each; the rest 0.
  package func tensor(
    _ sparse: ONNXSparseTensorProto, limit: Int
  ) throws(DataError) -> Tensor {
    let shape = sparse.dims.map { Int(truncatingIfNeeded: $0) }
    let values = try tensor(sparse.values)
    let indices = try tensor(sparse.indices)
    guard shape.count <= 64, let count = shape.checkedProduct, count <= limit, values.rank == 1,
      indices.dtype == .int64,
      indices.shape == [values.count] || indices.shape == [values.count, shape.count]
    else { throw error(sparse.values, "it is no sparse tensor that can be read") }
    let strides = shape.rowMajorStrides
    // A few bytes could ask for any number of zeros.
    guard count <= 1 << 12 + 1 << 10 * values.count else {
      throw error(
        sparse.values, "its \(values.count) numbers are spread over \(shape), which is too thin",
        .unsupported, hint: "export it as a dense tensor")
    }
    let numbers = indices.array(of: Int.self)
    var flat: [Int] = []
    for i in 0..<values.count {
      var place = indices.rank == 1 ? numbers[i] : 0
      if indices.rank == 2 {
        for (axis, stride) in strides.enumerated() {
          let index = numbers[i * shape.count + axis]
          // An index outside of its axis puts the place outside of everything.
          place = (0..<shape[axis]).contains(index) && place >= 0 ? place + index * stride : -1
        }
      }
      guard (0..<count).contains(place) else {
        throw error(sparse.values, "an index of its is outside of the shape \(shape)")
      }
      flat.append(place)
    }
    return Tensor.scatterAdd(values, at: Tensor(flat), into: [count]).reshaped(shape).evaluate()
  }
}
