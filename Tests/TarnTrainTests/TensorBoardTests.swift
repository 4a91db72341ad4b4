import Foundation
import Testing

import TarnTrain

@Suite struct CRC32CTests {
  /// The examples of RFC 3720, appendix B.4, and the usual check value.
  @Test func knownSums() {
    #expect(CRC32C.checksum("123456789".utf8) == 0xE306_9283)
    #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(CRC32C.checksum((0..<32).map { UInt8($0) }) == 0x46DD_794E)
    #expect(CRC32C.checksum((0..<32).reversed().map { UInt8($0) }) == 0x113F_DB5C)
    #expect(CRC32C.checksum([UInt8]()) == 0)
  }

  @Test func masked() {
    let sum: UInt32 = 0xE306_9283
    #expect(CRC32C.masked("123456789".utf8) == ((sum >> 15) | (sum << 17)) &+ 0xA282_EAD8)
  }
}

@Suite struct TensorBoardTests {
  /// The bytes that TensorFlow writes for `Event(wall_time=1.5, file_version="brain.Event:2")`.
  @Test func versionEvent() {
    let time: [UInt8] = [0x09, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F]
    let expected = time + [0x10, 0x00, 0x1A, 0x0D] + Array("brain.Event:2".utf8)
    #expect(TensorBoardEvent.version(time: 1.5) == expected)
  }

  @Test func scalarEvent() {
    let value: [UInt8] = [0x0A, 0x01, 0x61, 0x15, 0, 0, 0x80, 0x3E]
    let summary: [UInt8] = [0x2A, 0x0A, 0x0A, 0x08] + value
    let expected = [0x09, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F, 0x10, 0xAC, 0x02] + summary
    #expect(TensorBoardEvent.scalar("a", 0.25, time: 1.5, step: 300) == expected)
  }

  @Test func recordsAreFramedWithSums() {
    let record = TensorBoardEvent.record([1, 2, 3])
    #expect(record.count == 8 + 4 + 3 + 4)
    #expect(Array(record.prefix(8)) == [3, 0, 0, 0, 0, 0, 0, 0])
    func number(_ bytes: ArraySlice<UInt8>) -> UInt32 {
      bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
    #expect(number(record[8..<12]) == CRC32C.masked([3, 0, 0, 0, 0, 0, 0, 0]))
    #expect(number(record[15..<19]) == CRC32C.masked([1, 2, 3]))
  }

  @Test func everyRunHasAFileOfItsOwn() throws {
    try withFolder { folder in
      let events = folder + "/a/b"
      let first = try TensorBoardWriter(folder: events)
      try first.scalar("loss", 1, step: 1)
      let second = try TensorBoardWriter(folder: events, resumingAt: 1)
      #expect(first.path != second.path)
      let names = try FileManager.default.contentsOfDirectory(atPath: events).sorted()
      #expect(names.count == 2)
      #expect(names.allSatisfy { $0.hasPrefix("events.out.tfevents.") })
      #expect(first.path.hasSuffix(names[0]) && second.path.hasSuffix(names[1]))
    }
  }

  @Test func everyEventIsWrittenAtOnce() throws {
    try withFolder { folder in
      let board = try TensorBoardWriter(folder: folder)
      var size = try Data(contentsOf: URL(fileURLWithPath: board.path)).count
      for write in [
        { try board.scalar("loss", 0.5, step: 1) },
        { try board.histogram("w", [1, 2, .nan], step: 1) },
        { try board.text("note", "hello") },
      ] {
        try write()
        let grown = try Data(contentsOf: URL(fileURLWithPath: board.path)).count
        #expect(grown > size)
        size = grown
      }
    }
  }

  @Test func aFileInPlaceOfTheFolderIsAnError() throws {
    try withFolder { folder in
      let path = folder + "/file"
      try "x".write(toFile: path, atomically: true, encoding: .utf8)
      #expect(throws: LogError.self) { try TensorBoardWriter(folder: path) }
    }
  }
}
