import Foundation
import TarnCore
import TarnInterop

extension TensorStructure {
  /// Writes `NAME.json` (configuration) and `NAME.safetensors` (tensors) into a folder, which is made if need be.
  ///
  /// Each file is replaced at once or not at all.
  ///
  /// ```swift
  /// try model.save(to: folder)                  // model.json, model.safetensors
  /// let again = try LeNet(contentsOf: folder)
  /// ```
  public func save(to folder: URL, name: String = "model") throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try weights.write(to: folder.appendingPathComponent("\(name).safetensors"))
    try Data(try configuration().utf8).write(
      to: folder.appendingPathComponent("\(name).json"), options: .atomic)
  }

  /// The configuration as JSON, with a name, type and shape in the place of each tensor.
  public func configuration() throws -> String { try walked(named: true).json() }

  /// Reads what ``save(to:name:)`` wrote.
  ///
  /// Throws what the files' readers throw, and ``ModelFileError`` where configuration, tensors and this type do not agree.
  public init(contentsOf folder: URL, name: String = "model") throws {
    let file = folder.appendingPathComponent("\(name).json")
    let weights = try Weights(contentsOf: folder.appendingPathComponent("\(name).safetensors"))
    let data: Data
    do { data = try Data(contentsOf: file) } catch {
      throw ModelFileError(
        file: file.path, reason: "it cannot be read: \(error.localizedDescription)",
        hint: "the folder should hold \(name).json and \(name).safetensors")
    }
    try self.init(configuration: data, weights: weights, file: file.path)
  }

  /// From the JSON of ``configuration()`` and tensors.
  package init(configuration data: Data, weights: Weights, file: String) throws {
    do {
      let tape = try Tape(json: data) { name, shape in
        guard let tensor = weights[name], tensor.shape == shape else {
          let found = weights[name].map { "it is \($0.shape) there" } ?? "there is none"
          throw ModelFileError(
            file: file,
            reason: "it wants a tensor \"\(name)\" \(shape) of \(weights.source), \(found)",
            hint: "the two files must come from one save")
        }
        return tensor
      }
      self = try tape.read(Self.self, with: tape.leaves.map(\.tensor))
    } catch let error as DecodingError {
      throw ModelFileError(
        file: file, reason: "it does not describe a \(Self.self): \(Self.explain(error))",
        hint: "was it saved by another model or another version of it?")
    }
  }

  private static func explain(_ error: DecodingError) -> String {
    switch error {
    case .typeMismatch(_, let context), .valueNotFound(_, let context),
      .keyNotFound(_, let context),
      .dataCorrupted(let context):
      context.debugDescription
    @unknown default: "\(error)"
    }
  }
}
