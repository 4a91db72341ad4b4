import Foundation
import TarnCore
import TarnData

/// A file of Keras: weights or a whole model in HDF5 (`.h5`, `.weights.h5`), or an archive of Keras 3 (`.keras`).
///
/// ```swift
/// let file = try KerasFile(contentsOf: URL(fileURLWithPath: "model.keras"))
/// print(file.weights.names)          // as they stand in the file
/// let named = try file.torchWeights()  // PyTorch's names and layouts: conv2d.weight [O, I, H, W]
/// ```
public struct KerasFile: Sendable {
  /// One variable of a layer.
  package struct Variable: Sendable {
    /// `kernel`, `bias`, `gamma`, …; Keras 3 files have numbers in their place.
    package let name: String
    /// The same with the layers it lies in: `block1_conv1/kernel`.
    package let path: String
    package let tensor: Tensor
  }

  /// One layer's variables.
  package struct LayerEntry: Sendable {
    /// The layer's name in older files; in Keras 3 its class in small letters, numbered: `conv2d_1`.
    package let key: String
    /// In the order of `layer.weights`.
    package let variables: [Variable]
  }

  /// How layers are named in the file.
  package enum Style: Sendable {
    /// By their names, with named variables.
    case named
    /// By class and number, with numbered variables (Keras 3).
    case numbered
  }

  /// All arrays as they stand in the file, in the order of the layers.
  public let weights: Weights
  /// The model's configuration as JSON, if the file has it.
  public let configuration: String?
  package let layers: [LayerEntry]
  package let style: Style
  /// In Keras 3: the names of layers by the paths of their groups (`layers/dense` is `dense_7`), where the file tells them.
  package let layerNames: [String: String]

  public init(contentsOf url: URL) throws {
    try self.init(FileBytes(mapping: url))
  }

  package init(_ file: FileBytes) throws(DataError) {
    if file.starts(with: HDF5File.magic) {
      try self.init(HDF5File(file), source: file.name, configuration: nil, metadata: [:])
      return
    }
    let archive = try ZipArchive(file)
    guard let entry = archive[Self.weightsEntry], let config = archive[Self.configurationEntry]
    else {
      throw DataError(
        .invalid, file: file.name,
        reason: "the archive has no \(Self.weightsEntry) and \(Self.configurationEntry)",
        hint: "model.save(\"model.keras\") writes both")
    }
    let text = try archive.contents(of: config).withBytes { String(decoding: $0, as: UTF8.self) }
    var metadata: [String: String] = [:]
    if let notes = archive["metadata.json"] {
      let contents = try archive.contents(of: notes)
      for member in try JSON(contents, 0..<contents.count).members ?? [] {
        metadata[member.name] = member.value.string
      }
    }
    try self.init(
      HDF5File(archive.contents(of: entry)), source: file.name, configuration: text,
      metadata: metadata)
  }

  static let weightsEntry = "model.weights.h5"
  static let configurationEntry = "config.json"

  private init(
    _ file: HDF5File, source: String, configuration: String?, metadata: [String: String]
  ) throws(DataError) {
    var metadata = metadata
    for (name, values) in file.texts[""] ?? [:] where !name.hasPrefix("layer_names") {
      metadata[name] = values.joined(separator: ", ")
    }
    let layout = try KerasLayout(file, source: source)
    let config = configuration ?? metadata["model_config"]
    metadata["model_config"] = config
    (self.configuration, layers, style) = (config, layout.layers, layout.style)
    layerNames = layout.layerNames
    var weights = Weights(source: source)
    for path in layout.paths { weights[path] = file.tensor(path) }
    weights.metadata = metadata
    let known = Set(layout.paths)
    let others = file.datasets.map(\.path).filter { !known.contains($0) }
    if layers.isEmpty {
      for (path, tensor) in file.datasets { weights[path] = tensor }
    } else if let first = others.first {
      weights.metadata["other tensors"] =
        others.count == 1 ? first : "\(first) and \(others.count - 1) more"
    }
    self.weights = weights
  }
}
