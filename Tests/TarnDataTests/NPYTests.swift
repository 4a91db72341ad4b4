import Foundation
import TarnCore
import Testing

import TarnData

@Suite struct NPYTests {
  static let grid: [Double] = [-2, -1, 0, 1, 2, 3]

  static func read(_ name: String) throws -> Tensor { try NPY.read(numPyFile(name)) }

  @Test(arguments: [
    ("i1", DType.int8), ("<i2", .int32), (">i2", .int32), ("<i4", .int32), (">i4", .int32),
    ("<i8", .int64), (">i8", .int64), ("<f2", .float16), (">f2", .float16), ("<f4", .float32),
    (">f4", .float32), ("<f8", .float64), (">f8", .float64), ("bfloat16", .bfloat16),
  ])
  func numPysSignedTypes(name: String, dtype: DType) throws {
    let tensor = try Self.read("grid \(name)")
    #expect(tensor.dtype == dtype && tensor.shape == [2, 3])
    #expect(tensor.array(of: Double.self) == Self.grid)
  }

  @Test(arguments: [("u1", DType.uint8), ("<u2", .int32), ("<u4", .int64), (">u4", .int64)])
  func numPysUnsignedTypes(name: String, dtype: DType) throws {
    let tensor = try Self.read("grid \(name)")
    #expect(tensor.dtype == dtype)
    #expect(tensor.array(of: Double.self) == Self.grid.map { $0 + 2 })
  }

  @Test func numPysOtherFiles() throws {
    #expect(try Self.read("grid bool").array(of: Bool.self) == Self.grid.map { $0 > 0 })
    let fortran = try Self.read("fortran")
    #expect(fortran.shape == [2, 3, 4])
    #expect(fortran.array(of: Float.self) == (0..<24).map { Float($0) })
    #expect(try Self.read("scalar").shape == [])
    #expect(try Self.read("scalar").array(of: Double.self) == [2.5])
    #expect(try Self.read("empty").shape == [0, 3])
    #expect(try Self.read("version 2").array(of: Double.self) == Self.grid)
    #expect(try Self.read("version 3").array(of: Double.self) == Self.grid)
  }

  @Test(arguments: [
    ("object", "Python objects"), ("structured", "records"), ("text", "text"),
    ("complex", "complex"),
    ("date", "dates"), ("u8", "unsigned 64-bit"),
  ])
  func refusedByName(name: String, words: String) {
    expectDataError(.unsupported, name, words, "hint") { _ = try Self.read(name) }
  }

  /// Ours are NumPy's bytes.
  @Test func writtenAsNumPyDoes() throws {
    for name in ["i1", "<i4", "<i8", "<f2", "<f4", "<f8", "u1", "bool", "bfloat16"] {
      let file = try numPyFile("grid \(name)")
      #expect(NPY.encode(try NPY.read(file)) == file.array, "\(name)")
    }
    for name in ["scalar", "empty"] {
      let file = try numPyFile(name)
      #expect(NPY.encode(try NPY.read(file)) == file.array, "\(name)")
    }
  }

  @Test func writtenFilesAreReadBack() throws {
    let folder = try TemporaryFolder()
    let tensor = Tensor([1, 2, 3] as [Float], shape: [3, 1])
    try NPY.write(tensor, to: folder.file("a.npy"))
    let back = try NPY.read(contentsOf: folder.file("a.npy"))
    #expect(back.shape == [3, 1] && back.bytes() == tensor.bytes())
  }

  static func file(_ header: String, _ elements: [UInt8] = [], version: UInt8 = 1) -> FileBytes {
    let count = UInt16(header.utf8.count)
    return FileBytes(
      NPY.magic + [version, 0, UInt8(count & 255), UInt8(count >> 8)] + Array(header.utf8)
        + elements,
      name: "cut")
  }

  @Test(arguments: [
    ("", "no '{'"), ("{}", "lacks"), ("{'descr': '<f4'}", "lacks"),
    ("{'descr': '<f4', 'fortran_order': 0, 'shape': ()}", "True nor False"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", "not a number"),
    (
      "{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999999999999999,)}", "not a number"
    ),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", "asks for"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4294967296, 4294967296)}", "asks for"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (1000,)}", "4000 bytes wanted"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (1 2)}", "no ')'"),
    ("{'descr': '<f4, 'fortran_order': False, 'shape': ()}", "header"),
    ("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}", "repeated"),
    ("{'descr': '<f4', 'evil': '<f4', 'fortran_order': False, 'shape': ()}", "'evil'"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': ()} + 1", "goes on"),
  ])
  func hostileHeaders(header: String, words: String) {
    expectDataError(.invalid, "cut, byte", words) { _ = try NPY.read(Self.file(header)) }
  }

  @Test func otherHostileFiles() throws {
    expectDataError(.invalid, "byte 0", "magic") {
      _ = try NPY.read(FileBytes(Array("not numpy at all".utf8), name: "x"))
    }
    expectDataError(.unsupported, "version 9.0") { _ = try NPY.read(Self.file("{}", version: 9)) }
    let many =
      "{'descr': '<f4', 'fortran_order': False, 'shape': (" + String(repeating: "1,", count: 99)
    expectDataError(.invalid, "more than 64 axes") { _ = try NPY.read(Self.file(many)) }
    let whole = try numPyFile("grid <f4").array
    expectTruncationRefused(whole) { _ = try NPY.read($0) }
    expectDataError(.invalid, "1 bytes follow") {
      _ = try NPY.read(FileBytes(whole + [0], name: "x"))
    }
    try damage(whole) { _ = try NPY.read($0) }
    try damage(try numPyFile("fortran").array) { _ = try NPY.read($0) }
  }
}
