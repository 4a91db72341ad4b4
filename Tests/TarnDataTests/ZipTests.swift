import Foundation
import TarnCore
import Testing

import TarnData

@Suite struct ZipTests {
  static func archive(
    _ entries: [(String, [UInt8])], isDeflated: Bool = false, isWide: Bool = false
  ) throws -> [UInt8] {
    let folder = try TemporaryFolder()
    try AtomicWrite.write(to: folder.file("a.zip")) { sink in
      var writer = ZipWriter(sink, isAlwaysWide: isWide)
      for (name, bytes) in entries { try writer.add(name, bytes, isDeflated: isDeflated) }
      try writer.finish()
    }
    return try FileBytes(mapping: folder.file("a.zip")).array
  }

  static func contents(_ bytes: [UInt8]) throws -> [String: [UInt8]] {
    try contents(FileBytes(bytes, name: "cut"))
  }

  static func contents(_ file: FileBytes) throws -> [String: [UInt8]] {
    let archive = try ZipArchive(file)
    var result: [String: [UInt8]] = [:]
    for entry in archive.entries { result[entry.name] = try archive.contents(of: entry).array }
    return result
  }

  @Test(arguments: [(false, false), (true, false), (false, true), (true, true)])
  func roundTrips(isDeflated: Bool, isWide: Bool) throws {
    let long = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 50) }
    let entries: [(String, [UInt8])] = [
      ("a.bin", long), ("dir/é.txt", Array("hi".utf8)), ("0", []),
    ]
    let bytes = try Self.archive(entries, isDeflated: isDeflated, isWide: isWide)
    let back = try Self.contents(bytes)
    for (name, contents) in entries { #expect(back[name] == contents) }
    #expect(isDeflated ? bytes.count < 5000 : bytes.count > 100_000)
    #expect(try Self.contents(Self.archive([], isWide: isWide)).isEmpty)
  }

  @Test func aCommentAtTheEnd() throws {
    var bytes = try Self.archive([("a", [1])])
    bytes[bytes.count - 2] = 3
    #expect(try Self.contents(bytes + [9, 9, 9]) == ["a": [1]])
  }

  @Test func truncatedAtEveryLength() throws {
    for isWide in [false, true] {
      let bytes = try Self.archive([("a", [1, 2, 3]), ("b", [4])], isWide: isWide)
      expectTruncationRefused(bytes) { _ = try Self.contents($0) }
    }
  }

  /// Changes one place of the directory's only line, or of the entry's own header.
  static func changed(
    _ contents: [UInt8], isDeflated: Bool = false, _ change: (inout [UInt8], Int) -> Void
  ) throws -> [UInt8] {
    var bytes = try archive([("name", contents)], isDeflated: isDeflated)
    let directory = try #require(
      bytes.indices.first { bytes[$0...].starts(with: [0x50, 0x4b, 1, 2]) })
    change(&bytes, directory)
    return bytes
  }

  @Test func liesInTheDirectory() throws {
    func refused(
      _ words: String, kind: DataError.Kind = .invalid, isDeflated: Bool = false,
      _ change: (inout [UInt8], Int) -> Void
    ) throws {
      let bytes = try Self.changed([5, 6, 7], isDeflated: isDeflated, change)
      expectDataError(kind, words) { _ = try Self.contents(bytes) }
    }
    try refused("does not match its checksum") { $0[$1 + 16] ^= 1 }
    try refused("cannot be 4 bytes packed into 3") { $0[$1 + 24] = 4 }
    try refused("to 3 bytes, not the 4", isDeflated: true) { $0[$1 + 24] = 4 }
    try refused("more than the 2 bytes", isDeflated: true) { $0[$1 + 24] = 2 }
    try refused("cannot be", isDeflated: true) { $0[$1 + 27] = 0x7f }
    try refused("encrypted", kind: .unsupported) { $0[$1 + 8] |= 1 }
    try refused("method 12", kind: .unsupported) { $0[$1 + 10] = 12 }
    try refused("should lie there") { $0[$1 + 44] = 0x7f }
    try refused("no entry 'name'") { $0[$1 + 42] = 1 }
    try refused("its header another") { bytes, _ in bytes[30] = 0x78 }
    try refused("directory is broken") { $0[$1] = 0 }
    try refused("does not fit") { bytes, _ in bytes[bytes.count - 12] = 9 }
    try refused("does not fit") { bytes, _ in bytes[bytes.count - 6] = 0xff }
    try refused("several parts", kind: .unsupported) { bytes, _ in bytes[bytes.count - 18] = 1 }
  }

  @Test(arguments: ["../up", "a/../../b", "/etc/passwd", "a\\b", "x\0y"])
  func namesThatLeadElsewhere(name: String) throws {
    let bytes = try Self.archive([(name, [1])])
    expectDataError(.invalid, "unsafe name") { _ = try Self.contents(bytes) }
  }

  @Test func twoEntriesOfOneName() throws {
    let bytes = try Self.archive([("a", [1]), ("a", [2])])
    expectDataError(.invalid, "two entries named 'a'") { _ = try Self.contents(bytes) }
  }

  /// Entries that share their packed bytes, as in archives made to fill a disk.
  @Test func overlappingEntries() throws {
    var bytes = try Self.archive([("a", [1, 2, 3]), ("b", [4])])
    let lines = bytes.indices.filter { bytes[$0...].starts(with: [0x50, 0x4b, 1, 2]) }
    // The first entry takes in the second's header as its contents.
    bytes[18] = 10
    bytes[22] = 10
    bytes[lines[0] + 20] = 10
    bytes[lines[0] + 24] = 10
    expectDataError(.invalid, "overlap") { _ = try Self.contents(bytes) }
  }

  @Test func damage() throws {
    for isWide in [false, true] {
      let bytes = try Self.archive(
        [("a", (0..<90).map { UInt8($0) }), ("b", [4])], isDeflated: true, isWide: isWide)
      let refused = try TarnDataTests.damage(bytes) { _ = try Self.contents($0) }
      #expect(refused > 1000)
    }
  }
}

