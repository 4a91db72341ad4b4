import CZlib

/// Compression by zlib, with bounds on what a hostile file can make us allocate.
package enum Gzip {
  /// What surrounds the compressed data; the numbers are zlib's `windowBits`.
  package enum Wrapping: Int32, Sendable {
    case gzip = 31
    case zlib = 15
    case raw = -15
  }

  package static let magic: [UInt8] = [0x1f, 0x8b]

  /// Deflate never packs better than this, so a file can be judged by its size before it is
  /// unpacked.
  package static let greatestRatio = 1032

  /// Unpacks a whole file that may or may not be compressed with gzip.
  /// - Parameter limit: the most bytes to unpack.
  package static func plain(
    _ file: FileBytes, limit: Int = 1 << 34
  ) throws(DataError) -> FileBytes {
    guard file.starts(with: magic) else { return file }
    return FileBytes(try inflate(file, limit: limit), name: file.name)
  }

  /// Unpacks `range` of a file (all of it by default).
  ///
  /// Several gzip members one after another give their contents one after another; zero padding
  /// after the last is passed over.
  /// - Parameters:
  ///   - limit: the most bytes to unpack; more is an error, unless `isPrefix`.
  ///   - isPrefix: stop quietly at `limit`.
  package static func inflate(
    _ file: FileBytes, _ range: Range<Int>? = nil, wrapping: Wrapping = .gzip, limit: Int,
    isPrefix: Bool = false
  ) throws(DataError) -> [UInt8] {
    var reader = try ByteReader(file, range ?? 0..<file.count)
    var result: [UInt8] = []
    repeat {
      let used = try Member(file: file, wrapping: wrapping, limit: limit, isPrefix: isPrefix)
        .inflate(reader, into: &result)
      _ = try reader.take(used, "compressed data")
      if isPrefix && result.count >= limit { return result }
    } while wrapping == .gzip && startsMember(reader)
    if !isPrefix { try checkPadding(reader) }
    return result
  }

  /// Unpacks a file of any length piece by piece: `body` is given some bytes after the others.
  package static func inflate(
    _ file: FileBytes, each body: ([UInt8]) throws(DataError) -> Void
  ) throws(DataError) {
    var reader = try ByteReader(file, 0..<file.count)
    var piece: [UInt8] = []
    repeat {
      let member = Member(file: file, wrapping: .gzip, limit: .max, isPrefix: false)
      let used = try member.inflate(reader, into: &piece) { piece throws(DataError) in
        guard piece.count >= 1 << 20 else { return }
        try body(piece)
        piece.removeAll(keepingCapacity: true)
      }
      _ = try reader.take(used, "compressed data")
    } while startsMember(reader)
    try checkPadding(reader)
    if !piece.isEmpty { try body(piece) }
  }

  /// Packs bytes.
  package static func deflate(
    _ bytes: UnsafeRawBufferPointer, wrapping: Wrapping = .gzip, level: Int32 = 6
  ) -> [UInt8] {
    var stream = z_stream()
    let version = zlibVersion()
    let size = Int32(MemoryLayout<z_stream>.size)
    guard
      deflateInit2_(
        &stream, level, Z_DEFLATED, wrapping.rawValue, 8, Z_DEFAULT_STRATEGY, version, size) == Z_OK
    else { fatalError("zlib has no memory for compressing") }
    defer { deflateEnd(&stream) }
    var result: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    var taken = 0
    var status = Z_OK
    while status == Z_OK {
      let room = min(bytes.count - taken, 1 << 30)
      let isLast = taken + room == bytes.count
      status = piece.withUnsafeMutableBufferPointer { output in
        stream.next_in = input(bytes, at: taken)
        stream.avail_in = UInt32(room)
        stream.next_out = output.baseAddress
        stream.avail_out = UInt32(output.count)
        return CZlib.deflate(&stream, isLast ? Z_FINISH : Z_NO_FLUSH)
      }
      taken += room - Int(stream.avail_in)
      result += piece[..<(piece.count - Int(stream.avail_out))]
      if status == Z_BUF_ERROR { status = Z_OK }
    }
    return result
  }

  /// zlib's checksum of the bytes.
  package static func crc32(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var sum: UInt = 0
    var start = 0
    while start < bytes.count {
      let room = min(bytes.count - start, 1 << 30)
      sum = CZlib.crc32(sum, input(bytes, at: start), UInt32(room))
      start += room
    }
    return UInt32(truncatingIfNeeded: sum)
  }

  fileprivate static func input(
    _ bytes: UnsafeRawBufferPointer, at offset: Int
  ) -> UnsafeMutablePointer<UInt8>? {
    guard let base = bytes.baseAddress else { return nil }
    return UnsafeMutablePointer(
      mutating: base.advanced(by: offset).assumingMemoryBound(to: UInt8.self))
  }

  private static func startsMember(_ reader: ByteReader) -> Bool {
    reader.remaining >= 2
      && reader.bytes.withBytes(reader.offset..<(reader.offset + 2)) { $0.elementsEqual(magic) }
  }

  private static func checkPadding(_ reader: ByteReader) throws(DataError) {
    let rest = reader.offset..<reader.end
    let junk = reader.bytes.withBytes(rest) { $0.firstIndex { $0 != 0 } }
    guard let junk else { return }
    throw reader.error(
      "bytes that belong to nothing follow the compressed data", at: reader.offset + junk)
  }
}

