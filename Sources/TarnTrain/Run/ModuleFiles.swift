import Foundation
import TarnCore
import TarnData
import TarnInterop
import TarnNN

extension Module {
  /// Writes every tensor, named by its path.
  func write(to url: URL) throws {
    try Safetensors.write(namedTensors, to: url)
  }

  /// The same structure with the tensors of a file, which must have exactly the same names, shapes and types.
  func filled(from url: URL) throws -> Self {
    let weights = try Weights(contentsOf: url)
    let own = namedTensors
    let report = LoadReport(
      expected: own.map { (name: $0.name, shape: $0.tensor.shape) }, weights: weights)
    guard report.isComplete else {
      throw DataError(
        .invalid, file: url.path, reason: "does not fit the model\n\(report)",
        hint: "make the model as the run did; model.json says how")
    }
    let tensors = try own.map { name, old in
      let tensor = try weights.tensor(name)
      guard tensor.dtype == old.dtype else {
        throw DataError(
          .invalid, file: url.path, reason: "'\(name)' is \(tensor.dtype), the model's \(old.dtype)"
        )
      }
      return tensor
    }
    return replacing(.all, with: tensors)
  }
}
