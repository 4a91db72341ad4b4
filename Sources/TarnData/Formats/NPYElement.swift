import TarnCore

/// An element type of an NPY file and the tensor type it is read as.
///
/// | NumPy | tensor |
/// |---|---|
/// | `?` | `bool` |
/// | `u1`, `i1`, `i4`, `i8` | `uint8`, `int8`, `int32`, `int64` |
/// | `i2`, `u2`; `u4` | `int32`; `int64` |
/// | `f2`, `f4`, `f8` | `float16`, `float32`, `float64` |
/// | `V2` | `bfloat16`, which NumPy itself has no name for |
package struct NPYElement: Equatable, Sendable {
  package enum Stored: Equatable, Sendable {
    case same(DType)
    case int16, uint16, uint32
  }

  package var stored: Stored
  package var isBigEndian: Bool

  package init(_ stored: Stored, isBigEndian: Bool) {
    (self.stored, self.isBigEndian) = (stored, isBigEndian)
  }

  package init(_ dtype: DType) {
    (stored, isBigEndian) = (.same(dtype), false)
  }

  /// Reads NumPy's name, such as `<f4`.
  package init(parsing name: String, _ reader: ByteReader, at place: Int) throws(DataError) {
    var rest = Substring(name)
    isBigEndian = rest.first == ">"
    if let first = rest.first, "<>|=".contains(first) { rest = rest.dropFirst() }
    switch rest {
    case "b1", "?": stored = .same(.bool)
    case "u1": stored = .same(.uint8)
    case "i1": stored = .same(.int8)
    case "i4": stored = .same(.int32)
    case "i8": stored = .same(.int64)
    case "f2": stored = .same(.float16)
    case "f4": stored = .same(.float32)
    case "f8": stored = .same(.float64)
    case "V2": stored = .same(.bfloat16)
    case "i2": stored = .int16
    case "u2": stored = .uint16
    case "u4": stored = .uint32
    default: throw Self.refusal(name, rest, reader, at: place)
    }
  }

  package var dtype: DType {
    switch stored {
    case .same(let dtype): dtype
    case .int16, .uint16: .int32
    case .uint32: .int64
    }
  }

  /// Bytes of an element in the file.
  package var size: Int {
    switch stored {
    case .same(let dtype): dtype.byteCount
    case .int16, .uint16: 2
    case .uint32: 4
    }
  }

  /// NumPy's name of the type that a tensor is written as.
  static func name(of dtype: DType) -> String {
    switch dtype {
    case .bool: "|b1"
    case .uint8: "|u1"
    case .int8: "|i1"
    case .int32: "<i4"
    case .int64: "<i8"
    case .float16: "<f2"
    case .bfloat16: "<V2"
    case .float32: "<f4"
    case .float64: "<f8"
    }
  }

  private static func refusal(
    _ name: String, _ type: Substring, _ reader: ByteReader, at place: Int
  ) -> DataError {
    let (what, hint) =
      switch type.first {
      case "O": ("Python objects", "save numbers: array.astype('float32')")
      case "U", "S", "a": ("text", "save the texts' numbers, or use CSV")
      case "c": ("complex numbers", "save array.real and array.imag")
      case "M", "m": ("dates or durations", "save array.astype('int64')")
      case "V": ("raw records", "save each field as an array of its own")
      case "u": ("unsigned 64-bit integers", "save array.astype('int64')")
      case "f": ("long doubles", "save array.astype('float64')")
      default: ("of an unknown type", "save array.astype('float32')")
      }
    return reader.error(
      "the elements are \(what) ('\(name)'), which a tensor cannot hold", at: place,
      kind: .unsupported, hint: hint)
  }

  /// The elements as a tensor has them: native byte order, widened where need be.
  package func native(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    switch stored {
    case .same(.bool): bytes.map { $0 == 0 ? 0 : 1 }
    case .same where size == 1: Array(bytes)
    case .same where size == 2: words(bytes, UInt16.self) { $0 }
    case .same where size == 4: words(bytes, UInt32.self) { $0 }
    case .same: words(bytes, UInt64.self) { $0 }
    case .int16: words(bytes, UInt16.self) { Int32(Int16(bitPattern: $0)) }
    case .uint16: words(bytes, UInt16.self) { Int32($0) }
    case .uint32: words(bytes, UInt32.self) { Int64($0) }
    }
  }

  private func words<Word: FixedWidthInteger & BitwiseCopyable, Wide: BitwiseCopyable>(
    _ bytes: UnsafeRawBufferPointer, _: Word.Type, _ widen: (Word) -> Wide
  ) -> [UInt8] {
    let (from, to) = (MemoryLayout<Word>.size, MemoryLayout<Wide>.size)
    if from == to && !isBigEndian { return Array(bytes) }
    let count = bytes.count / from
    return [UInt8](unsafeUninitializedCapacity: count * to) { output, filled in
      let output = UnsafeMutableRawBufferPointer(output)
      for i in 0..<count {
        let word = bytes.loadUnaligned(fromByteOffset: i * from, as: Word.self)
        output.storeBytes(
          of: widen(isBigEndian ? Word(bigEndian: word) : Word(littleEndian: word)),
          toByteOffset: i * to, as: Wide.self)
      }
      filled = count * to
    }
  }
}
