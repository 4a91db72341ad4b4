import Foundation
import TarnCore
import TarnData

/// Makes tensors of what a pickle describes, from storages that lie in the file.
///
/// Storages may be shared, and views of them may overlap: a few bytes can describe any number of elements. So what is made
/// may take twice the file's size and no more; equal views are one tensor, and axes of stride 0 are broadcast, not copied.
struct PickledTensors: Sendable {
  /// A storage as it lies in the file.
  struct Contents: Sendable {
    var bytes: FileBytes
    var isBigEndian = false
  }

  private struct View: Hashable {
    var key: String
    var element: TorchElement
    var offset: Int
    var shape: [Int]
    var strides: [Int]
  }

  let file: FileBytes
  let pickle: Pickle
  private let contents: @Sendable (PickledStorage) throws(DataError) -> Contents
  private var made: [View: Tensor] = [:]
  private var room: Int

  init(
    _ file: FileBytes, _ pickle: Pickle, size: Int,
    contents: @escaping @Sendable (PickledStorage) throws(DataError) -> Contents
  ) {
    (self.file, self.pickle, self.contents) = (file, pickle, contents)
    room = size.multipliedReportingOverflow(by: 2).partialValue
  }

  /// The tensor of a place in the pickle's `arrays`; `name` is what errors call it.
  mutating func tensor(_ place: Int, named name: String) throws(DataError) -> Tensor {
    let array = pickle.arrays[place]
    switch array.source {
    case .nothing: throw error(array, "the array '\(name)' has no contents")
    case .bytes(let bytes, let type): return try tensor(array, bytes, type, name)
    case .storage(let storage): return try tensor(array, pickle.storages[storage], name)
    }
  }

  private func error(
    _ array: PickledArray, _ reason: String, kind: DataError.Kind = .invalid, hint: String? = nil
  ) -> DataError {
    DataError(
      kind, file: file.name, at: .byte(array.place), reason: reason,
      hint: hint ?? "the file is damaged; fetch or save it again")
  }

  // MARK: - NumPy

  private mutating func tensor(
    _ array: PickledArray, _ bytes: FileBytes, _ type: String, _ name: String
  ) throws(DataError) -> Tensor {
    let element = try NPYElement(parsing: type, ByteReader(file), at: array.place)
    guard let size = checkedByteCount(array.shape, elementSize: element.size), size == bytes.count
    else {
      throw error(array, "the array '\(name)' \(array.shape) has \(bytes.count) bytes")
    }
    var strides: [Int]?
    if array.isColumnMajor { strides = StridedCopy.rowMajor(array.shape.reversed()).reversed() }
    let copy = StridedCopy(
      size: element.size, offset: 0, shape: array.shape,
      strides: strides ?? StridedCopy.rowMajor(array.shape))
    return try tensor(copy, bytes, element, array, name)
  }

  // MARK: - PyTorch

  private mutating func tensor(
    _ array: PickledArray, _ storage: PickledStorage, _ name: String
  ) throws(DataError) -> Tensor {
    let contents = try contents(storage)
    let element = array.element
    guard let stored = element.stored(isBigEndian: contents.isBigEndian) else {
      throw error(
        array, "the tensor '\(name)' is \(element.rawValue), which a tensor here cannot hold",
        kind: .unsupported, hint: element.refusalHint)
    }
    let strides = array.strides ?? StridedCopy.rowMajor(array.shape)
    let view = View(
      key: storage.key, element: element, offset: array.offset, shape: array.shape, strides: strides
    )
    if let known = made[view] { return known }
    // An axis of stride 0 is one element, seen many times.
    let core = zip(array.shape, strides).map { $1 == 0 ? min($0, 1) : $0 }
    let copy = StridedCopy(
      size: element.size, offset: array.offset, shape: core, strides: strides)
    var tensor = try tensor(copy, contents.bytes, stored, array, name)
    if core != array.shape { tensor = try broadcast(tensor, array, stored, name) }
    made[view] = tensor
    return tensor
  }

  private mutating func tensor(
    _ copy: StridedCopy, _ bytes: FileBytes, _ stored: NPYElement, _ array: PickledArray,
    _ name: String
  ) throws(DataError) -> Tensor {
    let held = bytes.count / copy.size
    guard let end = copy.end, end <= held,
      let size = checkedByteCount(copy.shape, elementSize: stored.dtype.byteCount)
    else {
      throw error(
        array,
        "the tensor '\(name)' \(copy.shape) with strides \(copy.strides) from element \(copy.offset) lies outside "
          + "its storage of \(held) elements")
    }
    try take(size, array, name)
    let dtype = stored.dtype
    let isPlain = stored.stored == .same(dtype) && (!stored.isBigEndian || stored.size == 1)
    if isPlain && copy.isContiguous {
      let start = copy.offset * copy.size
      return bytes.withBytes(start..<(start + size)) {
        Tensor(bytes: $0, shape: copy.shape, dtype: dtype)
      }
    }
    let gathered = bytes.withBytes { copy.gathered($0) }
    let native = isPlain ? gathered : gathered.withUnsafeBytes { stored.native($0) }
    return native.withUnsafeBytes { Tensor(bytes: $0, shape: copy.shape, dtype: dtype) }
  }

  private mutating func broadcast(
    _ tensor: Tensor, _ array: PickledArray, _ stored: NPYElement, _ name: String
  ) throws(DataError) -> Tensor {
    guard let size = checkedByteCount(array.shape, elementSize: stored.dtype.byteCount) else {
      throw error(array, "the tensor '\(name)' has the absurd shape \(array.shape)")
    }
    try take(size, array, name)
    return tensor.broadcast(to: array.shape)
  }

  /// Small files may have small overlaps.
  private static let leastRoom = 1 << 20

  private mutating func take(
    _ size: Int, _ array: PickledArray, _ name: String
  ) throws(DataError) {
    room -= size
    guard room + Self.leastRoom >= 0 else {
      throw error(
        array,
        "the tensors up to '\(name)' overlap so much that they take more than twice the file's size",
        hint: "save x.contiguous(), or the file was made to do harm")
    }
  }
}
