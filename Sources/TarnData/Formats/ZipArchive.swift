import Foundation

/// A ZIP archive to read from: stored and deflated entries, with or without the 64-bit extension.
///
/// The archive is not trusted: every size and place is checked when it is opened, entries may not
/// overlap, and an entry's contents are checked against its size and checksum.
package struct ZipArchive: Sendable {
  package struct Entry: Sendable, Hashable {
    package let name: String
    /// Bytes of the contents.
    package let size: Int
    package let isDeflated: Bool
    package let checksum: UInt32
    /// Where the contents, packed or not, lie in the archive.
    package let range: Range<Int>
  }

  package static let magic: [UInt8] = [0x50, 0x4b, 0x03, 0x04]
  /// How an archive without entries begins.
  package static let emptyMagic: [UInt8] = [0x50, 0x4b, 0x05, 0x06]

  package let file: FileBytes
  /// In the order of the archive's directory.
  package let entries: [Entry]
  private let places: [String: Int]

  package init(_ file: FileBytes) throws(DataError) {
    let directory = try ZipDirectory(file)
    var entries: [Entry] = []
    var places: [String: Int] = [:]
    var spans: [Range<Int>] = []
    var reader = try ByteReader(file, directory.range)
    for _ in 0..<directory.count {
      let start = reader.offset
      let record = try ZipRecord(&reader)
      let range = try record.contents(in: file, before: directory.range.lowerBound)
      guard places.updateValue(entries.count, forKey: record.name) == nil else {
        throw reader.error("the archive has two entries named '\(record.name)'", at: start)
      }
      entries.append(
        Entry(
          name: record.name, size: record.size, isDeflated: record.isDeflated,
          checksum: record.checksum, range: range))
      spans.append(record.headerOffset..<range.upperBound)
    }
    spans.sort { $0.lowerBound < $1.lowerBound }
    for (one, next) in zip(spans, spans.dropFirst()) where next.lowerBound < one.upperBound {
      throw reader.error(
        "two entries of the archive overlap", at: next.lowerBound,
        hint: "the file was made to do harm, or is damaged")
    }
    (self.file, self.entries, self.places) = (file, entries, places)
  }

  package subscript(name: String) -> Entry? {
    places[name].map { entries[$0] }
  }

  /// The contents of an entry, unpacked and checked. Stored ones are not copied.
  /// - Parameter allowsNoChecksum: takes a stored entry with the checksum 0 for one that has none.
  package func contents(
    of entry: Entry, allowsNoChecksum: Bool = false
  ) throws(DataError) -> FileBytes {
    let name = "\(file.name):\(entry.name)"
    let contents: FileBytes
    if entry.isDeflated {
      let bytes = try Gzip.inflate(file, entry.range, wrapping: .raw, limit: entry.size)
      contents = FileBytes(bytes, name: name)
    } else {
      contents = FileBytes(part: entry.range, of: file, name: name)
    }
    guard contents.count == entry.size else {
      throw failure(entry, "unpacks to \(contents.count) bytes, not the \(entry.size) it should")
    }
    if allowsNoChecksum && entry.checksum == 0 && !entry.isDeflated { return contents }
    guard contents.withBytes({ Gzip.crc32($0) }) == entry.checksum else {
      throw failure(entry, "does not match its checksum")
    }
    return contents
  }

  private func failure(_ entry: Entry, _ reason: String) -> DataError {
    DataError(
      .invalid, file: file.name, at: .byte(entry.range.lowerBound),
      reason: "the entry '\(entry.name)' \(reason)",
      hint: "the file is damaged; fetch or save it again")
  }
}

/// Where the directory of an archive lies and how many entries it lists.
private struct ZipDirectory {
  let range: Range<Int>
  let count: Int

