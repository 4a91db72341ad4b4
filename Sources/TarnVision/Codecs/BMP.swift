import TarnData

/// Windows bitmaps: 1, 4, 8, 16, 24 and 32 bits a pixel, plain, with bit fields, or in runs (RLE4, RLE8).
/// Opacity is passed over.
enum BMP {
  static func read(
    _ file: FileBytes, _ reading: ImageReading,
    choosing choose: ((width: Int, height: Int)) -> PixelRectangle?
  ) throws -> ImagePart {
    let header = try BMPHeader(file)
    // A run of 255 pixels takes two bytes.
    let perByte = header.isInRuns ? 128 : 8
    try checkSize(header.width, header.height, most: file.count * perByte, file, reading)
    guard choose((header.width, header.height)) != nil else { return .nothing }
    if header.isInRuns { return ImagePart(try BMPRuns.read(file, header)) }
    return ImagePart(try plain(file, header))
  }

  private static func plain(_ file: FileBytes, _ header: BMPHeader) throws -> Image {
    let (width, height) = (header.width, header.height)
    let stride = (width * header.bits + 31) / 32 * 4
    var reader = ByteReader(file)
    try reader.seek(to: header.pixels, "the pixels")
    // The last row's padding is often left out.
    let needed = stride * (height - 1) + (width * header.bits + 7) / 8
    let range = try reader.take(needed, "the pixels")
    let channels = header.isGrey ? 1 : 3
    return Image.filling(width: width, height: height, channels: channels) { room in
      file.withBytes(range) { bytes in
        for y in 0..<height {
          let row = header.isTopDown ? y : height - 1 - y
          for x in 0..<width {
            let colour = header.colour(bytes, row: row * stride, x)
            let place = (y * width + x) * channels
            room[place] = colour.0
            if channels == 3 { (room[place + 1], room[place + 2]) = (colour.1, colour.2) }
          }
        }
      }
    }
  }

  /// 24 bits a pixel, or 8 with a grey palette.
  static func encode(_ image: Image, name: String) throws(DataError) -> [UInt8] {
    let stride = (image.width * image.channels + 3) / 4 * 4
    let palette = image.isGrey ? 1024 : 0
    let start = 54 + palette
    guard let pixels = checkedProduct(stride, image.height), start + pixels <= Int(UInt32.max)
    else {
      throw DataError(
        .unwritable, file: name, reason: "BMP holds 4 GB at most", hint: "write it as PNG")
    }
    var bytes: [UInt8] = Array("BM".utf8)
    bytes.reserveCapacity(start + pixels)
    func add(_ value: Int, _ count: Int) {
      for i in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * i))) }
    }
    for (value, count) in [
      (start + pixels, 4), (0, 4), (start, 4), (40, 4), (image.width, 4), (image.height, 4), (1, 2),
      (8 * image.channels, 2), (0, 4), (pixels, 4), (2835, 4), (2835, 4),
      (image.isGrey ? 256 : 0, 4),
      (0, 4),
    ] { add(value, count) }
    if image.isGrey { for i in 0..<256 { add(i << 16 | i << 8 | i, 4) } }
    for y in (0..<image.height).reversed() {
      let row = image.bytes[(y * image.width * image.channels)...].prefix(
        image.width * image.channels)
      if image.isGrey {
        bytes += row
      } else {
        for place in Swift.stride(from: row.startIndex, to: row.endIndex, by: 3) {
          bytes += [row[place + 2], row[place + 1], row[place]]
        }
      }
      add(0, stride - row.count)
    }
    return bytes
  }
}

/// What a bitmap file says before its pixels.
struct BMPHeader {
  let width: Int
  let height: Int
  let bits: Int
  let isTopDown: Bool
  /// 4 or 8 for runs of such pixels.
  let isInRuns: Bool
  /// Where the pixels begin.
  let pixels: Int
  /// Red, green and blue of each number.
  let palette: [(UInt8, UInt8, UInt8)]
  /// Which bits of a pixel are red, green and blue.
  let masks: [UInt32]