/// One compressed stream.
private struct Member {
  let file: FileBytes
  let wrapping: Gzip.Wrapping
  let limit: Int
  let isPrefix: Bool

  /// Appends the unpacked bytes to `result` and gives the number of packed ones used. `drain` may take bytes out of it.
  func inflate(
    _ reader: ByteReader, into result: inout [UInt8],
    drain: (inout [UInt8]) throws(DataError) -> Void = { _ in }
  ) throws(DataError) -> Int {
    var stream = z_stream()
    let size = Int32(MemoryLayout<z_stream>.size)
    guard inflateInit2_(&stream, wrapping.rawValue, zlibVersion(), size) == Z_OK else {
      throw DataError(.unreadable, file: file.name, reason: "zlib has no memory for unpacking it")
    }
    defer { inflateEnd(&stream) }
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    var used = 0
    while true {
      let room = min(reader.remaining - used, 1 << 30)
      let start = reader.offset + used
      let status = file.withBytes(start..<(start + room)) { bytes in
        piece.withUnsafeMutableBufferPointer { output in
          stream.next_in = Gzip.input(bytes, at: 0)
          stream.avail_in = UInt32(room)
          stream.next_out = output.baseAddress
          stream.avail_out = UInt32(output.count)
          return CZlib.inflate(&stream, Z_NO_FLUSH)
        }
      }
      used += room - Int(stream.avail_in)
      let made = piece.count - Int(stream.avail_out)
      if made > limit - result.count {
        result += piece[..<max(0, limit - result.count)]
        if isPrefix { return used }
        throw tooLarge(reader, at: used)
      }
      result += piece[..<made]
      try drain(&result)
      if status == Z_STREAM_END { return used }
      try check(status, stream, reader, used: used, made: made)
    }
  }

  private func check(
    _ status: Int32, _ stream: z_stream, _ reader: ByteReader, used: Int, made: Int
  ) throws(DataError) {
    let place = reader.offset + used
    guard status == Z_OK || status == Z_BUF_ERROR else {
      let words = stream.msg.map { String(cString: $0) } ?? "code \(status)"
      throw reader.error(
        "the compressed data is broken (\(words))", at: place,
        hint: "the file is damaged; fetch it again")
    }
    if used == reader.remaining && made == 0 {
      throw reader.error(
        "the compressed data ends too early", at: place,
        hint: "the file was cut short; fetch it again")
    }
  }

  private func tooLarge(_ reader: ByteReader, at used: Int) -> DataError {
    reader.error("unpacks to more than the \(limit) bytes it may have", at: reader.offset + used)
  }
}
