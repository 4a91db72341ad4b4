import Foundation
import TarnCore

/// IDX files, the format of MNIST: a magic number with the element type and the rank, the lengths
/// of the axes, then the elements, all big-endian. Plain or packed with gzip, told by content.
///
/// | code | elements | tensor |
/// |---|---|---|
/// | 08 | unsigned byte | `uint8` |
/// | 09 | signed byte | `int8` |
/// | 0B | 16-bit integer | `int32` |
/// | 0C | 32-bit integer | `int32` |
/// | 0D | 32-bit float | `float32` |
/// | 0E | 64-bit float | `float64` |
public enum IDX {
  /// Reads a file.
  /// - Parameter limit: the most bytes its elements may take.
  public static func read(contentsOf url: URL, limit: Int = 1 << 34) throws -> Tensor {
    try read(FileBytes(mapping: url), limit: limit)
  }

  package static func read(_ file: FileBytes, limit: Int = 1 << 34) throws(DataError) -> Tensor {
    let contents = try contents(of: file, limit: limit)
    return contents.withTensor { Tensor(bytes: $0, shape: contents.shape, dtype: contents.dtype) }
  }

  /// Writes a tensor; a name that ends in `.gz` makes it packed. `int64` and `bool` become 32-bit
  /// integers and bytes where every value fits; the 16-bit floating types become 32-bit ones.
  public static func write(_ tensor: Tensor, to url: URL) throws {
    let packed = try encode(tensor, name: url.path)
    let isPacked = url.pathExtension == "gz"
    try AtomicWrite.write(
      isPacked ? packed.withUnsafeBytes { Gzip.deflate($0) } : packed, to: url)
  }
}

extension IDX {
  /// A file's header and elements.
  package struct Contents {
    package let shape: [Int]
    let code: Code
    /// Where the elements lie.
    let elements: Range<Int>
    /// Unpacked.
    let file: FileBytes

    package var dtype: DType { code.dtype }

    /// Lends the elements as a tensor of `dtype` has them.
    func withTensor<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
      file.withBytes(elements) { bytes in
        switch code {
        case .unsignedByte, .signedByte: body(bytes)
        case .short: widened(bytes).withUnsafeBytes(body)
        case .int, .float: swapped(bytes, UInt32.self).withUnsafeBytes(body)
        case .double: swapped(bytes, UInt64.self).withUnsafeBytes(body)
        }
      }
    }
  }

  enum Code: UInt8 {
    case unsignedByte = 0x08
    case signedByte = 0x09
    case short = 0x0b
    case int = 0x0c
    case float = 0x0d
    case double = 0x0e

    var size: Int {
      switch self {
      case .unsignedByte, .signedByte: 1
      case .short: 2
      case .int, .float: 4
      case .double: 8
      }
    }

    var dtype: DType {
      switch self {
      case .unsignedByte: .uint8
      case .signedByte: .int8
      case .short, .int: .int32
      case .float: .float32
      case .double: .float64
      }
    }
  }

  /// Reads the header, and unpacks the elements if need be.
  package static func contents(
    of file: FileBytes, limit: Int = 1 << 34
  ) throws(DataError) -> Contents {
    guard file.starts(with: Gzip.magic) else { return try plainContents(of: file, limit: limit) }
    // The header tells how much there is to unpack, so that a file that lies cannot fill the
    // memory.
    let longestHeader = 4 + 4 * 255
    let start = FileBytes(
      try Gzip.inflate(file, limit: longestHeader, isPrefix: true), name: file.name)
    let header = try Header(start, limit: limit)
    guard header.byteCount / Gzip.greatestRatio <= file.count else {
      throw DataError(
        .invalid, file: file.name,
        reason: "its header says \(header.byteCount) bytes of elements, "
          + "which cannot be packed into \(file.count)",
        hint: "the file is damaged; fetch it again")
    }
    // One more byte shows that there is something after the elements.
    let all = try Gzip.inflate(file, limit: header.length + header.byteCount + 1)
    return try plainContents(of: FileBytes(all, name: file.name), limit: limit)
  }

  private static func plainContents(
    of file: FileBytes, limit: Int
  ) throws(DataError) -> Contents {
    let header = try Header(file, limit: limit)
    var reader = try ByteReader(file, header.length..<file.count)
    let elements = try reader.take(header.byteCount, "the elements \(header.shape)")
    guard reader.remaining == 0 else {
      throw reader.error(
        "\(reader.remaining) bytes follow the elements \(header.shape)",
        hint: "the file holds something else, or two files were joined")
    }
    return Contents(shape: header.shape, code: header.code, elements: elements, file: file)
  }

  private struct Header {
    let code: Code
    let shape: [Int]
    let byteCount: Int
    let length: Int

    init(_ file: FileBytes, limit: Int) throws(DataError) {
      var reader = ByteReader(file)
      let magic = try reader.array(4, "the magic number")
      guard magic[0] == 0, magic[1] == 0, let code = Code(rawValue: magic[2]) else {
        let words = magic.map { hexadecimal($0) }.joined(separator: " ")
        throw reader.error(
          "begins with \(words), which is not the magic number of an IDX file", at: 0,
          hint: "IDX begins with 00 00, the element type (08, 09, 0B to 0E) and the rank")
      }
      var shape: [Int] = []
      for axis in 0..<Int(magic[3]) {
        shape.append(Int(try reader.integer(UInt32.self, .big, "the length of axis \(axis)")))
      }
      guard let bytes = checkedByteCount(shape, elementSize: code.size), bytes <= limit else {
        throw reader.error(
          "the shape \(shape) asks for more than \(limit) bytes", at: 4,
          hint: "the file is damaged, or pass a larger limit")
      }
      (self.code, self.shape, byteCount, length) = (code, shape, bytes, reader.offset)
    }
  }

  private static func swapped<Word: FixedWidthInteger & BitwiseCopyable>(
    _ bytes: UnsafeRawBufferPointer, _: Word.Type
  ) -> [Word] {
    let size = MemoryLayout<Word>.size
    return (0..<(bytes.count / size)).map {
      Word(bigEndian: bytes.loadUnaligned(fromByteOffset: $0 * size, as: Word.self))
    }
  }

  private static func widened(_ bytes: UnsafeRawBufferPointer) -> [Int32] {
    swapped(bytes, UInt16.self).map { Int32(Int16(bitPattern: $0)) }
  }
}

