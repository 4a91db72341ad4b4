import Foundation
import Testing

import TarnData

@Suite struct FileTests {
  @Test func missingFilesAndFolders() throws {
    let folder = try TemporaryFolder()
    expectDataError(.missing, "nothing.bin", "no such file") {
      _ = try FileBytes(mapping: folder.file("nothing.bin"))
    }
    expectDataError(.unreadable, "is a folder") { _ = try FileBytes(mapping: folder.url) }
    #expect(DataError(.missing, file: "x", reason: "gone").exitCode == 66)
    #expect(DataError(.invalid, file: "x", reason: "bad").exitCode == 65)
    #expect(DataError(.unwritable, file: "x", reason: "full").exitCode == 1)
  }

  @Test func mappedBytesAreTheFile() throws {
    let folder = try TemporaryFolder()
    let bytes = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
    try AtomicWrite.write(bytes, to: folder.file("a"))
    #expect(try FileBytes(mapping: folder.file("a")).array == bytes)
    try AtomicWrite.write([UInt8](), to: folder.file("empty"))
    #expect(try FileBytes(mapping: folder.file("empty")).count == 0)
    #expect(try FileBytes(mapping: URL(fileURLWithPath: "/dev/null")).count == 0)
  }

  @Test func theReaderNeverPassesTheEnd() throws {
    var reader = ByteReader(FileBytes([1, 2, 3, 4, 5], name: "five"))
    #expect(try reader.integer(UInt16.self, .big, "x") == 0x0102)
    #expect(try reader.integer(UInt16.self, .little, "x") == 0x0403)
    expectDataError(.invalid, "five, byte 4", "the tail", "4 bytes wanted, 1 left") {
      _ = try reader.integer(UInt32.self, .big, "the tail")
    }
    expectDataError(.invalid, "-1 bytes") { _ = try reader.take(-1, "x") }
    expectDataError(.invalid) { _ = try reader.take(.max, "x") }
    expectDataError(.invalid) { try reader.seek(to: 6, "x") }
    expectDataError(.invalid) { _ = try ByteReader(reader.bytes, 3..<6) }
  }

  @Test func productsThatDoNotFit() {
    #expect(checkedByteCount([2, 3], elementSize: 4) == 24)
    #expect(checkedByteCount([], elementSize: 4) == 4)
    #expect(checkedByteCount([0, 3], elementSize: 4) == 0)
    #expect(checkedByteCount([-1, 3], elementSize: 4) == nil)
    #expect(checkedByteCount([1 << 32, 1 << 32], elementSize: 1) == nil)
    #expect(checkedByteCount([0, 1 << 62, 1 << 62], elementSize: 1) == nil)
    #expect(checkedSum(.max, 1) == nil)
  }
}

@Suite struct AtomicWriteTests {
  private struct Stop: Error {}

  @Test func replacesAndLeavesNothingBehind() throws {
    let folder = try TemporaryFolder()
    let file = folder.file("a.txt")
    try AtomicWrite.write("old", to: file)
    try AtomicWrite.write("new, and longer", to: file)
    #expect(try String(contentsOf: file, encoding: .utf8) == "new, and longer")
    #expect(try folder.names == ["a.txt"])
  }

  @Test func aFailureKeepsTheOldFile() throws {
    let folder = try TemporaryFolder()
    let file = folder.file("a.txt")
    try AtomicWrite.write("old", to: file)
    #expect(throws: Stop.self) {
      try AtomicWrite.write(to: file) { sink in
        try sink.write([UInt8](repeating: 1, count: 200_000))
        throw Stop()
      }
    }
    #expect(try String(contentsOf: file, encoding: .utf8) == "old")
    #expect(try folder.names == ["a.txt"])
  }

  @Test func keepsPermissions() throws {
    let folder = try TemporaryFolder()
    let file = folder.file("a.txt")
    try AtomicWrite.write("old", to: file)
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
    try AtomicWrite.write("new", to: file)
    let mode = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions]
    #expect(mode as? Int == 0o600)
  }

  @Test func aFolderThatIsNotThere() throws {
    let folder = try TemporaryFolder()
    expectDataError(.unwritable, "no/a.txt", "make the folder") {
      try AtomicWrite.write("x", to: folder.file("no/a.txt"))
    }
  }

  #if os(Linux)
    /// `/dev/full` answers every write as a full disk does.
    @Test func aFullDiskIsNamed() throws {
      let descriptor = open("/dev/full", O_WRONLY)
      try #require(descriptor >= 0)
      defer { close(descriptor) }
      let sink = ByteSink(descriptor: descriptor, name: "model.safetensors")
      expectDataError(.unwritable, "model.safetensors", "space", "make room") {
        try sink.write([UInt8](repeating: 0, count: 1 << 17))
      }
    }
  #endif
}

@Suite struct GzipTests {
  static func packed(_ bytes: [UInt8], _ wrapping: Gzip.Wrapping = .gzip) -> [UInt8] {
    bytes.withUnsafeBytes { Gzip.deflate($0, wrapping: wrapping) }
  }

  static func unpacked(_ bytes: [UInt8], limit: Int = 1 << 24) throws -> [UInt8] {
    try Gzip.inflate(FileBytes(bytes, name: "cut"), limit: limit)
  }

  @Test func roundTrips() throws {
    var generator = SeededGenerator(seed: 0)
    for count in [0, 1, 100, 65_536, 300_001] {
      let bytes = (0..<count).map { _ in UInt8(generator.integer(below: 9)) }
      #expect(try Self.unpacked(Self.packed(bytes)) == bytes)
      for wrapping in [Gzip.Wrapping.raw, .zlib] {
        let file = FileBytes(Self.packed(bytes, wrapping), name: "raw")
        #expect(try Gzip.inflate(file, wrapping: wrapping, limit: count) == bytes)
      }
    }
  }

  @Test func severalMembersAndPadding() throws {
    let two = Self.packed([1, 2]) + Self.packed([3]) + [0, 0, 0]
    #expect(try Self.unpacked(two) == [1, 2, 3])
    expectDataError(.invalid, "byte 22", "belong to nothing") {
      _ = try Self.unpacked(Self.packed([1, 2]) + [7])
    }
  }

  @Test func plainFilesPassThrough() throws {
    #expect(try Gzip.plain(FileBytes([5, 6], name: "x")).array == [5, 6])
    #expect(try Gzip.plain(FileBytes(Self.packed([5, 6]), name: "x")).array == [5, 6])
  }

  @Test func truncatedAtEveryLength() {
    let packed = Self.packed(Array("a text that is packed, packed, packed".utf8))
    expectTruncationRefused(packed) { _ = try Gzip.inflate($0, limit: 1000) }
  }

  @Test func aBombIsBounded() {
    let bomb = Self.packed([UInt8](repeating: 0, count: 20_000_000))
    #expect(bomb.count < 30_000)
    expectDataError(.invalid, "more than the 1000 bytes") {
      _ = try Self.unpacked(bomb, limit: 1000)
    }
  }

  @Test func damagedDataIsRefused() throws {
    let packed = Self.packed((0..<400).map { UInt8(truncatingIfNeeded: $0 * $0) })
    let refused = try damage(packed, times: 500) { _ = try Gzip.inflate($0, limit: 1 << 20) }
    #expect(refused > 400)
  }

  @Test func checksum() {
    let check = Array("123456789".utf8).withUnsafeBytes { Gzip.crc32($0) }
    #expect(check == 0xcbf4_3926)
  }
}
