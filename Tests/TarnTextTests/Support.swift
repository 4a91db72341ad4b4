import Foundation
import Tarn
import Testing

/// A folder that is gone with the object.
final class Scratch {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory
      .appendingPathComponent("tarn-text-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func file(_ name: String) -> URL { url.appendingPathComponent(name) }

  /// A file with these bytes.
  func file(_ name: String, _ bytes: some Sequence<UInt8>) throws -> URL {
    try Data(bytes).write(to: file(name))
    return file(name)
  }

  func file(_ name: String, _ text: String) throws -> URL { try file(name, text.utf8) }
}

/// Numbers from PyTorch.
struct Goldens {
  let weights: Weights

  init(_ file: String, _ test: String) throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Goldens")
    weights = try Weights(contentsOf: folder.appendingPathComponent("\(file).npz"))
      .strippingPrefix("\(test)/")
  }

  func callAsFunction(_ name: String) throws -> [Double] {
    try weights.tensor(name).array(of: Double.self)
  }
}

func expectClose(
  _ found: [Double], _ expected: [Double], _ tolerance: Double, _ what: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(found.count == expected.count, "\(what)", sourceLocation: sourceLocation)
  let gaps = zip(found, expected).map { abs($0 - $1) / max(1, abs($1)) }
  let worst = gaps.map { $0.isNaN ? .infinity : $0 }.max() ?? 0
  #expect(worst <= tolerance, "\(what): off by \(worst)", sourceLocation: sourceLocation)
}

/// A sentence over and over: soon learned.
let refrain = String(repeating: "the quick brown fox jumps over the lazy dog.\n", count: 60)
