import Foundation
import TarnCore
import Testing

import TarnData

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
  var names: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: url.path).sorted() }
  }
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

/// Expects every beginning of the bytes to be refused with a `DataError`.
func expectTruncationRefused(
  _ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation,
  _ read: (FileBytes) throws -> Void
) {
  for count in bytes.indices {
    expectDataError(.invalid, "cut", sourceLocation: sourceLocation) {
      try read(FileBytes(bytes[..<count], name: "cut"))
    }
  }
}

/// Reads many damaged copies of the bytes; each must be read or refused with a `DataError`, never
/// trap.
/// - Returns: how many were refused.
@discardableResult
func damage(
  _ bytes: [UInt8], times: Int = 2000, _ read: (FileBytes) throws -> Void
) throws -> Int {
  var generator = SeededGenerator(seed: 99)
  var refused = 0
  for _ in 0..<times {
    var copy = bytes
    for _ in 0...generator.integer(below: 3) {
      copy[generator.integer(below: copy.count)] =
        generator.chance(0.3) ? 0xff : UInt8(generator.integer(below: 256))
    }
    do { try read(FileBytes(copy, name: "damaged")) } catch is DataError { refused += 1 }
  }
  return refused
}

func numPyFile(_ name: String) throws -> FileBytes {
  let text = try #require(numPyFiles[name], "no fixture '\(name)'")
  return FileBytes(try #require(Data(base64Encoded: text)), name: name)
}

extension FileBytes {
  var array: [UInt8] { withBytes { Array($0) } }
}

/// The folder of real data, named by the environment; without it the tests that need it are
/// skipped.
let realData = ProcessInfo.processInfo.environment["TARN_DATA"].map {
  URL(fileURLWithPath: $0, isDirectory: true)
}
let realDataMissing: Comment = "set TARN_DATA to the folder of real data to run this"