extension IDX {
  static func encode(_ tensor: Tensor, name: String) throws(DataError) -> [UInt8] {
    guard tensor.rank <= 255, tensor.shape.allSatisfy({ $0 <= UInt32.max }) else {
      throw DataError(
        .unwritable, file: name, reason: "IDX cannot hold the shape \(tensor.shape)",
        hint: "it has room for 255 axes of 4,294,967,295 elements each")
    }
    var bytes: [UInt8] = [0, 0, code(for: tensor.dtype).rawValue, UInt8(tensor.rank)]
    for length in tensor.shape { append(UInt32(length), to: &bytes) }
    switch tensor.dtype {
    case .bool, .uint8, .int8: bytes += tensor.bytes()
    case .int32: for value in tensor.array(of: Int32.self) { append(value, to: &bytes) }
    case .int64: for value in try narrowed(tensor, name: name) { append(value, to: &bytes) }
    case .float64:
      for value in tensor.array(of: Double.self) { append(value.bitPattern, to: &bytes) }
    case .float16, .bfloat16, .float32:
      for value in tensor.array(of: Float.self) { append(value.bitPattern, to: &bytes) }
    }
    return bytes
  }

  private static func code(for dtype: DType) -> Code {
    switch dtype {
    case .bool, .uint8: .unsignedByte
    case .int8: .signedByte
    case .int32, .int64: .int
    case .float16, .bfloat16, .float32: .float
    case .float64: .double
    }
  }

  private static func narrowed(_ tensor: Tensor, name: String) throws(DataError) -> [Int32] {
    var result: [Int32] = []
    for value in tensor.array(of: Int64.self) {
      guard let small = Int32(exactly: value) else {
        throw DataError(
          .unwritable, file: name, reason: "IDX has no 64-bit integers, and \(value) needs one",
          hint: "write it as NPY")
      }
      result.append(small)
    }
    return result
  }

  private static func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: value.bigEndian) { bytes += $0 }
  }
}

/// Two digits, such as `0a`.
package func hexadecimal(_ byte: UInt8) -> String {
  (byte < 16 ? "0" : "") + String(byte, radix: 16)
}
