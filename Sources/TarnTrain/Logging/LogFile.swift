import Foundation
import TarnCore

/// A log could not be written, or a log that is to be continued could not be read.
public struct LogError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file at fault.
  public let path: String
  /// Where in the file, in bytes from its start.
  public let offset: Int?
  /// What is wrong.
  public let reason: String
  /// What to do about it.
  public let remedy: String

  public var description: String {
    let place = offset.map { " at byte \($0)" } ?? ""
    return "\(path)\(place): \(reason); \(remedy)"
  }
}

/// A file that only grows. Each record goes out whole in one call, so that a run that is killed
/// leaves
/// at most one torn record, at the end.
package final class LogFile: Sendable {
  package let path: String
  private let descriptor: Int32
  private let turn = Lock(())

  package enum Mode {
    /// The file must not be there yet.
    case new
    /// Goes on at the end of what is there.
    case append
  }

  package init(path: String, mode: Mode) throws {
    self.path = path
    let flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (mode == .new ? O_EXCL : 0)
    descriptor = open(path, flags, 0o644)
    if descriptor < 0 { throw Self.systemError(path) }
  }

  deinit { close(descriptor) }

  package func append(_ bytes: [UInt8]) throws {
    try turn.withLock { _ in try write(bytes) }
  }

  private func write(_ bytes: [UInt8]) throws {
    var done = 0
    while done < bytes.count {
      let written = bytes[done...].withUnsafeBytes {
        Foundation.write(descriptor, $0.baseAddress, $0.count)
      }
      if written < 0 {
        if errno == EINTR { continue }
        throw Self.systemError(path)
      }
      done += written
    }
  }

  /// Cuts the file off after `length` bytes.
  package func truncate(to length: Int) throws {
    if ftruncate(descriptor, off_t(length)) != 0 { throw Self.systemError(path) }
  }

  private static func systemError(_ path: String) -> LogError {
    let code = errno
    let remedy =
      switch code {
      case ENOENT: "make the folder first"
      case EACCES, EPERM, EROFS: "choose a folder that you may write to"
      case ENOSPC, EDQUOT: "free some space, then resume the run"
      case EEXIST: "choose another folder"
      default: "check the folder and the disk, then resume the run"
      }
    return LogError(
      path: path, offset: nil, reason: String(cString: strerror(code)).lowercased(), remedy: remedy)
  }
}

/// The complete lines of a text file with their places, read a piece at a time.
///
/// A line may be at most `lineLimit` bytes, and what follows the last line end is not a line.
package struct LogLines {
  package struct Line {
    package let bytes: ArraySlice<UInt8>
    /// In bytes from the start of the file.
    package let start: Int
    /// Just past the line end.
    package let end: Int
  }

  private static let lineLimit = 16 << 20
  private static let pieceSize = 1 << 20

  /// Calls `body` with each line until it answers false.
  package static func forEach(of path: String, _ body: (Line) throws -> Bool) throws {
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw LogError(
        path: path, offset: nil, reason: "cannot be read",
        remedy: "check that it is there and that you may read it")
    }
    defer { try? handle.close() }
    var buffer: [UInt8] = []
    var bufferStart = 0
    while true {
      let piece: Data?
      do { piece = try handle.read(upToCount: pieceSize) } catch {
        throw LogError(
          path: path, offset: bufferStart, reason: (error as NSError).localizedDescription,
          remedy: "check the disk")
      }
      guard let piece, !piece.isEmpty else { return }
      var searched = buffer.count
      buffer.append(contentsOf: piece)
      var lineStart = 0
      while let newline = buffer[searched...].firstIndex(of: 0x0A) {
        let line = Line(
          bytes: buffer[lineStart..<newline], start: bufferStart + lineStart,
          end: bufferStart + newline + 1)
        if try !body(line) { return }
        lineStart = newline + 1
        searched = lineStart
      }
      buffer.removeFirst(lineStart)
      bufferStart += lineStart
      if buffer.count > lineLimit {
        throw LogError(
          path: path, offset: bufferStart, reason: "a line is longer than \(lineLimit) bytes",
          remedy: "this is no log of a run; move it away and resume")
      }
    }
  }
}
