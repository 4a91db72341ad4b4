import TarnData

/// The orientation in a JPEG file's EXIF data.
///
/// A file without sound EXIF data is upright: damage there costs nothing but the turning.
enum Exif {
  /// 1 to 8; 1 is upright.
  static func orientation(of file: FileBytes) -> Int {
    do throws(DataError) {
      guard let segment = try segment(of: file) else { return 1 }
      return try orientation(in: ByteReader(file, segment))
    } catch { return 1 }
  }

  /// Where the TIFF structure of the APP1 segment lies.
  private static func segment(of file: FileBytes) throws(DataError) -> Range<Int>? {
    var reader = ByteReader(file)
    _ = try reader.take(2, "the start of the picture")
    while reader.remaining >= 4 {
      guard try reader.integer(UInt8.self, .big, "a marker") == 0xff else { return nil }
      var marker = try reader.integer(UInt8.self, .big, "a marker")
      while marker == 0xff { marker = try reader.integer(UInt8.self, .big, "a marker") }
      // Start of scan, end of image, and markers without a length do not come before EXIF data.
      if marker == 0xda || marker == 0xd9 || marker == 0x01 || (0xd0...0xd7).contains(marker) {
        return nil
      }
      let length = Int(try reader.integer(UInt16.self, .big, "the length of a segment"))
      guard length >= 2 else { return nil }
      let content = try reader.take(length - 2, "a segment")
      let magic: [UInt8] = Array("Exif\0\0".utf8)
      if marker == 0xe1, content.count > magic.count {
        let start = content.lowerBound + magic.count
        if file.withBytes(content.lowerBound..<start, { $0.elementsEqual(magic) }) {
          return start..<content.upperBound
        }
      }
    }
    return nil
  }

  private static func orientation(in tiff: ByteReader) throws(DataError) -> Int {
    var reader = tiff
    let start = reader.offset
    let order: ByteReader.Order =
      try reader.array(2, "the byte order") == Array("II".utf8) ? .little : .big
    guard try reader.integer(UInt16.self, order, "the TIFF mark") == 42 else { return 1 }
    let offset = Int(try reader.integer(UInt32.self, order, "the first directory"))
    guard let place = checkedSum(start, offset), place >= start else { return 1 }
    try reader.seek(to: place, "the first directory")
    for _ in 0..<Int(try reader.integer(UInt16.self, order, "the number of entries")) {
      let tag = try reader.integer(UInt16.self, order, "a tag")
      let kind = try reader.integer(UInt16.self, order, "a type")
      _ = try reader.take(4, "a count")
      let value = try reader.integer(UInt16.self, order, "a value")
      _ = try reader.take(2, "a value")
      if tag == 0x0112 { return kind == 3 && (1...8).contains(value) ? Int(value) : 1 }
    }
    return 1
  }
}
