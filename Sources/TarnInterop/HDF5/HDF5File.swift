import CTarnHDF5
import Foundation
import TarnCore
import TarnData

/// The arrays and attributes of an HDF5 file. It is read once, from its beginning to its end, in a process of its own.
package struct HDF5File: Sendable {
  /// How every HDF5 file begins.
  package static let magic: [UInt8] = [0x89] + Array("HDF\r\n\u{1a}\n".utf8)

  /// Paths (`model_weights/dense/kernel:0`) and arrays, in the order of the file.
  package private(set) var datasets: [(path: String, tensor: Tensor)] = []
  /// Attributes made of texts: for each path their names and values.
  package private(set) var texts: [String: [String: [String]]] = [:]
  /// Attributes made of numbers.
  package private(set) var numbers: [String: [String: [Double]]] = [:]
  /// What is no array of numbers or lies elsewhere, and why.
  package private(set) var skipped: [(path: String, reason: String)] = []
  private var places: [String: Int] = [:]

  package init(_ file: FileBytes) throws(DataError) {
    guard file.starts(with: Self.magic) else {
      throw DataError(.invalid, file: file.name, at: .byte(0), reason: "is no HDF5 file")
    }
    let stream = try HDF5Stream(file)
    while try readRecord(stream) {}
  }

  /// The array at a path.
  package func tensor(_ path: String) -> Tensor? { places[path].map { datasets[$0].tensor } }

  /// Reads one record; false at the end.
  private mutating func readRecord(_ stream: HDF5Stream) throws(DataError) -> Bool {
    let tag = try stream.integer(UInt8.self)
    switch tag {
    case UInt8(ascii: "Z"): return false
    case UInt8(ascii: "X"): throw stream.error("HDF5: \(try stream.text())")
    case UInt8(ascii: "A"):
      let (path, name) = (try stream.text(), try stream.text())
      var values: [String] = []
      for _ in 0..<(try stream.count()) { values.append(try stream.text()) }
      texts[path, default: [:]][name] = values
    case UInt8(ascii: "N"):
      let (path, name) = (try stream.text(), try stream.text())
      var values: [Double] = []
      for _ in 0..<(try stream.count()) {
        values.append(Double(bitPattern: try stream.integer(UInt64.self)))
      }
      numbers[path, default: [:]][name] = values
    case UInt8(ascii: "W"): skipped.append((try stream.text(), try stream.text()))
    case UInt8(ascii: "D"): try readDataset(stream)
    default: throw stream.error("HDF5 says what cannot be")
    }
    return true
  }

  private mutating func readDataset(_ stream: HDF5Stream) throws(DataError) {
    let path = try stream.text()
    let code = UInt32(try stream.integer(UInt8.self))
    var shape: [Int] = []
    for _ in 0..<(try stream.integer(UInt8.self)) {
      shape.append(Int(truncatingIfNeeded: try stream.integer(UInt64.self)))
    }
    let promised = Int(truncatingIfNeeded: try stream.integer(UInt64.self))
    let isWide = code == TARN_HDF5_U64.rawValue
    guard let element = isWide ? NPYElement(.int64) : Self.element(code),
      checkedByteCount(shape, elementSize: element.size) == promised,
      checkedByteCount(shape, elementSize: element.dtype.byteCount) != nil
    else { throw stream.error("the array '\(path)' has the absurd shape \(shape)") }
    let bytes = try stream.bytes(promised)
    if isWide && stride(from: 7, to: bytes.count, by: 8).contains(where: { bytes[$0] >= 128 }) {
      skipped.append((path, "its numbers need 64 bits without a sign"))
      return
    }
    let native = bytes.withUnsafeBytes { element.native($0) }
    places[path] = datasets.count
    datasets.append(
      (path, native.withUnsafeBytes { Tensor(bytes: $0, shape: shape, dtype: element.dtype) }))
  }

  private static func element(_ code: UInt32) -> NPYElement? {
    let stored: NPYElement.Stored? =
      switch code {
      case TARN_HDF5_F16.rawValue: .same(.float16)
      case TARN_HDF5_BF16.rawValue: .same(.bfloat16)
      case TARN_HDF5_F32.rawValue: .same(.float32)
      case TARN_HDF5_F64.rawValue: .same(.float64)
      case TARN_HDF5_I8.rawValue: .same(.int8)
      case TARN_HDF5_U8.rawValue: .same(.uint8)
      case TARN_HDF5_I16.rawValue: .int16
      case TARN_HDF5_U16.rawValue: .uint16
      case TARN_HDF5_I32.rawValue: .same(.int32)
      case TARN_HDF5_U32.rawValue: .uint32
      case TARN_HDF5_I64.rawValue: .same(.int64)
      case TARN_HDF5_BOOL.rawValue: .same(.bool)
      default: nil
      }
    return stored.map { NPYElement($0, isBigEndian: false) }
  }
}

/// The system's HDF5 library, which reads files of Keras.
public enum HDF5 {
  /// "1.10.8", or nil if the library is not there.
  public static var version: String? {
    let text = String(cString: tarn_hdf5_version())
    return text.isEmpty ? nil : text
  }

  /// What was found, in words: its version, or why it cannot be used and what to install.
  public static var state: String { String(cString: tarn_hdf5_state()) }
}
