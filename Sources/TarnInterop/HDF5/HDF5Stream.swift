import CTarnHDF5
import Foundation
import TarnData

/// What a child process finds in an HDF5 file, as it comes: see `tarn_hdf5.h`.
final class HDF5Stream {
  private let file: FileBytes
  private var reader: tarn_hdf5_reader
  private var buffer = [UInt8](repeating: 0, count: 1 << 18)
  private var filled = 0
  private var place = 0
  private var isFinished = false

  /// Starts the child.
  init(_ file: FileBytes) throws(DataError) {
    self.file = file
    var reader = tarn_hdf5_reader()
    let problem = file.withBytes { tarn_hdf5_start($0.baseAddress, $0.count, &reader) }
    self.reader = reader
    guard problem == 0 else {
      isFinished = true
      guard problem == ENOSYS else {
        throw .system(.unreadable, file: file.name, doing: "start a process for it", code: problem)
      }
      throw DataError(
        .unreadable, file: file.name, reason: "is an HDF5 file, for which a library is needed",
        hint: String(cString: tarn_hdf5_state()))
    }
  }

  deinit { finish() }

  @discardableResult private func finish() -> Int32 {
    if isFinished { return Int32(TARN_HDF5_DONE.rawValue) }
    isFinished = true
    return tarn_hdf5_finish(&reader)
  }

  func error(
    _ reason: String,
    hint: String = "the file is damaged or was made to do harm; fetch or save it again"
  ) -> DataError {
    DataError(.invalid, file: file.name, reason: reason, hint: hint)
  }

  /// Says how the child came to its end where the stream is not complete.
  private func ended() -> DataError {
    switch UInt32(finish()) {
    case TARN_HDF5_CRASHED.rawValue:
      error("HDF5 crashed on it (in a process of its own; this one is unharmed)")
    case TARN_HDF5_TIMED_OUT.rawValue:
      error(
        "HDF5 did not come to an end with it in the time that a file of this size has",
        hint: "the file is damaged or was made to do harm; or the machine is very busy: try again")
    default: error("HDF5 cannot read it to its end")
    }
  }

  /// The next `count` bytes. What is allocated grows with what has come.
  func bytes(_ count: Int) throws(DataError) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(min(count, buffer.count))
    while result.count < count {
      if place == filled { try fill() }
      let part = min(count - result.count, filled - place)
      result += buffer[place..<(place + part)]
      place += part
    }
    return result
  }

  private func fill() throws(DataError) {
    filled = tarn_hdf5_read(&reader, &buffer, buffer.count)
    place = 0
    if filled == 0 { throw ended() }
  }

  func integer<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) throws(DataError) -> T {
    let raw = try bytes(MemoryLayout<T>.size)
    return T(littleEndian: raw.withUnsafeBytes { $0.loadUnaligned(as: T.self) })
  }

  /// A count of what has at least one byte each in the file, or is a small number.
  func count() throws(DataError) -> Int {
    let value = Int(try integer(UInt32.self))
    guard value <= file.count + 1 << 20 else { throw error("HDF5 says what cannot be") }
    return value
  }

  func text() throws(DataError) -> String {
    String(decoding: try bytes(count()), as: UTF8.self)
  }
}