  init(_ file: FileBytes) throws(DataError) {
    var reader = ByteReader(file)
    _ = try reader.take(10, "the file's header")
    let start = Int(try reader.integer(UInt32.self, .little, "the place of the pixels"))
    let length = Int(try reader.integer(UInt32.self, .little, "the length of the header"))
    guard length == 12 || (40...1024).contains(length) else {
      throw reader.error("the header has \(length) bytes, which no BMP file has", at: 14)
    }
    let isOld = length == 12
    let (width, rawHeight) = try Self.size(&reader, isOld)
    _ = try reader.take(2, "the planes")
    bits = Int(try reader.integer(UInt16.self, .little, "the bits of a pixel"))
    guard [1, 4, 8, 16, 24, 32].contains(bits) else {
      throw reader.error("has \(bits) bits a pixel", at: 28, kind: .unsupported)
    }
    let compression =
      isOld ? 0 : Int(try reader.integer(UInt32.self, .little, "the compression"))
    isInRuns = (compression == 1 && bits == 8) || (compression == 2 && bits == 4)
    let hasFields = (compression == 3 || compression == 6) && (bits == 16 || bits == 32)
    guard compression == 0 || isInRuns || hasFields else {
      throw reader.error(
        "is compressed in the way \(compression) at \(bits) bits, which is not read", at: 30,
        kind: .unsupported)
    }
    (self.width, height, isTopDown, pixels) = (width, abs(rawHeight), rawHeight < 0, start)
    masks = try Self.masks(&reader, bits, hasFields, length)
    palette = try Self.palette(&reader, bits, isOld, length, before: start)
  }

  private static func size(
    _ reader: inout ByteReader, _ isOld: Bool
  ) throws(DataError) -> (Int, Int) {
    if isOld {
      let width = Int(try reader.integer(UInt16.self, .little, "the width"))
      return (width, Int(try reader.integer(UInt16.self, .little, "the height")))
    }
    let width = Int(try reader.integer(Int32.self, .little, "the width"))
    return (width, Int(try reader.integer(Int32.self, .little, "the height")))
  }

  private static func masks(
    _ reader: inout ByteReader, _ bits: Int, _ hasFields: Bool, _ length: Int
  ) throws(DataError) -> [UInt32] {
    guard hasFields else { return bits == 16 ? [0x7c00, 0x3e0, 0x1f] : [0xff0000, 0xff00, 0xff] }
    // They follow the first forty bytes, as a part of longer headers.
    try reader.seek(to: 14 + 40, "the bit fields")
    var masks: [UInt32] = []
    for name in ["red", "green", "blue"] {
      masks.append(try reader.integer(UInt32.self, .little, "the bits of \(name)"))
    }
    for mask in masks
    where mask == 0
      || (mask >> mask.trailingZeroBitCount).nonzeroBitCount
        != 32 - (mask >> mask.trailingZeroBitCount).leadingZeroBitCount
    {
      throw reader.error("the bits of a colour are not beside one another", at: 54)
    }
    return masks
  }

  private static func palette(
    _ reader: inout ByteReader, _ bits: Int, _ isOld: Bool, _ length: Int, before start: Int
  ) throws(DataError) -> [(UInt8, UInt8, UInt8)] {
    guard bits <= 8 else { return [] }
    let entry = isOld ? 3 : 4
    try reader.seek(to: 14 + length, "the palette")
    let room = max(0, min(start, reader.end) - reader.offset) / entry
    var palette: [(UInt8, UInt8, UInt8)] = []
    for _ in 0..<min(room, 1 << bits) {
      let colour = try reader.array(entry, "the palette")
      palette.append((colour[2], colour[1], colour[0]))
    }
    // Numbers without a colour are black.
    while palette.count < 1 << bits { palette.append((0, 0, 0)) }
    return palette
  }

