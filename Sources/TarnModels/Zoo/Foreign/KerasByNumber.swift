import TarnCore
import TarnInterop
import TarnNN

// Files of the first versions of Keras 3 do not have the names of layers, only their kinds and numbers in the order of the model's
// layers.

extension Weights {
  /// The entry of ``metadata`` that says that a file of Keras has no names of layers.
  static let namelessKey = "names of layers"

  /// Whether layers are named by kinds and numbers.
  var isNameless: Bool { metadata[Self.namelessKey] == "missing" }
}

extension Dialect {
  /// The same for a file without names of layers.
  func numbered(_ model: some Layer) -> Dialect {
    var dialect = self
    dialect.modules = [:]
    if model is InceptionV3 {
      dialect.refusal =
        "the file has no names of layers, and their order does not tell which is which; "
        + "save it by a newer Keras, or as .h5"
    }
    // Convolutions there are linear layers here where they see one pixel.
    let heads = Self.ordered(model.linearPaths)
    let isConvolutional = modules.keys.contains { $0 == "conv_preds" || $0 == "logits" }
    let shapes = Dictionary(model.namedTensors.map { ($0.name, $0.tensor.shape) }) { first, _ in
      first
    }
    let convs = Self.ordered(model.convolutionPaths)
    let apart = convs.filter { path in
      shapes["\(path).weight"].map { $0[1] == 1 && $0[0] > 1 } ?? false
    }
    let full = convs.filter { !apart.contains($0) } + (isConvolutional ? heads : [])
    add("conv2d", full, to: &dialect)
    add("depthwise_conv2d", apart, to: &dialect)
    add("batch_normalization", Self.ordered(model.normPaths), to: &dialect)
    add("dense", isConvolutional ? [] : heads, to: &dialect)
    dialect.pixelsFirst = pixelsFirst.isEmpty ? [:] : ["dense": 7]
    return dialect
  }

  private func add(_ kind: String, _ paths: [String], to dialect: inout Dialect) {
    for (place, path) in paths.enumerated() {
      dialect.modules[place == 0 ? kind : "\(kind)_\(place)"] = path
    }
  }

  /// Keras puts a shortcut's layers before the last ones of the block.
  private static func ordered(_ paths: [String]) -> [String] {
    var paths = paths
    for place in paths.indices.dropFirst() where paths[place].contains(".downsample.") {
      paths.swapAt(place, place - 1)
    }
    return paths
  }
}
