import Foundation
import TarnCore
import Testing

import TarnData
import TarnInterop

/// A folder that is removed when the test ends.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory
      .appendingPathComponent("tarn-\(UInt64.random(in: 0 ... .max))")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit {
    do { try FileManager.default.removeItem(at: url) } catch { print("left behind: \(url.path)") }
  }

  func file(_ name: String) -> URL { url.appendingPathComponent(name) }
}

/// Expects a `DataError` of this kind whose description holds all of these words.
func expectDataError(
  _ kind: DataError.Kind, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation,
  _ body: () throws -> Void
) {
  do {
    try body()
    Issue.record("no error was thrown", sourceLocation: sourceLocation)
  } catch let error as DataError {
    #expect(error.kind == kind, "\(error)", sourceLocation: sourceLocation)
    for word in words {
      #expect(error.description.contains(word), "\(error)", sourceLocation: sourceLocation)
    }
  } catch {
    Issue.record("not a DataError: \(error)", sourceLocation: sourceLocation)
  }
}

/// The folder of real data, named by the environment; without it the tests that need it are
/// skipped.
let realData = ProcessInfo.processInfo.environment["TARN_DATA"].map {
  URL(fileURLWithPath: $0, isDirectory: true)
}
let realDataMissing: Comment = "set TARN_DATA to the folder of real data to run this"

@Suite struct SafetensorsTests {
  static func saved(_ name: String) throws -> FileBytes {
    let text = try #require(savedFiles[name], "no fixture '\(name)'")
    return FileBytes(try #require(Data(base64Encoded: text)), name: name)
  }

  static func file(_ header: String, _ data: [UInt8] = []) -> FileBytes {
    let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
    return FileBytes(length + Array(header.utf8) + data, name: "made.safetensors")
  }

  @Test func whatThePythonPackageWrites() throws {
    let file = try Safetensors(Self.saved("safetensors all"))
    #expect(file.metadata == ["format": "np", "note": "a \"b\" é"])
    #expect(file.entries.count == 11)
    for dtype in DType.allCases {
      let tensor = try file.tensor(dtype.name)
      #expect(tensor.dtype == dtype && tensor.shape == [2, 3])
      let expected: [Double] = dtype == .bool ? [0, 1, 1, 1, 1, 1] : [0, 1, 2, 3, 4, 5]
      #expect(tensor.array(of: Double.self) == expected, "\(dtype)")
    }
    #expect(try file.tensor("scalar").shape == [])
    #expect(try file.tensor("empty").shape == [0, 3])
    expectDataError(.invalid, "no tensor 'flaot32'", "did you mean 'float32'") {
      _ = try file.tensor("flaot32")
    }
  }

  @Test func roundTrips() throws {
    let folder = try TemporaryFolder()
    let tensors: [(name: String, tensor: Tensor)] = [
      ("b.weight", Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])),
      ("flag", Tensor([true, false, true])),
      ("a\"\n", Tensor([7] as [Int64], shape: [])), ("half", Tensor([1, 2, 3] as [Double])),
      ("none", Tensor([] as [Float], shape: [0])),
    ]
    let url = folder.file("a.safetensors")
    try Safetensors.write(tensors, metadata: ["k": "v", "": "\u{1}"], to: url)
    let back = try Safetensors(contentsOf: url)
    #expect(back.metadata == ["k": "v", "": "\u{1}"])
    #expect(Set(back.names) == Set(tensors.map(\.name)))
    for (name, tensor) in tensors {
      let other = try back.tensor(name)
      #expect(other.shape == tensor.shape && other.dtype == tensor.dtype)
      #expect(other.bytes() == tensor.bytes())
    }
    // The order given does not matter, and every tensor lies aligned.
    let again = folder.file("b.safetensors")
    try Safetensors.write(tensors.reversed(), metadata: ["": "\u{1}", "k": "v"], to: again)
    #expect(try Data(contentsOf: url) == Data(contentsOf: again))
    for entry in back.entries { #expect(entry.range.lowerBound % entry.dtype.byteCount == 0) }
    expectDataError(.unwritable, "two tensors are named 'flag'") {
      try Safetensors.write([tensors[1], tensors[1]], to: url)
    }
    expectDataError(.unwritable, "__metadata__") {
      try Safetensors.write([("__metadata__", tensors[1].tensor)], to: url)
    }
  }

  @Test func unknownTypesAreRefusedByName() throws {
    expectDataError(.unsupported, "'x'", "U16", "16-bit integers", "int32") {
      _ = try Safetensors(Self.saved("safetensors uint16"))
    }
    for (type, words) in [
      ("F8_E4M3", "8 bits"), ("U64", "64-bit"), ("C64", "complex"), ("Q9", "no such"),
    ] {
      let header = "{\"x\":{\"dtype\":\"\(type)\",\"shape\":[1],\"data_offsets\":[0,1]}}"
      expectDataError(.unsupported, type, words) { _ = try Safetensors(Self.file(header, [0])) }
    }
  }