  /// Whether every colour there can be is a grey.
  var isGrey: Bool { bits <= 8 && palette.allSatisfy { $0.0 == $0.1 && $0.1 == $0.2 } }

  /// The colour of pixel `x` in the row that begins at byte `row`.
  func colour(
    _ bytes: UnsafeRawBufferPointer, row: Int, _ x: Int
  ) -> (UInt8, UInt8, UInt8) {
    switch bits {
    case 1: return palette[Int(bytes[row + x / 8] >> UInt8(7 - x % 8)) & 1]
    case 4: return palette[Int(bytes[row + x / 2] >> UInt8(4 - 4 * (x % 2))) & 15]
    case 8: return palette[Int(bytes[row + x])]
    case 24:
      let place = row + 3 * x
      return (bytes[place + 2], bytes[place + 1], bytes[place])
    case 16:
      let place = row + 2 * x
      return colour(of: UInt32(bytes[place]) | UInt32(bytes[place + 1]) << 8)
    default:
      let value = bytes.loadUnaligned(fromByteOffset: row + 4 * x, as: UInt32.self)
      return colour(of: UInt32(littleEndian: value))
    }
  }

  private func colour(of pixel: UInt32) -> (UInt8, UInt8, UInt8) {
    func part(_ mask: UInt32) -> UInt8 {
      let shift = UInt32(mask.trailingZeroBitCount)
      return UInt8(UInt64((pixel & mask) >> shift) * 255 / UInt64(mask >> shift))
    }
    return (part(masks[0]), part(masks[1]), part(masks[2]))
  }
}

/// Pixels stored as runs.
enum BMPRuns {
  static func read(_ file: FileBytes, _ header: BMPHeader) throws(DataError) -> Image {
    var reader = ByteReader(file)
    try reader.seek(to: header.pixels, "the pixels")
    var numbers = [UInt8](repeating: 0, count: header.width * header.height)
    try fill(&numbers, &reader, header)
    let channels = header.isGrey ? 1 : 3
    return Image.filling(width: header.width, height: header.height, channels: channels) { room in
      for y in 0..<header.height {
        let row = header.isTopDown ? y : header.height - 1 - y
        for x in 0..<header.width {
          let colour = header.palette[Int(numbers[row * header.width + x]) & (1 << header.bits - 1)]
          let place = (y * header.width + x) * channels
          room[place] = colour.0
          if channels == 3 { (room[place + 1], room[place + 2]) = (colour.1, colour.2) }
        }
      }
    }
  }

  private static func fill(
    _ numbers: inout [UInt8], _ reader: inout ByteReader, _ header: BMPHeader
  ) throws(DataError) {
    var (x, y) = (0, 0)
    func put(_ number: UInt8) {
      if x < header.width && y < header.height { numbers[y * header.width + x] = number }
      x += 1
    }
    while y < header.height {
      let count = Int(try reader.integer(UInt8.self, .little, "the runs"))
      let value = try reader.integer(UInt8.self, .little, "the runs")
      if count > 0 {
        for i in 0..<count { put(number(value, i, header.bits)) }
        continue
      }
      switch value {
      case 0: (x, y) = (0, y + 1)
      case 1: return
      case 2:
        x += Int(try reader.integer(UInt8.self, .little, "the runs"))
        y += Int(try reader.integer(UInt8.self, .little, "the runs"))
      default:
        let length = (Int(value) * header.bits + 7) / 8
        let plain = try reader.array(length, "the runs")
        if length % 2 == 1 { _ = try reader.take(1, "the runs") }
        for i in 0..<Int(value) { put(number(plain[i * header.bits / 8], i, header.bits)) }
      }
    }
  }

  /// Pixel `i` of bytes that hold one or, at four bits, two in turn.
  private static func number(_ byte: UInt8, _ i: Int, _ bits: Int) -> UInt8 {
    bits == 8 ? byte : i % 2 == 0 ? byte >> 4 : byte & 15
  }
}
