import Foundation
import TarnCore
import Testing

import TarnData

@Suite struct IDXTests {
  static func file(_ code: UInt8, _ shape: [UInt32], _ elements: [UInt8]) -> [UInt8] {
    [0, 0, code, UInt8(shape.count)]
      + shape.flatMap {
        [UInt8($0 >> 24), UInt8($0 >> 16 & 255), UInt8($0 >> 8 & 255), UInt8($0 & 255)]
      }
      + elements
  }

  static func read(_ bytes: [UInt8]) throws -> Tensor {
    try IDX.read(FileBytes(bytes, name: "cut"))
  }

  @Test func everyElementType() throws {
    func check(_ code: UInt8, _ elements: [UInt8], _ dtype: DType, _ values: [Double]) throws {
      let tensor = try Self.read(Self.file(code, [2], elements))
      #expect(tensor.dtype == dtype && tensor.shape == [2])
      #expect(tensor.array(of: Double.self) == values)
    }
    try check(0x08, [1, 255], .uint8, [1, 255])
    try check(0x09, [1, 255], .int8, [1, -1])
    try check(0x0b, [1, 0, 255, 254], .int32, [256, -2])
    try check(0x0c, [0, 0, 1, 0, 255, 255, 255, 254], .int32, [256, -2])
    try check(0x0d, [0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0], .float32, [1.5, -2])
    try check(
      0x0e, [0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0], .float64, [1.5, -2])
  }

  @Test func roundTripsPlainAndPacked() throws {
    let folder = try TemporaryFolder()
    let tensors = [
      Tensor([1, 2, 3, 4, 5, 6] as [UInt8], shape: [3, 2]), Tensor([-1, 2] as [Int8]),
      Tensor([-70_000, 5] as [Int32]), Tensor([0.5, -3] as [Float]),
      Tensor([0.1, 1e300] as [Double]),
      Tensor([7] as [UInt8], shape: []), Tensor([] as [Float], shape: [0, 4]),
    ]
    for tensor in tensors {
      for name in ["a.idx", "a.idx.gz"] {
        try IDX.write(tensor, to: folder.file(name))
        let back = try IDX.read(contentsOf: folder.file(name))
        #expect(back.shape == tensor.shape && back.dtype == tensor.dtype)
        #expect(back.bytes() == tensor.bytes())
      }
    }
    try IDX.write(Tensor([1, -5] as [Int64]), to: folder.file("n"))
    #expect(try IDX.read(contentsOf: folder.file("n")).array(of: Int.self) == [1, -5])
    expectDataError(.unwritable, "64-bit") {
      try IDX.write(Tensor([1 << 40] as [Int64]), to: folder.file("n"))
    }
  }

  @Test func truncatedAtEveryLength() {
    let bytes = Self.file(0x0b, [2, 3], (0..<12).map { UInt8($0) })
    expectTruncationRefused(bytes) { _ = try IDX.read($0) }
    expectTruncationRefused(GzipTests.packed(bytes)) { _ = try IDX.read($0) }
  }

  @Test func hostileHeaders() {
    let huge = UInt32.max
    expectDataError(.invalid, "byte 0", "89 50 4e 47", "magic number") {
      _ = try Self.read([0x89, 0x50, 0x4e, 0x47])
    }
    expectDataError(.invalid, "magic") { _ = try Self.read(Self.file(0x0a, [1], [0])) }
    expectDataError(.invalid, "asks for more than") {
      _ = try Self.read(Self.file(8, [huge, huge, huge, huge], []))
    }
    expectDataError(.invalid, "asks for more than") {
      _ = try Self.read(Self.file(8, [0, huge, huge, huge], []))
    }
    expectDataError(.invalid, "4294967295 bytes wanted") {
      _ = try Self.read(Self.file(8, [huge], [1]))
    }
    expectDataError(.invalid, "byte 11", "2 bytes follow") {
      _ = try Self.read(Self.file(8, [3], [1, 2, 3, 4, 5]))
    }
    expectDataError(.invalid, "cannot be packed") {
      _ = try Self.read(GzipTests.packed(Self.file(8, [huge], [1])))
    }
  }

  /// A packed file that goes on long after what its header says.
  @Test func aBombIsBounded() {
    let bomb = Self.file(8, [3], [UInt8](repeating: 0, count: 10_000_000))
    expectDataError(.invalid, "more than the 12 bytes") {
      _ = try Self.read(GzipTests.packed(bomb))
    }
  }

  @Test func damage() throws {
    let bytes = Self.file(0x0d, [2, 2], (0..<16).map { UInt8($0) })
    try TarnDataTests.damage(bytes) { _ = try IDX.read($0) }
    try TarnDataTests.damage(GzipTests.packed(bytes)) { _ = try IDX.read($0) }
  }
}

