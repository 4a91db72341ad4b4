import Tarn

/// Tensors that a module stores but does not encode, by property path: they would be lost when it is trained, saved or
/// loaded. A hand-written `CodingKeys` that leaves a field out does that without a word from the compiler.
///
/// ```swift
/// #expect(forgottenTensors(in: MyModel()).isEmpty)
/// ```
public func forgottenTensors<M: Module>(in module: M) -> [String] {
  let encoded = Set(module.tensors(.all).map { ObjectIdentifier($0.node) })
  var forgotten: [String] = []
  func walk(_ value: Any, _ path: String) {
    if let tensor = value as? Tensor {
      if !encoded.contains(ObjectIdentifier(tensor.node)) { forgotten.append(path) }
      return
    }
    for (index, child) in Mirror(reflecting: value).children.enumerated() {
      let label = child.label ?? String(index)
      walk(child.value, path.isEmpty ? label : "\(path).\(label)")
    }
  }
  walk(module, "")
  return forgotten
}
