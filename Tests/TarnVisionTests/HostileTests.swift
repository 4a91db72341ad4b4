import Foundation
import Tarn
import TarnData
import Testing

/// Damaged files, in numbers: `TARN_FUZZ=10000` for that many of each format. The corpus is the files of
/// Tests/Goldens/images.npz.
@Suite struct HostileTests {
  static let rounds = ProcessInfo.processInfo.environment["TARN_FUZZ"].flatMap(Int.init) ?? 300

  @Test(arguments: ["jpeg", "png", "bmp", "p", "exif"])
  func damagedFilesAreReadOrRefused(format: String) throws {
    let goldens = try Goldens.shared.get()
    let cases = goldens.cases(format == "exif" ? "exif_" : "file_\(format)")
      .filter { format != "p" || !$0.contains("png") }
    let corpus = try cases.map { try goldens.bytes("\($0)/file") }
    try #require(corpus.count >= 5)
    var generator = SeededGenerator(seed: 12)
    var (refused, read) = (0, 0)
    for round in 0..<Self.rounds {
      var bytes = corpus[generator.integer(below: corpus.count)]
      mutate(&bytes, corpus, &generator)
      if format == "png" && round % 4 != 0 { repairChecksums(&bytes) }
      let reading = ImageReading(
        channels: [.asStored, .colour, .grey][round % 3],
        opacity: round % 5 == 0 ? .over(red: 9, green: 8, blue: 7) : .dropped,
        allowsDamage: round % 2 == 0, reduction: [1, 1, 2, 8][round % 4])
      do {
        let image = try Image(encoded: bytes, name: "damaged", reading)
        read += 1
        // No format packs more than this into a byte, with a little to begin with.
        #expect(image.bytes.count <= 3 * 8300 * (bytes.count + 1024))
      } catch is DataError { refused += 1 }
    }
    #expect(
      refused > Self.rounds / 20 && read > Self.rounds / 50, "\(refused) refused, \(read) read")
  }

  @Test func everyBeginningOfAFileIsRefused() throws {
    let goldens = try Goldens.shared.get()
    for name in [
      "file_jpeg_420", "file_jpeg_420_progressive", "file_jpeg_grey", "file_png_rgb",
      "file_png_interlaced8_2", "file_png_palette4", "file_bmp_24", "file_bmp_16_565",
      "file_bmp_rle8", "file_ppm", "file_pbm", "exif_6",
    ] {
      let whole = try goldens.bytes("\(name)/file")
      for count in whole.indices.dropLast(2) {
        #expect(throws: DataError.self, "\(name), \(count) of \(whole.count) bytes") {
          _ = try Image(encoded: whole[..<count], name: "cut")
        }
      }
    }
  }

  @Test func filesThatPromiseTooMuchAreRefused() throws {
    let goldens = try Goldens.shared.get()
    var png = try goldens.bytes("file_png_rgb/file")
    for (place, value) in [(18, 0x27), (19, 0x10), (22, 0x27), (23, 0x10)] {
      png[place] = UInt8(value)
    }
    repairChecksums(&png)
    expectDataError(.invalid, "10000×10000", "cannot be packed") { _ = try Image(encoded: png) }
    var jpeg = try goldens.bytes("file_jpeg_420/file")
    let frame = try #require(jpeg.indices.first { jpeg[$0] == 0xff && jpeg[$0 + 1] == 0xc0 })
    for offset in [5, 7] { (jpeg[frame + offset], jpeg[frame + offset + 1]) = (0x20, 0) }
    expectDataError(.invalid, "8192×8192") { _ = try Image(encoded: jpeg) }
    let map = Array("P6 1000000 1000000 255\n".utf8)
    expectDataError(.unsupported, "1000000×1000000") { _ = try Image(encoded: map) }
    expectDataError(.invalid, "30000×2000") {
      _ = try Image(encoded: Array("P5 30000 2000 255\n".utf8))
    }
  }

  @Test func manyScansAreRefused() throws {
    let goldens = try Goldens.shared.get()
    let file = try goldens.bytes("file_jpeg_444_progressive/file")
    // The last scan repeated: each would be another pass over the picture.
    let scans = file.indices.dropLast().filter { file[$0] == 0xff && file[$0 + 1] == 0xda }
    let last = try #require(scans.last)
    let scan = file[last..<(file.count - 2)]
    let bomb = Array(file[..<last]) + (0..<200).flatMap { _ in scan } + [0xff, 0xd9]
    expectDataError(.invalid) { _ = try Image(encoded: bomb) }
    expectDataError(.invalid, "scans") {
      _ = try Image(encoded: bomb, ImageReading(allowsDamage: true))
    }
  }

  /// One to four changes of the kinds that break readers.
  private func mutate(
    _ bytes: inout [UInt8], _ corpus: [[UInt8]], _ generator: inout SeededGenerator
  ) {
    for _ in 0...generator.integer(below: 4) where bytes.count > 4 {
      let place = generator.integer(below: bytes.count)
      switch generator.integer(below: 8) {
      case 0: bytes[place] ^= 1 << UInt8(generator.integer(below: 8))
      case 1: bytes[place] = [0, 1, 0x7f, 0x80, 0xff][generator.integer(below: 5)]
      case 2: bytes[place] = UInt8(generator.integer(below: 256))
      case 3:
        for i in place..<min(place + 4, bytes.count) { bytes[i] = generator.chance(0.5) ? 0xff : 0 }
      case 4:
        bytes.removeSubrange(place..<min(place + 1 + generator.integer(below: 9), bytes.count))
      case 5: bytes.insert(contentsOf: bytes[place..<min(place + 12, bytes.count)], at: place)
      case 6: bytes.removeSubrange(place...)
      default:
        let other = corpus[generator.integer(below: corpus.count)]
        let from = generator.integer(below: other.count)
        for i in 0..<min(16, other.count - from, bytes.count - place) {
          bytes[place + i] = other[from + i]
        }
      }
    }
  }

  /// Makes the checksums of PNG chunks right again, so that damage gets past them.
  private func repairChecksums(_ bytes: inout [UInt8]) {
    var place = 8
    while place + 12 <= bytes.count {
      let length = bytes[place..<(place + 4)].reduce(0) { $0 << 8 | Int($1) }
      guard length <= bytes.count - place - 12 else { return }
      let end = place + 8 + length
      let sum = checksum(bytes[(place + 4)..<end])
      for i in 0..<4 { bytes[end + i] = UInt8(truncatingIfNeeded: sum >> UInt32(24 - 8 * i)) }
      place = end + 4
    }
  }

  /// CRC-32.
  private func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    ~bytes.reduce(UInt32.max) { sum, byte in
      (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in value >> 1 ^ (value & 1) * 0xedb8_8320 }
    }
  }
}
