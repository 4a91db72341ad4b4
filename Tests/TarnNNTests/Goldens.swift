import Foundation
import Tarn
import Testing

/// One file of numbers from PyTorch, see Tests/Goldens/README.md.
struct Goldens {
  private let weights: Weights

  init(_ file: String) throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Goldens")
    weights = try Weights(contentsOf: folder.appendingPathComponent("\(file).npz"))
  }

  func callAsFunction(_ test: String, _ what: String) throws -> Tensor {
    try weights.tensor("\(test)/\(what)")
  }

  func optional(_ test: String, _ what: String) -> Tensor? { weights["\(test)/\(what)"] }

  /// What begins with `prefix`, without it.
  func all(_ test: String, _ prefix: String) -> [(name: String, tensor: Tensor)] {
    weights.strippingPrefix("\(test)/\(prefix)").all
  }

  /// The names of all cases.
  var cases: Set<String> { Set(weights.names.map { String($0.prefix { $0 != "/" }) }) }
}

/// Expects equal shapes and elements within `tolerance`, relative above 1.
func expectClose(
  _ found: Tensor, _ expected: Tensor, _ tolerance: Double = 1e-5, _ what: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard found.shape == expected.shape else {
    Issue.record(
      "\(what): shape \(found.shape) instead of \(expected.shape)", sourceLocation: sourceLocation)
    return
  }
  let pairs = zip(found.array(of: Double.self), expected.array(of: Double.self))
  let worst = pairs.max { gap($0) < gap($1) }
  guard let worst else { return }
  #expect(
    gap(worst) <= tolerance, "\(what): \(worst.0) instead of \(worst.1)",
    sourceLocation: sourceLocation)
}

private func gap(_ pair: (Double, Double)) -> Double {
  let (a, b) = pair
  if a == b { return 0 }
  let distance = abs(a - b) / max(1, abs(b))
  return distance.isNaN ? .infinity : distance
}

/// A test by name.
struct Case: Sendable, CustomTestStringConvertible {
  let name: String
  let run: @Sendable () throws -> Void
  var testDescription: String { name }
}