  static let one = "\"x\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}"

  @Test(arguments: [
    ("[]", "no JSON object"), ("{", "name in quotes"), ("{}x", "follows"),
    ("{\"x\":1}", "has no dtype"), ("{\(one),\(one)}", "comes twice"),
    ("{\"__metadata__\":3}", "__metadata__"), ("{\"__metadata__\":{\"a\":3},\(one)}", "no text"),
    ("{\"x\":{\"dtype\":\"U8\",\"shape\":[2]}}", "data_offsets"),
    ("{\"x\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0]}}", "data_offsets"),
    ("{\"x\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,0]}}", "data_offsets"),
    ("{\"x\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[-2,0]}}", "data_offsets"),
    (
      "{\"x\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,9223372036854775807]}}",
      "data_offsets"
    ),
    (
      "{\"x\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,92233720368547758079]}}",
      "data_offsets"
    ),
    ("{\"x\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,3]}}", "the file has"),
    ("{\"x\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,2]}}", "takes 1 bytes"),
    ("{\"x\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[0,2]}}", "takes 16 bytes"),
    ("{\"x\":{\"dtype\":\"U8\",\"shape\":[1.5],\"data_offsets\":[0,2]}}", "whole numbers"),
    ("{\"x\":{\"dtype\":\"U8\",\"shape\":[-2],\"data_offsets\":[0,2]}}", "whole numbers"),
    (
      "{\"x\":{\"dtype\":\"U8\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,2]}}",
      "absurd"
    ),
    ("{\"x\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}", "gap"),
    ("{\"x\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", "belong to no tensor"),
    ("{\(one),\"y\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}", "overlap"),
    ("{\(one),\"y\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}", "overlap"),
    ("{}", "belong to no tensor"),
  ])
  func hostileHeaders(header: String, words: String) {
    expectDataError(.invalid, "made.safetensors, byte", words) {
      _ = try Safetensors(Self.file(header, [1, 2]))
    }
  }

  @Test func hostileLengths() throws {
    for length in [100_000_001, UInt64.max] {
      let bytes = withUnsafeBytes(of: length.littleEndian) { Array($0) }
      expectDataError(.invalid, "100000000 is the most") {
        _ = try Safetensors(FileBytes(bytes + [0x7b, 0x7d], name: "x"))
      }
    }
    expectDataError(.invalid, "bytes wanted") {
      _ = try Safetensors(FileBytes([200, 0, 0, 0, 0, 0, 0, 0, 0x7b], name: "x"))
    }
    let twos = Self.file(
      "{\"x\":{\"dtype\":\"BOOL\",\"shape\":[2],\"data_offsets\":[0,2]}}", [1, 2])
    expectDataError(.invalid, "neither 0 nor 1") { _ = try Safetensors(twos).tensor("x") }
  }

  @Test func truncatedAndDamaged() throws {
    let whole = try Self.saved("safetensors all").withBytes { Array($0) }
    for count in whole.indices {
      expectDataError(.invalid, "cut") {
        _ = try Safetensors(FileBytes(whole[..<count], name: "cut"))
      }
    }
    var generator = SeededGenerator(seed: 5)
    var refused = 0
    for _ in 0..<3000 {
      var copy = whole
      copy[generator.integer(below: 800)] = UInt8(generator.integer(below: 256))
      do {
        let file = try Safetensors(FileBytes(copy, name: "damaged"))
        for entry in file.entries { _ = try file.tensor(entry) }
      } catch { refused += 1 }
    }
    #expect(refused > 1000)
  }

  @Test(.enabled(if: realData != nil, realDataMissing)) func aRealFile() throws {
    let folder = try #require(realData)
    let url = folder.appendingPathComponent("models/fixtures/burn_mnist.safetensors")
    let file = try Safetensors(contentsOf: url)
    #expect(file.entries.count == 20)
    let weights = try Weights(contentsOf: url)
    #expect(weights.count == 20)
    let copy = try TemporaryFolder()
    try weights.write(to: copy.file("copy.safetensors"))
    let back = try Weights(contentsOf: copy.file("copy.safetensors"))
    for (name, tensor) in weights.all {
      #expect(back[name]?.shape == tensor.shape)
      #expect(back[name]?.bytes() == tensor.bytes())
    }
    #expect(weights.all.allSatisfy { $0.tensor.array(of: Float.self).allSatisfy(\.isFinite) })
  }
}
