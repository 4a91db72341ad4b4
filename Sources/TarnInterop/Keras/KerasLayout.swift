import TarnCore
import TarnData

/// Where Keras puts the variables of layers in HDF5.
struct KerasLayout {
  private(set) var layers: [KerasFile.LayerEntry] = []
  /// The paths of all variables, in order.
  private(set) var paths: [String] = []
  let style: KerasFile.Style
  /// In Keras 3: the names of layers by the paths of their groups.
  private(set) var layerNames: [String: String] = [:]

  init(_ file: HDF5File, source: String) throws(DataError) {
    // Whole models have their weights in a group of that name.
    let root = ["", "model_weights"].first { Self.names("layer_names", at: $0, in: file) != nil }
    if let root, let names = Self.names("layer_names", at: root, in: file) {
      style = .named
      for name in names { try addNamed(name, root, file, source) }
    } else {
      style = .numbered
      addNumbered(file)
    }
  }

  /// A list of names in an attribute; one that is too long for an attribute is cut into `NAME0`, `NAME1`, ….
  private static func names(_ name: String, at path: String, in file: HDF5File) -> [String]? {
    guard let attributes = file.texts[path] else { return nil }
    if let whole = attributes[name] { return whole }
    var all: [String] = []
    var piece = 0
    while let part = attributes["\(name)\(piece)"] {
      all += part
      piece += 1
    }
    // An empty list is written as an array of no numbers.
    return piece > 0 || file.numbers[path]?[name]?.isEmpty == true ? all : nil
  }

  private mutating func addNamed(
    _ layer: String, _ root: String, _ file: HDF5File, _ source: String
  ) throws(DataError) {
    let group = root.isEmpty ? layer : "\(root)/\(layer)"
    var variables: [KerasFile.Variable] = []
    for name in Self.names("weight_names", at: group, in: file) ?? [] {
      let path = "\(group)/\(name)"
      guard let tensor = file.tensor(path) else {
        let reason = file.skipped.first { $0.path == path }?.reason ?? "it is not there"
        throw DataError(
          .invalid, file: source, reason: "the weight '\(path)' cannot be read: \(reason)",
          hint: "the file is damaged; fetch or save it again")
      }
      variables.append(KerasFile.Variable(name: Self.bareName(name), path: name, tensor: tensor))
      paths.append(path)
    }
    layers.append(KerasFile.LayerEntry(key: layer, variables: variables))
  }

  /// `conv2d_1/kernel:0` is the kernel.
  private static func bareName(_ name: String) -> String {
    let last = name.split(separator: "/").last.map(String.init) ?? name
    return last.split(separator: ":").first.map(String.init) ?? last
  }

  /// `layers/dense/vars/0`, `layers/lstm/cell/vars/0`, and so on within models within models. Variables of one layer follow
  /// each other by the numbers in their paths, parts of a layer in the order of their names but forward before backward.
  private mutating func addNumbered(_ file: HDF5File) {
    var order: [String] = []
    var found: [String: [(path: String, number: Int, tensor: Tensor)]] = [:]
    for (path, tensor) in file.datasets {
      let parts = path.split(separator: "/").map(String.init)
      guard parts.count >= 3, parts[parts.count - 2] == "vars",
        let number = Int(parts[parts.count - 1]),
        parts[0] != "optimizer"
      else { continue }
      let owner = parts.dropLast(2).joined(separator: "/")
      if found[owner] == nil { order.append(owner) }
      found[owner, default: []].append((path, number, tensor))
    }
    for owner in order {
      let variables = (found[owner] ?? []).sorted { $0.number < $1.number }
      paths += variables.map(\.path)
      layers.append(
        KerasFile.LayerEntry(
          key: owner,
          variables: variables.map {
            KerasFile.Variable(name: "\($0.number)", path: $0.path, tensor: $0.tensor)
          }))
    }
    for (path, texts) in file.texts where path.hasSuffix("/vars") {
      layerNames[String(path.dropLast("/vars".count))] = texts["name"]?.first
    }
  }
}
