import Foundation
import Tarn
import TarnData

/// Damages files, the same way for the same seed: bits, bytes, numbers at their limits, pieces cut out, repeated or moved,
/// ends cut off. In archives it can damage the entries, whose checksums then fit.
struct FileMutator {
  private let corpus: [[UInt8]]
  private let archives: [[Entry]]
  private let keepsText: Bool
  private var generator: SeededGenerator

  private struct Entry {
    var name: String
    var contents: [UInt8]
  }

  init(_ corpus: [[UInt8]], seed: UInt64, keepsText: Bool = false) {
    (self.corpus, archives, self.keepsText) = (corpus, [], keepsText)
    generator = SeededGenerator(seed: seed)
  }

  /// Damages entries of zip archives.
  static func entries(_ archives: [[UInt8]], seed: UInt64) throws -> FileMutator {
    let opened = try archives.map { bytes in
      let archive = try ZipArchive(FileBytes(bytes, name: "corpus"))
      return try archive.entries.map { entry in
        Entry(
          name: entry.name,
          contents: try archive.contents(of: entry, allowsNoChecksum: true)
            .withBytes { Array($0) })
      }
    }
    return FileMutator(opened, seed: seed)
  }

  private init(_ archives: [[Entry]], seed: UInt64) {
    (corpus, self.archives, keepsText) = ([], archives, false)
    generator = SeededGenerator(seed: seed)
  }

  /// The next damaged file.
  mutating func next() -> [UInt8] {
    if archives.isEmpty { return damaged(corpus[pick(corpus.count)]) }
    var entries = archives[pick(archives.count)]
    let place = pick(entries.count)
    entries[place].contents = damaged(entries[place].contents)
    return Self.archive(entries)
  }

  private mutating func pick(_ count: Int) -> Int { generator.integer(below: max(count, 1)) }

  private mutating func damaged(_ whole: [UInt8]) -> [UInt8] {
    var bytes = whole
    for _ in 0..<(1 + pick(4)) where !bytes.isEmpty {
      if keepsText { damageText(&bytes) } else { damage(&bytes) }
    }
    return bytes
  }

  private mutating func damage(_ bytes: inout [UInt8]) {
    let place = pick(bytes.count)
    let length = min(1 + pick(pick(2) == 0 ? 8 : 200), bytes.count - place)
    switch pick(9) {
    case 0: bytes[place] ^= 1 << UInt8(pick(8))
    case 1: bytes[place] = UInt8(pick(256))
    case 2: write(&bytes, place)
    case 3: bytes.removeSubrange(place..<(place + length))
    case 4: bytes.insert(contentsOf: bytes[place..<(place + length)], at: pick(bytes.count))
    case 5:
      let piece = Array(bytes[place..<(place + length)])
      let target = pick(bytes.count - length + 1)
      bytes.replaceSubrange(target..<(target + length), with: piece)
    case 6: for i in place..<(place + length) { bytes[i] = UInt8(pick(256)) }
    case 7: bytes.insert(contentsOf: (0..<length).map { _ in UInt8(0) }, at: place)
    default: if pick(4) == 0 { bytes.removeSubrange(place...) }
    }
  }

  /// A number at the limits of its width.
  private mutating func write(_ bytes: inout [UInt8], _ place: Int) {
    let values: [UInt64] = [
      0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 1 << 40, .max >> 1, .max,
    ]
    let value = values[pick(values.count)]
    let width = [1, 2, 4, 8][pick(4)]
    for i in 0..<min(width, bytes.count - place) {
      bytes[place + i] = UInt8(truncatingIfNeeded: value >> UInt64(8 * i))
    }
  }

  /// Digits, words and brackets for others, so that the text stays readable.
  private mutating func damageText(_ bytes: inout [UInt8]) {
    let place = pick(bytes.count)
    let digits = bytes.indices.filter { bytes[$0] >= 48 && bytes[$0] <= 57 }
    switch pick(6) {
    case 0, 1, 2:
      guard !digits.isEmpty else { return }
      let texts = ["0", "1", "9", "-1", "100000", "16777216", "9223372036854775807", "null", "[2]"]
      let digit = digits[pick(digits.count)]
      bytes.replaceSubrange(digit...digit, with: Array(texts[pick(texts.count)].utf8))
    case 3:
      let words = [
        ("true", "false"), ("false", "true"), ("null", "3"), ("same", "valid"), ("Dense", "Conv2D"),
        ("Conv2D", "Dense"), ("channels_last", "channels_first"), ("LSTM", "GRU"),
        ("Add", "Flatten"),
        ("Flatten", "Reshape"), ("relu", "softmax"), ("float32", "int64"),
      ]
      let (old, new) = words[pick(words.count)]
      let text = String(decoding: bytes, as: UTF8.self)
      let parts = text.components(separatedBy: old)
      guard parts.count > 1 else { return }
      let cut = 1 + pick(parts.count - 1)
      bytes = Array(
        (parts[..<cut].joined(separator: old) + new + parts[cut...].joined(separator: old)).utf8)
    case 4:
      let length = min(1 + pick(60), bytes.count - place)
      bytes.removeSubrange(place..<(place + length))
    default: bytes[place] = UInt8(32 + pick(95))
    }
  }

  /// An archive of stored entries.
  private static func archive(_ entries: [Entry]) -> [UInt8] {
    var (archive, directory): ([UInt8], [UInt8]) = ([], [])
    func add<T: FixedWidthInteger>(_ value: T, to bytes: inout [UInt8]) {
      withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
    }
    for entry in entries {
      let start = UInt32(archive.count)
      var common: [UInt8] = []
      for value: UInt16 in [20, 0, 0, 0, 0x21] { add(value, to: &common) }
      add(entry.contents.withUnsafeBytes { Gzip.crc32($0) }, to: &common)
      for _ in 0..<2 { add(UInt32(entry.contents.count), to: &common) }
      add(UInt16(entry.name.utf8.count), to: &common)
      add(UInt16(0), to: &common)
      archive += [0x50, 0x4b, 3, 4] + common + Array(entry.name.utf8) + entry.contents
      directory += [0x50, 0x4b, 1, 2, 20, 0] + common + [UInt8](repeating: 0, count: 10)
      add(start, to: &directory)
      directory += Array(entry.name.utf8)
    }
    let place = archive.count
    archive += directory + [0x50, 0x4b, 5, 6, 0, 0, 0, 0]
    for _ in 0..<2 { add(UInt16(entries.count), to: &archive) }
    add(UInt32(directory.count), to: &archive)
    add(UInt32(place), to: &archive)
    return archive + [0, 0]
  }
}
