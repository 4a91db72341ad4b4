import TarnCore
import TarnData
import TarnInterop

/// Finds the variables of a model's layers in a file.
struct KerasFilling {
  private let file: KerasFile
  private let entries: [String: KerasFile.LayerEntry]
  /// Paths of layers by the paths of the models they lie in and their names.
  private let paths: [String: String]
  private(set) var problems: [String] = []
  /// In the order of the graph's operations.
  private(set) var variables: [Tensor] = []
  private(set) var used: Set<String> = []

  init(_ file: KerasFile, _ description: KerasDescription) {
    self.file = file
    entries = Dictionary(file.layers.map { ($0.key, $0) }) { first, _ in first }
    var paths: [String: String] = [:]
    for (path, name) in file.layerNames {
      let parent = path.split(separator: "/").dropLast().joined(separator: "/")
      paths["\(parent)/\(name)"] = path
    }
    self.paths = paths
    fill(description, group: "", outer: nil)
  }

  private mutating func fill(_ description: KerasDescription, group: String, outer: String?) {
    var counts: [String: Int] = [:]
    for layer in description.layers {
      let type = KerasClasses.snakeCase(layer.type)
      let number = counts[type, default: 0]
      counts[type] = number + 1
      let path = self.path(layer, group, number > 0 ? "\(type)_\(number)" : type)
      switch layer.content {
      case .input: continue
      case .model(let inner): fill(inner, group: "\(path)/", outer: outer ?? layer.name)
      case .operation(let operation):
        let found =
          file.style == .numbered
          ? numbered(operation, path) : named(operation, layer.name, outer: outer)
        take(found, operation, layer)
      }
    }
  }

  /// The path of a layer's group in Keras 3: by its name if the file tells names, else by its class and number.
  private func path(_ layer: KerasDescription.Layer, _ group: String, _ key: String) -> String {
    if let path = paths["\(group)layers/\(layer.name)"] { return path }
    let old = "\(group)_layer_checkpoint_dependencies/\(key)"
    let isOld = entries.keys.contains { $0 == old || $0.hasPrefix(old + "/") }
    return isOld ? old : "\(group)layers/\(key)"
  }

  private mutating func numbered(_ operation: any KerasOperation, _ path: String) -> [Tensor] {
    var next: [String: Int] = [:]
    return operation.variables.compactMap { variable in
      let owner = variable.part.isEmpty ? path : "\(path)/\(variable.part)"
      let index = next[owner, default: 0]
      next[owner] = index + 1
      guard let own = entries[owner]?.variables, index < own.count else { return nil }
      used.insert(own[index].path)
      return own[index].tensor
    }
  }

  /// Layers of models within the model lie in the entry of the outermost one, and are told by their names.
  private mutating func named(
    _ operation: any KerasOperation, _ name: String, outer: String?
  ) -> [Tensor] {
    guard let entry = entries[outer ?? name] else { return [] }
    var own = entry.variables
    if outer != nil {
      own = own.filter { $0.path.split(separator: "/").dropLast().contains { $0 == name } }
    }
    // Trainable variables come first.
    let wanted =
      operation.variables.filter(\.isTrainable) + operation.variables.filter { !$0.isTrainable }
    guard own.count == wanted.count else { return [] }
    for variable in own { used.insert("\(entry.key)/\(variable.path)") }
    return operation.variables.compactMap { variable in
      wanted.firstIndex(of: variable).map { own[$0].tensor }
    }
  }

  private mutating func take(
    _ found: [Tensor], _ operation: any KerasOperation, _ layer: KerasDescription.Layer
  ) {
    let wanted = operation.variables
    guard found.count == wanted.count else {
      problems.append(
        "\(layer.name) (\(layer.type)): \(wanted.map(\.name).joined(separator: ", ")) are not all in the file"
      )
      return
    }
    for (variable, tensor) in zip(wanted, found) {
      if variable.fits(tensor) {
        variables.append(tensor.dtype.isFloating ? tensor.cast(to: .float32) : tensor)
      } else {
        let shape = (variable.shape ?? []).map { $0.map(String.init) ?? "any" }
        problems.append(
          "\(layer.name) (\(layer.type)): its \(variable.name) should be "
            + "[\(shape.joined(separator: ", "))], the file has \(tensor.shape)")
      }
    }
  }
}
