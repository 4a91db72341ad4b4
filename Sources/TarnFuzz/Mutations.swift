import CTarnFuzz
import Foundation
import Tarn
import TarnData

/// Damage that leaves a format's checksums right, so that it is not found at once.
extension Reader.Mutation {
  /// Another file of at most `room` bytes; nil: libFuzzer's own will do.
  func changed(_ bytes: [UInt8], room: Int, seed: UInt64) -> [UInt8]? {
    var random = SeededGenerator(seed: seed)
    let result: [UInt8]? =
      switch self {
      case .none: nil
      case .archive: Self.archive(bytes, &random)
      case .header: Self.header(bytes, &random)
      case .gzip: Self.gzip(bytes)
      case .png: Self.png(bytes)
      case .graph: GraphMutation.changed(bytes, &random)
      case .json: TextMutation.changed(bytes, &random)
      }
    return result.flatMap { $0.count <= room && !$0.isEmpty ? $0 : nil }
  }

  /// As libFuzzer changes bytes, with a little more room.
  static func mutated(_ bytes: [UInt8], more: Int = 64) -> [UInt8] {
    var room = bytes + [UInt8](repeating: 0, count: more)
    let count = tarn_fuzz_mutated(&room, bytes.count, room.count)
    return Array(room.prefix(count))
  }

  private static func gzip(_ bytes: [UInt8]) -> [UInt8]? {
    let file = FileBytes(bytes, name: "gzip")
    guard file.starts(with: Gzip.magic),
      let plain = try? Gzip.inflate(file, limit: 1 << 16)
    else { return nil }
    return mutated(plain).withUnsafeBytes { Gzip.deflate($0, level: 1) }
  }

  /// Where the length of a header stands, and how wide it is; nil: there is none.
  private static func lengthField(_ bytes: [UInt8]) -> Range<Int>? {
    let isArray = bytes.starts(with: NPY.magic)
    let field = isArray ? 8..<(bytes.count > 6 && bytes[6] > 1 ? 12 : 10) : 0..<8
    return bytes.count >= field.upperBound ? field : nil
  }

  private static func header(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8]? {
    guard let field = lengthField(bytes) else { return nil }
    let length = bytes[field].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length >= 0, length <= bytes.count - field.upperBound else { return nil }
    let end = field.upperBound + length
    guard let text = TextMutation.changed(Array(bytes[field.upperBound..<end]), &random) else {
      return nil
    }
    let width = (0..<field.count).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
    return Array(bytes[..<field.lowerBound]) + width + text + Array(bytes[end...])
  }

  private static func archive(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8]? {
    guard let archive = try? ZipArchive(FileBytes(bytes, name: "zip")), !archive.entries.isEmpty
    else { return nil }
    var entries: [(name: String, contents: [UInt8])] = []
    for entry in archive.entries {
      guard let contents = try? archive.contents(of: entry, allowsNoChecksum: true),
        contents.count <= 1 << 17
      else { return nil }
      entries.append((entry.name, contents.withBytes { Array($0) }))
    }
    let place = random.integer(below: entries.count)
    let isText = entries[place].name.hasSuffix(".json")
    let changed = isText ? TextMutation.changed(entries[place].contents, &random) : nil
    entries[place].contents = changed ?? mutated(entries[place].contents)
    return stored(entries)
  }

  /// A zip archive of stored entries.
  private static func stored(_ entries: [(name: String, contents: [UInt8])]) -> [UInt8] {
    var (archive, directory): ([UInt8], [UInt8]) = ([], [])
    func add<T: FixedWidthInteger>(_ value: T, to bytes: inout [UInt8]) {
      withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
    }
    for (name, contents) in entries {
      let start = UInt32(archive.count)
      var common: [UInt8] = [20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0]
      add(contents.withUnsafeBytes { Gzip.crc32($0) }, to: &common)
      for _ in 0..<2 { add(UInt32(contents.count), to: &common) }
      add(UInt32(name.utf8.count), to: &common)
      archive += [0x50, 0x4b, 3, 4] + common + Array(name.utf8) + contents
      directory += [0x50, 0x4b, 1, 2, 20, 0] + common + [UInt8](repeating: 0, count: 10)
      add(start, to: &directory)
      directory += Array(name.utf8)
    }
    let place = UInt32(archive.count)
    archive += directory + [0x50, 0x4b, 5, 6, 0, 0, 0, 0]
    for _ in 0..<2 { add(UInt16(entries.count), to: &archive) }
    add(UInt32(directory.count), to: &archive)
    add(place, to: &archive)
    return archive + [0, 0]
  }

  /// Damages a PNG and makes the checksums of its chunks right again.
  private static func png(_ bytes: [UInt8]) -> [UInt8]? {
    var bytes = mutated(bytes)
    var place = 8
    while place + 12 <= bytes.count {
      let length = bytes[place..<(place + 4)].reduce(0) { $0 << 8 | Int($1) }
      guard length <= bytes.count - place - 12 else { break }
      let end = place + 8 + length
      let sum = bytes[(place + 4)..<end].withUnsafeBytes { Gzip.crc32($0) }
      for i in 0..<4 { bytes[end + i] = UInt8(truncatingIfNeeded: sum >> UInt32(24 - 8 * i)) }
      place = end + 4
    }
    return bytes
  }
}

/// Other numbers and words in a text of JSON.
enum TextMutation {
  private static let numbers = [
    "0", "1", "-1", "0.5", "1e999", "100000", "16777216", "4294967296", "9223372036854775807",
    "-9223372036854775808", "null", "[]", "[2]", "true", "\"1\"", "{}",
  ]

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), UInt8(ascii: "."):
      true
    default: false
    }
  }

  /// Where words and numbers stand.
  private static func words(_ bytes: [UInt8]) -> [Range<Int>] {
    var words: [Range<Int>] = []
    var start: Int?
    for (place, byte) in bytes.enumerated() {
      if isWord(byte) {
        start = start ?? place
      } else if let first = start {
        words.append(first..<place)
        start = nil
      }
    }
    return words
  }

  /// One or two words are changed for others.
  static func changed(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8]? {
    var bytes = bytes
    for _ in 0...random.integer(below: 2) {
      let words = words(bytes)
      guard !words.isEmpty else { return nil }
      let old = words[random.integer(below: words.count)]
      let isNumber = bytes[old.lowerBound] <= UInt8(ascii: "9")
      let new =
        isNumber && random.chance(0.7)
        ? Array(numbers[random.integer(below: numbers.count)].utf8)
        : Array(bytes[words[random.integer(below: words.count)]])
      bytes.replaceSubrange(old, with: new)
    }
    return bytes
  }
}
