import Foundation

/// Writes files so that a reader sees the old contents or the new, never a part.
///
/// The bytes go to a temporary file in the same folder, are flushed to the disk, and the file is
/// renamed over the old one. If anything fails (a full disk, say) the temporary file is removed and
/// the old one stays as it was.
public enum AtomicWrite {
  /// Writes `bytes` to `url`.
  public static func write(_ bytes: some Collection<UInt8>, to url: URL) throws {
    try write(to: url) { sink in
      try Array(bytes).withUnsafeBytes { try sink.write($0) }
    }
  }

  /// Writes the text as UTF-8.
  public static func write(_ text: String, to url: URL) throws {
    try write(Array(text.utf8), to: url)
  }

  /// Writes whatever `body` hands to the sink, piece by piece.
  public static func write(to url: URL, _ body: (ByteSink) throws -> Void) throws {
    let path = url.path
    let temporary = temporaryPath(for: url)
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_t(0o666))
    guard descriptor >= 0 else {
      let code = errno
      throw DataError.system(
        .unwritable, file: path, doing: "write in its folder", code: code,
        hint: code == ENOENT ? "make the folder first" : nil)
    }
    do {
      do {
        defer { close(descriptor) }
        keepMode(of: path, on: descriptor)
        let sink = ByteSink(descriptor: descriptor, name: path)
        try body(sink)
        try sink.finish()
      }
      guard rename(temporary, path) == 0 else {
        throw DataError.system(.unwritable, file: path, doing: "put it in place", code: errno)
      }
    } catch {
      unlink(temporary)
      throw error
    }
    flushFolder(of: url)
  }

  private static func temporaryPath(for url: URL) -> String {
    var generator = SystemRandomNumberGenerator()
    let tag = String(generator.next() as UInt64, radix: 36)
    return url.deletingLastPathComponent()
      .appendingPathComponent(".\(url.lastPathComponent.prefix(100)).\(getpid())-\(tag).tmp").path
  }

  /// A file that is replaced keeps its permissions.
  private static func keepMode(of path: String, on descriptor: Int32) {
    var status = stat()
    if stat(path, &status) == 0 { fchmod(descriptor, status.st_mode & 0o7777) }
  }

  /// Makes the new name itself last through a power cut. Some file systems refuse; the data is safe
  /// regardless.
  private static func flushFolder(of url: URL) {
    let folder = openToRead(url.deletingLastPathComponent().path)
    guard folder >= 0 else { return }
    fsync(folder)
    close(folder)
  }
}

/// Where ``AtomicWrite/write(to:_:)`` collects the bytes of a new file.
public final class ByteSink {
  private let descriptor: Int32
  private let name: String
  private var pending: [UInt8] = []
  /// Bytes written so far.
  public private(set) var count = 0

  package init(descriptor: Int32, name: String) {
    (self.descriptor, self.name) = (descriptor, name)
  }

  /// Appends bytes.
  public func write(_ bytes: UnsafeRawBufferPointer) throws(DataError) {
    count += bytes.count
    if bytes.count < 1 << 14 {
      pending += bytes
      if pending.count >= 1 << 16 { try flush() }
    } else {
      try flush()
      try writeAll(bytes)
    }
  }

  /// Appends bytes.
  public func write(_ bytes: [UInt8]) throws(DataError) {
    count += bytes.count
    pending += bytes
    if pending.count >= 1 << 16 { try flush() }
  }

  /// Hands everything to the disk.
  func finish() throws(DataError) {
    try flush()
    // EINVAL: what cannot be flushed, such as a pipe, has nothing to lose.
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw failure("flush it to the disk") }
  }

  private func flush() throws(DataError) {
    let full = pending
    pending.removeAll(keepingCapacity: true)
    let problem: DataError? = full.withUnsafeBytes { bytes in
      do throws(DataError) {
        try writeAll(bytes)
        return nil
      } catch { return error }
    }
    if let problem { throw problem }
  }

  private func writeAll(_ bytes: UnsafeRawBufferPointer) throws(DataError) {
    var rest = bytes
    while let base = rest.baseAddress, !rest.isEmpty {
      let wrote = writeSome(descriptor, base, min(rest.count, 1 << 30))
      if wrote < 0 {
        if errno == EINTR { continue }
        throw failure("write it")
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[wrote...])
    }
  }

  private func failure(_ action: String) -> DataError {
    let code = errno
    let isFull = code == ENOSPC || code == EDQUOT
    return .system(
      .unwritable, file: name, doing: action, code: code,
      hint: isFull ? "make room on the disk and try again; nothing was replaced" : nil)
  }
}
