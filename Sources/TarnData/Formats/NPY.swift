import Foundation
import TarnCore

/// NumPy's format for one array, versions 1, 2 and 3.
///
/// ```swift
/// let x = try NPY.read(contentsOf: URL(fileURLWithPath: "x.npy"))
/// try NPY.write(x.squared(), to: URL(fileURLWithPath: "y.npy"))
/// ```
public enum NPY {
  package static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// Reads an array in row-major order, whatever its order in the file. 16-bit and unsigned 32-bit
  /// integers are widened; records, objects, text, complex numbers and dates are refused by name.
  /// - Parameter limit: the most bytes its elements may take.
  public static func read(contentsOf url: URL, limit: Int = 1 << 36) throws -> Tensor {
    try read(FileBytes(mapping: url), limit: limit)
  }

  package static func read(_ file: FileBytes, limit: Int = 1 << 36) throws(DataError) -> Tensor {
    var reader = ByteReader(file)
    let (header, element) = try readHeader(&reader)
    guard
      let size = checkedByteCount(
        header.shape, elementSize: max(element.size, element.dtype.byteCount)),
      size <= limit
    else {
      throw reader.error(
        "the shape \(header.shape) asks for more than \(limit) bytes", at: 10,
        hint: "the file is damaged, or pass a larger limit")
    }
    let count = size / max(element.size, element.dtype.byteCount)
    let range = try reader.take(count * element.size, "the elements \(header.shape)")
    guard reader.remaining == 0 else {
      throw reader.error("\(reader.remaining) bytes follow the elements \(header.shape)")
    }
    var bytes = file.withBytes(range) { element.native($0) }
    if header.isColumnMajor {
      bytes = rowMajor(bytes, shape: header.shape, size: element.dtype.byteCount)
    }
    return bytes.withUnsafeBytes {
      Tensor(bytes: $0, shape: header.shape, dtype: element.dtype)
    }
  }

  /// Writes a tensor in row-major order, little-endian, version 1 (2 where the header is long).
  /// `bfloat16` is written as `V2`, two raw bytes, since NumPy has no name for it.
  public static func write(_ tensor: Tensor, to url: URL) throws {
    try AtomicWrite.write(to: url) { sink in
      try sink.write(header(of: tensor))
      try tensor.bytes().withUnsafeBytes { try sink.write($0) }
    }
  }

  package static func encode(_ tensor: Tensor) -> [UInt8] {
    header(of: tensor) + tensor.bytes()
  }

  private static func readHeader(
    _ reader: inout ByteReader
  ) throws(DataError) -> (NPYHeader, NPYElement) {
    let magic = try reader.array(6, "the magic number")
    guard magic == Self.magic else {
      throw reader.error(
        "does not begin with the magic number of an NPY file", at: 0,
        hint: "numpy.save writes NPY, numpy.savez NPZ")
    }
    let version = try reader.array(2, "the version")
    let length: Int
    switch version[0] {
    case 1: length = Int(try reader.integer(UInt16.self, .little, "the header's length"))
    case 2, 3: length = Int(try reader.integer(UInt32.self, .little, "the header's length"))
    default:
      throw reader.error(
        "is NPY version \(version[0]).\(version[1]); versions 1 to 3 are known", at: 6,
        kind: .unsupported)
    }
    guard length <= 1 << 20 else {
      throw reader.error("the header's length, \(length) bytes, is absurd", at: 8)
    }
    let start = reader.offset
    let bytes = try reader.array(length, "the header")
    let text: String
    if version[0] == 3 {
      guard let utf8 = String(validating: bytes, as: UTF8.self) else {
        throw reader.error("the header is not UTF-8 text", at: start)
      }
      text = utf8
    } else {
      text = String(decoding: bytes.map(UInt16.init), as: UTF16.self)
    }
    let header = try NPYHeader(parsing: text, reader, at: start)
    return (header, try NPYElement(parsing: header.type, reader, at: start))
  }

  private static func header(of tensor: Tensor) -> [UInt8] {
    let text = NPYHeader(type: NPYElement.name(of: tensor.dtype), shape: tensor.shape).text
    // The elements begin at a multiple of 64 bytes.
    let isLong = text.utf8.count + 1 + 10 + 63 > 65535
    let before = isLong ? 12 : 10
    let length = (before + text.utf8.count + 1 + 63) / 64 * 64 - before
    var bytes = magic + [isLong ? 2 : 1, 0]
    withUnsafeBytes(of: UInt32(length).littleEndian) { bytes += $0.prefix(isLong ? 4 : 2) }
    bytes += Array(text.utf8)
    bytes += [UInt8](repeating: 32, count: length - text.utf8.count - 1) + [10]
    return bytes
  }

  /// The elements of a column-major array in row-major order.
  private static func rowMajor(_ bytes: [UInt8], shape: [Int], size: Int) -> [UInt8] {
    guard shape.count > 1, !bytes.isEmpty else { return bytes }
    var strides = [Int](repeating: size, count: shape.count)
    for axis in 1..<shape.count { strides[axis] = strides[axis - 1] * shape[axis - 1] }
    return [UInt8](unsafeUninitializedCapacity: bytes.count) { output, filled in
      var index = [Int](repeating: 0, count: shape.count)
      var source = 0
      for place in stride(from: 0, to: bytes.count, by: size) {
        for i in 0..<size { output[place + i] = bytes[source + i] }
        var axis = shape.count - 1
        while axis >= 0 {
          index[axis] += 1
          source += strides[axis]
          if index[axis] < shape[axis] { break }
          source -= index[axis] * strides[axis]
          index[axis] = 0
          axis -= 1
        }
      }
      filled = bytes.count
    }
  }
}
