/// Writes a ZIP archive entry by entry. The 64-bit extension is used where an entry or a place
/// needs it.
package struct ZipWriter {
  private struct Record {
    let name: [UInt8]
    let isDeflated: Bool
    let checksum: UInt32
    let packedSize: Int
    let size: Int
    let place: Int
  }

  private let sink: ByteSink
  /// Uses the 64-bit extension for everything, for testing readers without 4 GB of data.
  private let isAlwaysWide: Bool
  private var records: [Record] = []

  package init(_ sink: ByteSink, isAlwaysWide: Bool = false) {
    (self.sink, self.isAlwaysWide) = (sink, isAlwaysWide)
  }

  /// Adds an entry.
  /// - Parameter alignment: its contents begin at a multiple of this, so that they can be used where they lie in a mapping.
  package mutating func add(
    _ name: String, _ contents: [UInt8], isDeflated: Bool = false, alignment: Int = 1
  ) throws(DataError) {
    let packed =
      isDeflated ? contents.withUnsafeBytes { Gzip.deflate($0, wrapping: .raw) } : contents
    let record = Record(
      name: Array(name.utf8.prefix(65_535)), isDeflated: isDeflated,
      checksum: contents.withUnsafeBytes { Gzip.crc32($0) }, packedSize: packed.count,
      size: contents.count, place: sink.count)
    records.append(record)
    let isWide = isWide(record)
    var header = Fields()
    header.add(UInt32(0x0403_4b50))
    addCommon(record, isWide, to: &header)
    let gap = gap(before: sink.count + 30 + record.name.count + (isWide ? 20 : 0), alignment)
    header.add(UInt16((isWide ? 20 : 0) + gap))
    header.bytes += record.name
    if isWide {
      header.add(UInt16(1), UInt16(16))
      header.add(UInt64(record.size), UInt64(record.packedSize))
    }
    if gap > 0 {
      // An extra field that means nothing, by PyTorch's mark.
      header.add(UInt16(0x4246), UInt16(gap - 4))
      header.bytes += [UInt8](repeating: 0x5a, count: gap - 4)
    }
    try sink.write(header.bytes)
    try sink.write(packed)
  }

  /// Writes the directory. Nothing may be added after it.
  package func finish() throws(DataError) {
    let start = sink.count
    for record in records { try sink.write(line(record)) }
    let size = sink.count - start
    let isWide =
      isAlwaysWide || records.count >= 0xffff || start >= 0xffff_ffff || size >= 0xffff_ffff
    if isWide { try sink.write(wideEnd(start: start, size: size)) }
    let count = UInt16(isWide ? 0xffff : records.count)
    var end = Fields()
    end.add(UInt32(0x0605_4b50))
    end.add(UInt16(0), UInt16(0), count, count)
    end.add(UInt32(isWide ? 0xffff_ffff : size), UInt32(isWide ? 0xffff_ffff : start))
    end.add(UInt16(0))
    try sink.write(end.bytes)
  }

  /// Bytes of an extra field, whose own head takes four, that bring `place` to a multiple of `alignment`.
  private func gap(before place: Int, _ alignment: Int) -> Int {
    place % alignment == 0 ? 0 : 4 + (alignment - (place + 4) % alignment) % alignment
  }

  private func isWide(_ record: Record) -> Bool {
    isAlwaysWide || max(record.size, record.packedSize, record.place) >= 0xffff_ffff
  }

  /// The fields that an entry's header and its line in the directory have in common.
  private func addCommon(_ record: Record, _ isWide: Bool, to fields: inout Fields) {
    // Version 2.0 (4.5 with the extension), UTF-8 name, method, and 1 January 1980: the same
    // contents give the same archive.
    fields.add(UInt16(isWide ? 45 : 20), UInt16(0x0800), UInt16(record.isDeflated ? 8 : 0))
    fields.add(UInt16(0), UInt16(0x0021))
    fields.add(record.checksum)
    fields.add(UInt32(isWide ? 0xffff_ffff : record.packedSize))
    fields.add(UInt32(isWide ? 0xffff_ffff : record.size))
    fields.add(UInt16(record.name.count))
  }

  private func line(_ record: Record) -> [UInt8] {
    let isWide = isWide(record)
    var line = Fields()
    line.add(UInt32(0x0201_4b50))
    line.add(UInt16(isWide ? 45 : 20))
    addCommon(record, isWide, to: &line)
    line.add(UInt16(isWide ? 28 : 0), UInt16(0), UInt16(0), UInt16(0))
    line.add(UInt32(0), UInt32(isWide ? 0xffff_ffff : record.place))
    line.bytes += record.name
    if isWide {
      line.add(UInt16(1), UInt16(24))
      line.add(UInt64(record.size), UInt64(record.packedSize), UInt64(record.place))
    }
    return line.bytes
  }

  private func wideEnd(start: Int, size: Int) -> [UInt8] {
    let count = UInt64(records.count)
    var end = Fields()
    end.add(UInt32(0x0606_4b50))
    end.add(UInt64(44))
    end.add(UInt16(45), UInt16(45))
    end.add(UInt32(0), UInt32(0))
    end.add(count, count, UInt64(size), UInt64(start))
    end.add(UInt32(0x0706_4b50), UInt32(0))
    end.add(UInt64(start + size))
    end.add(UInt32(1))
    return end.bytes
  }

  private struct Fields {
    var bytes: [UInt8] = []

    mutating func add<Number: FixedWidthInteger>(_ numbers: Number...) {
      for number in numbers { withUnsafeBytes(of: number.littleEndian) { bytes += $0 } }
    }
  }
}
