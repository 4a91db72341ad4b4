import Foundation
import Tarn
import TarnData
import Testing

/// The files of Tests/Fixtures/weights, made by Tools/make-weight-fixtures.py and Tools/make-keras-fixtures.py.
enum WeightFixtures {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Fixtures/weights")

  static func url(_ name: String) -> URL { folder.appendingPathComponent(name) }

  static func bytes(_ name: String) throws -> [UInt8] {
    try FileBytes(mapping: url(name)).withBytes { Array($0) }
  }

  /// Files that come with the numbers that their own framework reads from them.
  static func withExpectations() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      .filter { $0.hasSuffix(".expected.npz") }.map { String($0.dropLast(".expected.npz".count)) }
  }

  static func expectation(_ name: String) throws -> Weights {
    try Weights(contentsOf: url("\(name).expected.npz"))
  }
}

/// Expects the same names, and for each the same shape and numbers.
func expectSame(
  _ weights: Weights, _ expected: Weights, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(Set(weights.names) == Set(expected.names), sourceLocation: sourceLocation)
  for (name, tensor) in expected.all {
    guard let found = weights[name] else { continue }
    #expect(found.shape == tensor.shape, "\(name)", sourceLocation: sourceLocation)
    #expect(
      found.array(of: Double.self) == tensor.array(of: Double.self), "\(name)",
      sourceLocation: sourceLocation)
  }
}

/// Every hostile file of the fixtures would leave this file behind, were it run.
func expectNothingWasRun(sourceLocation: SourceLocation = #_sourceLocation) {
  let trace = FileManager.default.currentDirectoryPath + "/tarn-was-here"
  #expect(!FileManager.default.fileExists(atPath: trace), sourceLocation: sourceLocation)
}