  init(_ file: FileBytes) throws(DataError) {
    let end = try Self.findEnd(file)
    var reader = ByteReader(file)
    try reader.seek(to: end + 4, "the archive's end record")
    let disks = try reader.array(4, "the archive's end record")
    guard disks == [0, 0, 0, 0] else {
      throw reader.error("the archive is in several parts", at: end, kind: .unsupported)
    }
    _ = try reader.take(2, "the archive's end record")
    var count = Int(try reader.integer(UInt16.self, .little, "the number of entries"))
    var size = Int(try reader.integer(UInt32.self, .little, "the directory's size"))
    var start = Int(try reader.integer(UInt32.self, .little, "the directory's place"))
    var limit = end
    if let wide = try Self.findWide(file, before: end) {
      (count, size, start, limit) = (wide.count, wide.size, wide.start, wide.place)
    }
    guard let stop = checkedSum(start, size), stop <= limit, count <= size / 46 else {
      throw reader.error(
        "the archive's directory (\(count) entries, \(size) bytes at \(start)) does not fit",
        at: end,
        hint: "the file is damaged or was cut short; fetch it again")
    }
    (range, self.count) = (start..<stop, count)
  }

  /// The end record is last but for a comment of up to 65,535 bytes.
  private static func findEnd(_ file: FileBytes) throws(DataError) -> Int {
    let place = file.withBytes { bytes -> Int? in
      guard bytes.count >= 22 else { return nil }
      for place in stride(from: bytes.count - 22, through: max(0, bytes.count - 65_557), by: -1)
      where bytes[place..<(place + 4)].elementsEqual(ZipArchive.emptyMagic) {
        let comment = Int(bytes[place + 20]) | Int(bytes[place + 21]) << 8
        if place + 22 + comment == bytes.count { return place }
      }
      return nil
    }
    guard let place else {
      throw DataError(
        .invalid, file: file.name, at: .byte(file.count),
        reason: "has no end record, so it is no ZIP archive or was cut short",
        hint: "fetch or save it again")
    }
    return place
  }

  /// The 64-bit end record, found by its locator right before the other one.
  private static func findWide(
    _ file: FileBytes, before end: Int
  ) throws(DataError) -> (count: Int, size: Int, start: Int, place: Int)? {
    guard end >= 20 else { return nil }
    var reader = try ByteReader(file, (end - 20)..<end)
    guard try reader.integer(UInt32.self, .little, "the locator") == 0x0706_4b50 else { return nil }
    _ = try reader.take(4, "the locator")
    let place = try ZipRecord.size(&reader, "the 64-bit end record's place")
    guard let stop = checkedSum(place, 56), stop <= end - 20 else {
      throw reader.error("the 64-bit end record should lie at byte \(place)", at: end - 12)
    }
    var record = try ByteReader(file, place..<stop)
    guard try record.integer(UInt32.self, .little, "the 64-bit end record") == 0x0606_4b50 else {
      throw record.error("there is no 64-bit end record where there should be one", at: place)
    }
    _ = try record.take(28, "the 64-bit end record")
    let count = try ZipRecord.size(&record, "the number of entries")
    let size = try ZipRecord.size(&record, "the directory's size")
    let start = try ZipRecord.size(&record, "the directory's place")
    return (count, size, start, place)
  }
}

/// One line of the directory.
private struct ZipRecord {
  let name: String
  let checksum: UInt32
  let isDeflated: Bool
  private(set) var packedSize: Int
  private(set) var size: Int
  private(set) var headerOffset: Int

  init(_ reader: inout ByteReader) throws(DataError) {
    let place = reader.offset
    guard try reader.integer(UInt32.self, .little, "the directory") == 0x0201_4b50 else {
      throw reader.error("the archive's directory is broken", at: place)
    }
    _ = try reader.take(4, "the directory")
    let flags = try reader.integer(UInt16.self, .little, "an entry's flags")
    let method = try reader.integer(UInt16.self, .little, "an entry's method")
    _ = try reader.take(4, "an entry's time")
    checksum = try reader.integer(UInt32.self, .little, "an entry's checksum")
    packedSize = Int(try reader.integer(UInt32.self, .little, "an entry's packed size"))
    size = Int(try reader.integer(UInt32.self, .little, "an entry's size"))
    let nameLength = Int(try reader.integer(UInt16.self, .little, "an entry's name"))
    let extraLength = Int(try reader.integer(UInt16.self, .little, "an entry's extra field"))
    let commentLength = Int(try reader.integer(UInt16.self, .little, "an entry's comment"))
    _ = try reader.take(8, "an entry's attributes")
    headerOffset = Int(try reader.integer(UInt32.self, .little, "an entry's place"))
    name = try reader.text(nameLength, "an entry's name")
    isDeflated = method == 8
    let extra = try reader.take(extraLength, "an entry's extra field")
    try readWide(ByteReader(reader.bytes, extra))
    _ = try reader.take(commentLength, "an entry's comment")
    try check(reader, at: place, flags: flags, method: method)
  }