@Suite struct NetpbmTests {
  static func read(_ text: String, _ pixels: [UInt8] = []) throws -> Tensor {
    try Netpbm.readGrey(FileBytes(Array(text.utf8) + pixels, name: "cut"))
  }

  @Test func textAndBinary() throws {
    let text = try Self.read("P2\n# a comment\n3 2 # another\n255\n0 1 2\n253 254 255")
    #expect(text.shape == [2, 3] && text.dtype == .uint8)
    #expect(text.bytes() == [0, 1, 2, 253, 254, 255])
    #expect(try Self.read("P5 3 2 255\n", [0, 1, 2, 253, 254, 255]).bytes() == text.bytes())
    // The first pixel may look like a space.
    #expect(try Self.read("P5\n1 1\n255\n", [32]).bytes() == [32])
    #expect(try Self.read("P5\n2 1\n65535\n", [255, 255, 128, 0]).bytes() == [255, 128])
    #expect(try Self.read("P2 3 1 15 0 8 15").bytes() == [0, 136, 255])
  }

  @Test func writing() throws {
    let folder = try TemporaryFolder()
    let grey = Tensor([0, 7, 32, 255, 10, 13] as [UInt8], shape: [2, 3])
    try Netpbm.writeGrey(grey, to: folder.file("a.pgm"))
    #expect(try Netpbm.readGrey(contentsOf: folder.file("a.pgm")).bytes() == grey.bytes())
    let fractions = Tensor([0, 0.5, 1, 2, -1, .nan] as [Float], shape: [1, 2, 3])
    try Netpbm.writeColour(fractions, to: folder.file("a.ppm"))
    let bytes = try FileBytes(mapping: folder.file("a.ppm")).array
    #expect(bytes == Array("P6\n2 1\n255\n".utf8) + [0, 128, 255, 255, 0, 0])
    #expect(throws: Diagnostic.self) {
      try Diagnostic.catching { try Netpbm.writeGrey(fractions, to: folder.file("b.pgm")) }
    }
  }

  @Test func hostileFiles() throws {
    expectTruncationRefused(Array("P5 3 2 255\n".utf8) + [0, 1, 2, 3, 4, 5]) {
      _ = try Netpbm.readGrey($0)
    }
    expectDataError(.invalid, "byte 0", "P2 or P5") { _ = try Self.read("P6 1 1 255\n") }
    expectDataError(.invalid, "the width is more than") {
      _ = try Self.read("P5 99999999999999999999 1 255\n")
    }
    expectDataError(.invalid, "the height is not a number") { _ = try Self.read("P5 3 x 255\n") }
    expectDataError(.invalid, "1 or more") { _ = try Self.read("P5 0 2 255\n") }
    expectDataError(.invalid, "bytes wanted") { _ = try Self.read("P5 1000000 1000000 255\n") }
    expectDataError(.invalid, "do not fit") { _ = try Self.read("P2 1000000 1000000 255\n") }
    expectDataError(.invalid, "a pixel is 16", "15 at most") { _ = try Self.read("P2 1 1 15 16") }
    expectDataError(.invalid, "byte 10", "a pixel is 16") { _ = try Self.read("P5 1 1 15\n", [16]) }
    try damage(Array("P2 3 2 255\n0 1 2 3 4 5\n".utf8)) { _ = try Netpbm.readGrey($0) }
  }
}

@Suite struct JSONTests {
  static func parse(_ text: String) throws -> JSON {
    let file = FileBytes(Array(text.utf8), name: "cut")
    return try JSON(file, 0..<file.count)
  }

  @Test func values() throws {
    let value = try Self.parse(
      #" {"b": [1, -2.5e3, true, null], "a": {"x\n\u00e9\ud83d\ude00": ""}} "#)
    #expect(value.members?.map(\.name) == ["b", "a"])
    #expect(value["b"]?.array == [.number("1"), .number("-2.5e3"), .bool(true), .null])
    #expect(value["a"]?.members?.first?.name == "x\né😀")
    #expect(try Self.parse(JSON.quoted("a\"\\\n\u{1}é")) == .string("a\"\\\n\u{1}é"))
  }

  @Test(arguments: [
    "", "{", "[1,]", "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "01", "1.", ".5", "+1", "1e", "tru", "\"",
    "\"\\x\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"a\nb\"", "1 2", "nan",
    "[1 2]",
    "{\"a\":1,\"a\":2}", "\"\\u+123\"",
  ])
  func nonsense(text: String) {
    expectDataError(.invalid, "cut, byte") { _ = try Self.parse(text) }
  }

  @Test func nestingIsBounded() {
    let deep = String(repeating: "[", count: 100_000)
    expectDataError(.invalid, "nested too deep") { _ = try Self.parse(deep) }
  }

  @Test func notText() {
    let file = FileBytes([0x22, 0xff, 0x22], name: "x")
    expectDataError(.invalid, "UTF-8") { _ = try JSON(file, 0..<3) }
  }
}