@Suite struct NPZTests {
  @Test(arguments: ["npz stored", "npz packed"])
  func numPysArchives(name: String) throws {
    let arrays = try NPZ.read(numPyFile(name))
    #expect(arrays.map(\.name) == ["weight", "bias"])
    #expect(arrays[0].tensor.array(of: Double.self) == NPYTests.grid)
    #expect(arrays[0].tensor.dtype == .float32)
    #expect(arrays[1].tensor.array(of: Int.self) == [0, 1, 2])
  }

  @Test func the64BitExtension() throws {
    let arrays = try NPZ.read(numPyFile("npz wide"))
    #expect(arrays.map(\.name) == ["x"])
    #expect(arrays[0].tensor.array(of: Double.self) == NPYTests.grid)
  }

  @Test(arguments: [false, true])
  func roundTrips(isPacked: Bool) throws {
    let folder = try TemporaryFolder()
    let arrays: [(name: String, tensor: Tensor)] = [
      ("z.weight", Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])), ("a", Tensor([true, false])),
      ("s", Tensor([4] as [Double], shape: [])),
    ]
    try NPZ.write(arrays, to: folder.file("a.npz"), isPacked: isPacked)
    let back = try NPZ.read(contentsOf: folder.file("a.npz"))
    #expect(back.map(\.name) == ["z.weight", "a", "s"])
    for (one, other) in zip(arrays, back) {
      #expect(one.tensor.shape == other.tensor.shape && one.tensor.dtype == other.tensor.dtype)
      #expect(one.tensor.bytes() == other.tensor.bytes())
    }
  }

  @Test func refused() throws {
    let folder = try TemporaryFolder()
    let one = Tensor([1] as [Float])
    expectDataError(.unwritable, "two arrays are named 'x'") {
      try NPZ.write([("x", one), ("x", one)], to: folder.file("a.npz"))
    }
    let foreign = FileBytes(try ZipTests.archive([("readme.txt", [1])]), name: "f.npz")
    expectDataError(.invalid, "f.npz", "'readme.txt'") { _ = try NPZ.read(foreign) }
    let broken = FileBytes(try ZipTests.archive([("x.npy", [1])]), name: "f.npz")
    expectDataError(.invalid, "f.npz:x.npy", "magic number") { _ = try NPZ.read(broken) }
    try damage(try numPyFile("npz packed").array) { _ = try NPZ.read($0) }
  }
}
