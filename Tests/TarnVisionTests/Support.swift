import Foundation
import Tarn
import TarnData
import Testing

/// What Pillow and torchvision give, see Tests/Goldens/README.md.
struct Goldens {
  let weights: Weights

  static let shared = Result {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Goldens")
    return Goldens(
      weights: try Weights(contentsOf: folder.appendingPathComponent("images.npz")))
  }

  func bytes(_ name: String) throws -> [UInt8] {
    try #require(weights[name], "no golden '\(name)'").bytes()
  }

  func tensor(_ name: String) throws -> Tensor {
    try #require(weights[name], "no golden '\(name)'")
  }

  /// A picture from [H, W] or [H, W, 3].
  func image(_ name: String) throws -> Image {
    let tensor = try tensor(name)
    return Image(
      width: tensor.shape[1], height: tensor.shape[0],
      channels: tensor.rank == 3 ? tensor.shape[2] : 1, bytes: tensor.bytes())
  }

  /// The cases whose names begin so.
  func cases(_ prefix: String) -> [String] {
    Set(weights.names.compactMap { $0.split(separator: "/").first.map(String.init) })
      .filter { $0.hasPrefix(prefix) }.sorted()
  }
}

/// The largest difference of two pictures' bytes; nil if they differ in size.
func difference(_ a: Image, _ b: Image) -> Int? {
  guard a.width == b.width, a.height == b.height, a.channels == b.channels else { return nil }
  return zip(a.bytes, b.bytes).map { abs(Int($0) - Int($1)) }.max()
}

/// A picture with slopes and edges.
func testImage(_ width: Int, _ height: Int, channels: Int = 3, seed: UInt64 = 1) -> Image {
  var generator = SeededGenerator(seed: seed)
  let bytes = (0..<(width * height * channels)).map { i in
    let (x, y) = (i / channels % width, i / channels / width)
    let slope = 3 * x + 2 * y + 40 * (i % channels) + ((x + y) % 17 > 8 ? 60 : 0)
    return UInt8(truncatingIfNeeded: slope + generator.integer(below: 12))
  }
  return Image(width: width, height: height, channels: channels, bytes: bytes)
}

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

  /// Writes a file, in folders that are made.
  @discardableResult
  func write(_ bytes: [UInt8], to name: String) throws -> URL {
    let file = file(name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: file)
    return file
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

/// The folder of real data, named by the environment; without it the tests that need it are skipped.
let realData = ProcessInfo.processInfo.environment["TARN_DATA"].map {
  URL(fileURLWithPath: $0, isDirectory: true)
}
let realDataMissing: Comment = "set TARN_DATA to the folder of real data to run this"