  private func check(
    _ reader: ByteReader, at place: Int, flags: UInt16, method: UInt16
  ) throws(DataError) {
    let isSafe =
      !name.isEmpty && !name.hasPrefix("/") && !name.utf8.contains(0)
      && !name.utf8.contains(UInt8(ascii: "\\")) && !name.split(separator: "/").contains("..")
    guard isSafe else {
      throw reader.error("an entry has the unsafe name '\(name.debugDescription)'", at: place)
    }
    guard flags & 1 == 0 else {
      throw reader.error("the entry '\(name)' is encrypted", at: place, kind: .unsupported)
    }
    guard method == 0 || method == 8 else {
      throw reader.error(
        "the entry '\(name)' is packed by method \(method); stored and deflated ones are read",
        at: place, kind: .unsupported)
    }
    let isPlausible =
      isDeflated ? size / Gzip.greatestRatio <= packedSize : size == packedSize
    guard isPlausible else {
      throw reader.error(
        "the entry '\(name)' cannot be \(size) bytes packed into \(packedSize)", at: place)
    }
  }

  /// The 64-bit extension holds, in this order, those numbers that are all ones in the record.
  private mutating func readWide(_ extra: ByteReader) throws(DataError) {
    var extra = extra
    while extra.remaining >= 4 {
      let tag = try extra.integer(UInt16.self, .little, "an extra field")
      let length = Int(try extra.integer(UInt16.self, .little, "an extra field"))
      let range = try extra.take(length, "an extra field")
      guard tag == 1 else { continue }
      var wide = try ByteReader(extra.bytes, range)
      if size == 0xffff_ffff { size = try Self.size(&wide, "an entry's size") }
      if packedSize == 0xffff_ffff { packedSize = try Self.size(&wide, "an entry's packed size") }
      if headerOffset == 0xffff_ffff { headerOffset = try Self.size(&wide, "an entry's place") }
    }
  }

  /// A 64-bit number that must fit an `Int`.
  static func size(_ reader: inout ByteReader, _ what: String) throws(DataError) -> Int {
    let place = reader.offset
    let value = try reader.integer(UInt64.self, .little, what)
    guard let size = Int(exactly: value) else {
      throw reader.error("\(what), \(value), is absurd", at: place)
    }
    return size
  }

  /// Where the contents lie, after the entry's own header, which must bear the same name.
  func contents(in file: FileBytes, before limit: Int) throws(DataError) -> Range<Int> {
    guard headerOffset <= limit else {
      throw DataError(
        .invalid, file: file.name, at: .byte(headerOffset),
        reason: "the entry '\(name)' should lie there, but the contents end at byte \(limit)")
    }
    var reader = try ByteReader(file, headerOffset..<limit)
    guard try reader.integer(UInt32.self, .little, "the header of '\(name)'") == 0x0403_4b50 else {
      throw reader.error("there is no entry '\(name)' where the directory says", at: headerOffset)
    }
    _ = try reader.take(22, "the header of '\(name)'")
    let nameLength = Int(try reader.integer(UInt16.self, .little, "the header of '\(name)'"))
    let extraLength = Int(try reader.integer(UInt16.self, .little, "the header of '\(name)'"))
    let ownName = try reader.array(nameLength, "the header of '\(name)'")
    guard ownName == Array(name.utf8) else {
      throw reader.error(
        "the directory names this entry '\(name)', its header another", at: headerOffset)
    }
    _ = try reader.take(extraLength, "the header of '\(name)'")
    return try reader.take(packedSize, "the entry '\(name)'")
  }
}
