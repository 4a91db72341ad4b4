import Foundation

/// The bytes of a file, mapped into memory, or bytes that are there already.
///
/// A mapping costs no copy; pages are read as they are touched. Another program that cuts the file
/// short while it is mapped stops this one, as with any mapping.
///
/// Safe to share: the bytes never change and are let go only with the last reference.
package final class FileBytes: @unchecked Sendable {
  /// What errors call it.
  package let name: String
  private let pointer: UnsafeRawBufferPointer
  private let origin: Origin

  private enum Origin {
    case mapping, allocation
    /// Lies within another's bytes, which it keeps alive.
    case part(FileBytes)
  }

  /// Maps a file.
  package init(mapping url: URL) throws(DataError) {
    name = url.path
    let descriptor = try Self.open(name)
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw .system(.unreadable, file: name, doing: "look at it", code: errno)
    }
    guard status.st_mode & S_IFMT != S_IFDIR else {
      throw DataError(
        .unreadable, file: name, reason: "is a folder, not a file", hint: "name a file in it")
    }
    let count = Int(status.st_size)
    if status.st_mode & S_IFMT == S_IFREG && count > 0 {
      let address = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0)
      guard let address, address != MAP_FAILED else {
        throw .system(.unreadable, file: name, doing: "map it into memory", code: errno)
      }
      pointer = UnsafeRawBufferPointer(start: address, count: count)
      origin = .mapping
    } else {
      origin = .allocation
      pointer = Self.copy(try Self.readAll(descriptor, name: name))
    }
  }

  /// Takes bytes that are there already; `name` is what errors call them.
  package init(_ bytes: some Collection<UInt8>, name: String) {
    self.name = name
    origin = .allocation
    pointer = Self.copy(bytes)
  }

  /// Part of another file's bytes, without copying. `range` must lie within them, as those of
  /// ``ByteReader`` do.
  package init(part range: Range<Int>, of whole: FileBytes, name: String) {
    self.name = name
    origin = .part(whole)
    pointer = UnsafeRawBufferPointer(rebasing: whole.pointer[range])
  }

  deinit {
    switch origin {
    case .mapping: munmap(UnsafeMutableRawPointer(mutating: pointer.baseAddress), pointer.count)
    case .allocation: pointer.deallocate()
    case .part: break
    }
  }

  package var count: Int { pointer.count }

  /// Lends the bytes for the time of `body`.
  package func withBytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    try body(pointer)
  }

  /// Lends part of the bytes. `range` must lie within `0..<count`; ``ByteReader`` sees to that.
  package func withBytes<Result>(
    _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    try body(UnsafeRawBufferPointer(rebasing: pointer[range]))
  }

  /// Lets go of the pages of a range that were read; they are read again when they are touched. So a long file is gone through
  /// without ever holding much of it. Bytes that are not a mapped file's stay as they are.
  package func release(_ range: Range<Int>) {
    switch origin {
    case .mapping:
      guard let base = pointer.baseAddress, !range.isEmpty else { return }
      let first = range.lowerBound / Int(getpagesize()) * Int(getpagesize())
      madvise(
        UnsafeMutableRawPointer(mutating: base + first), range.upperBound - first, MADV_DONTNEED)
    case .part(let whole):
      guard let own = pointer.baseAddress, let outer = whole.pointer.baseAddress else { return }
      let start = own - outer
      whole.release(range.lowerBound + start..<range.upperBound + start)
    case .allocation: break
    }
  }

  /// Whether the file begins with these bytes.
  package func starts(with magic: [UInt8]) -> Bool {
    count >= magic.count && pointer.prefix(magic.count).elementsEqual(magic)
  }

  /// What is no file has no size to judge it by.
  private static let longestPipe = 1 << 30

  private static func copy(_ bytes: some Collection<UInt8>) -> UnsafeRawBufferPointer {
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 64)
    room.copyBytes(from: bytes)
    return UnsafeRawBufferPointer(room)
  }

  private static func open(_ path: String) throws(DataError) -> Int32 {
    let descriptor = openToRead(path)
    if descriptor >= 0 { return descriptor }
    let code = errno
    if code == ENOENT || code == ENOTDIR {
      throw DataError(
        .missing, file: path, reason: "there is no such file",
        hint: "check the spelling and the folder you are in")
    }
    throw .system(.unreadable, file: path, doing: "open it", code: code)
  }

  /// For what cannot be mapped: pipes and empty files.
  private static func readAll(_ descriptor: Int32, name: String) throws(DataError) -> [UInt8] {
    var all: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let got = read(descriptor, &piece, piece.count)
      if got == 0 { return all }
      if got < 0 {
        if errno == EINTR { continue }
        throw .system(.unreadable, file: name, doing: "read it", code: errno)
      }
      all += piece[..<got]
      if all.count > longestPipe {
        throw DataError(
          .unreadable, file: name, reason: "gives more than \(longestPipe) bytes without an end",
          hint: "write it to a file first")
      }
    }
  }
}
