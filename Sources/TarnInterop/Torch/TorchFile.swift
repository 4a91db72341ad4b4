import Foundation
import TarnCore
import TarnData

/// A checkpoint of PyTorch: a zip archive (since 1.6), or the row of pickles of older versions.
///
/// The pickle in it is read as plain data. Nothing in the file is run: a class or function that is not on a short list of harmless ones
/// is refused by name. Dictionaries within dictionaries become names with dots; tensors on any device are read onto this machine.
/// TorchScript archives and plain pickles with arrays of NumPy are read as well.
///
/// ```swift
/// let file = try TorchFile(contentsOf: URL(fileURLWithPath: "checkpoint.pth"))
/// print(file.names, file.metadata["epoch"] ?? "")
/// let model = try file.weights()  // the part that holds the model
/// ```
public struct TorchFile: Sendable {
  /// The names of all tensors, in the order of the file: `state_dict.conv1.weight`, `optimizer.state.0.exp_avg`.
  public let names: [String]
  /// Numbers and texts beside the tensors, by name.
  public let metadata: [String: String]
  /// The dictionary that holds the model in a checkpoint with more in it (`state_dict`, `model`, …), with its dot;
  /// empty where the whole file is the model.
  public let modelPrefix: String
  private let source: String
  private let places: [String: Int]
  private let tensors: PickledTensors

  /// Opens a file and reads what it describes; tensors are read when asked for.
  public init(contentsOf url: URL) throws {
    try self.init(FileBytes(mapping: url))
  }

  package init(_ file: FileBytes) throws(DataError) {
    let tensors = try TorchLayout.open(file)
    var tree = PickleTree(tensors.pickle, file: file)
    try tree.walk()
    (names, metadata, source) = (tree.names, tree.metadata, file.name)
    (places, modelPrefix) = (tree.places, tree.modelPrefix)
    self.tensors = tensors
  }

  /// One tensor by its whole name.
  public func tensor(_ name: String) throws -> Tensor {
    guard let place = places[name] else {
      throw DataError(
        .invalid, file: source, reason: "has no tensor '\(name)'",
        hint: suggestion(for: name, among: names))
    }
    var tensors = tensors
    return try tensors.tensor(place, named: name)
  }

  /// The tensors of one part, named without its prefix.
  /// - Parameter prefix: how names must begin; nil takes the part that holds the model, "" takes all.
  public func weights(under prefix: String? = nil) throws -> Weights {
    let prefix = prefix ?? modelPrefix
    var tensors = tensors
    var result = Weights(source: source)
    result.metadata = metadata
    for name in names where name.hasPrefix(prefix) {
      guard let place = places[name] else { continue }
      result[String(name.dropFirst(prefix.count))] = try tensors.tensor(place, named: name)
    }
    let others = names.filter { !$0.hasPrefix(prefix) }
    if let first = others.first {
      result.metadata["other tensors"] =
        others.count == 1 ? first : "\(first) and \(others.count - 1) more"
    }
    return result
  }
}
