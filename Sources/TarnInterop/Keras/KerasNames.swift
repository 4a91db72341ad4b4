import TarnCore
import TarnData

extension KerasFile {
  /// The variables under PyTorch's names and in its layouts, where that is mechanical.
  ///
  /// | Keras | PyTorch |
  /// |---|---|
  /// | convolution's kernel [k..., I, O] | `weight` [O, I, k...] |
  /// | depthwise kernel [H, W, C, M] | `weight` [C · M, 1, H, W] |
  /// | transposed convolution's kernel [k..., O, I] | `weight` [I, O, k...] |
  /// | dense kernel [I, O] | `weight` [O, I] |
  /// | `gamma`, `beta`, `moving_mean`, `moving_variance` | `weight`, `bias`, `running_mean`, `running_var` |
  /// | `embeddings` | `weight` |
  /// | LSTM's, GRU's kernels [I, g · H], [H, g · H], bias | `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, gates in PyTorch's order |
  ///
  /// A separable convolution becomes `depthwise.weight` and `pointwise.weight`. Layers in models within the model are named
  /// with dots. Other variables keep their names.
  public func torchWeights() throws -> Weights {
    let classes = try KerasClasses(configuration, source: weights.source)
    var result = Weights(source: weights.source)
    result.metadata = weights.metadata
    for layer in layers {
      let layer = KerasNamedLayer(layer, self, classes)
      for (name, tensor) in try layer.torchVariables(source: weights.source) {
        result[name] = tensor
      }
    }
    return result
  }
}

/// The classes of layers by their names, from a model's configuration.
package struct KerasClasses {
  private var classes: [String: String] = [:]

  package init(_ configuration: String?, source: String) throws(DataError) {
    guard let configuration else { return }
    let text = FileBytes(Array(configuration.utf8), name: "\(source):model_config")
    add(try JSON(text, 0..<text.count), depth: 0)
  }

  /// The class in small letters (`batch_normalization`), as Keras itself makes names of it.
  package subscript(name: String) -> String? { classes[name] }

  private mutating func add(_ model: JSON, depth: Int) {
    let config = model["config"]
    if let name = (model["name"] ?? config?["name"])?.string, let type = model["class_name"]?.string
    {
      classes[name] = Self.snakeCase(type)
    }
    for layer in (config?["layers"] ?? config)?.array ?? [] { add(layer, depth: depth + 1) }
    if let inner = config?["layer"] { add(inner, depth: depth + 1) }
  }

  /// `BatchNormalization` becomes `batch_normalization`, `Conv2D` becomes `conv2d`, `LSTM` becomes `lstm`.
  package static func snakeCase(_ name: String) -> String {
    let letters = Array(name)
    var result = ""
    for (i, letter) in letters.enumerated() {
      let startsWord =
        i > 0 && letter.isUppercase
        && (letters[i - 1].isLowercase || (i + 1 < letters.count && letters[i + 1].isLowercase))
      if startsWord { result += "_" }
      result += letter.lowercased()
    }
    return result
  }
}

/// One layer's variables by name.
struct KerasNamedLayer {
  /// With dots: `encoder.dense_1`.
  private let name: String
  /// In small letters: `conv2d`.
  private let type: String
  /// `_reverse` for the backward half of a bidirectional layer.
  private let suffix: String
  private let variables: [(name: String, tensor: Tensor)]

  init(_ entry: KerasFile.LayerEntry, _ file: KerasFile, _ classes: KerasClasses) {
    let isNumbered = file.style == .numbered
    let parts = isNumbered ? Self.names(entry.key, file) : [entry.key]
    suffix = entry.key.contains("/backward_layer") ? "_reverse" : ""
    name = parts.joined(separator: ".")
    let key = entry.key.split(separator: "/").map(String.init).last { !Self.inner.contains($0) }
    let type = classes[parts.last ?? ""] ?? Self.withoutNumber(key ?? "")
    self.type = type
    let known = Self.variableNames(type, entry.variables.count)
    variables = entry.variables.enumerated().map { i, variable in
      (
        isNumbered && i < known.count ? known[i] : Self.modern(variable.name, of: entry.key),
        variable.tensor
      )
    }
  }

  /// The name that a variable of Keras 1, as `conv1_W_1` of the layer `conv1`, has since.
  private static func modern(_ variable: String, of layer: String) -> String {
    guard variable.hasPrefix("\(layer)_") else { return variable }
    let names = [
      "W": "kernel", "b": "bias", "gamma": "gamma", "beta": "beta", "running_mean": "moving_mean",
      "running_std": "moving_variance",
    ]
    return names[withoutNumber(String(variable.dropFirst(layer.count + 1)))] ?? variable
  }

  /// Parts of paths that are no layers of a model.
  private static let inner: Set<String> = [
    "layers", "_layer_checkpoint_dependencies", "cell", "forward_layer", "backward_layer",
  ]

  /// The layers' own names along a path, or where the file does not tell them their classes and numbers.
  private static func names(_ key: String, _ file: KerasFile) -> [String] {
    var path: [String] = []
    var names: [String] = []
    for part in key.split(separator: "/").map(String.init) {
      path.append(part)
      if inner.contains(part) { continue }
      names.append(file.layerNames[path.joined(separator: "/")] ?? part)
    }
    return names
  }

  /// `conv2d_1` without its number.
  private static func withoutNumber(_ name: String) -> String {
    guard let mark = name.lastIndex(of: "_"), Int(name[name.index(after: mark)...]) != nil else {
      return name
    }
    return String(name[..<mark])
  }

  /// The names of a layer's variables in their order, where their count leaves no doubt.
  private static func variableNames(_ type: String, _ count: Int) -> [String] {
    switch (type, count) {
    case ("batch_normalization", 4): ["gamma", "beta", "moving_mean", "moving_variance"]
    case ("batch_normalization", 2): ["moving_mean", "moving_variance"]
    case ("layer_normalization", 2), ("group_normalization", 2): ["gamma", "beta"]
    case ("embedding", 1): ["embeddings"]
    case ("normalization", _): ["mean", "variance", "count"]
    case ("p_re_lu", 1): ["alpha"]
    case _ where type.hasPrefix("separable_conv"): ["depthwise_kernel", "pointwise_kernel", "bias"]
    case ("lstm", _), ("gru", _), ("simple_rnn", _), ("bidirectional", _):
      ["kernel", "recurrent_kernel", "bias"]
    case _ where type == "dense" || type.contains("conv"): ["kernel", "bias"]
    default: []
    }
  }

  func torchVariables(source: String) throws(DataError) -> [(String, Tensor)] {
    if let recurrent = variables.first(where: { $0.name == "recurrent_kernel" })?.tensor {
      return try recurrentVariables(recurrent, source: source)
    }
    return variables.map { variable in
      let (short, tensor) = convert(variable.name, variable.tensor)
      return ("\(name).\(short)", tensor)
    }
  }

  private func convert(_ variable: String, _ tensor: Tensor) -> (String, Tensor) {
    switch variable {
    case "kernel" where type.hasPrefix("depthwise"):
      ("weight", KerasKernels.depthwise(tensor))
    case "depthwise_kernel":
      (type.hasPrefix("separable") ? "depthwise.weight" : "weight", KerasKernels.depthwise(tensor))
    case "pointwise_kernel": ("pointwise.weight", KerasKernels.convolution(tensor))
    case "kernel": ("weight", KerasKernels.convolution(tensor))
    case "embeddings", "gamma": ("weight", tensor)
    case "beta": ("bias", tensor)
    case "moving_mean": ("running_mean", tensor)
    case "moving_variance": ("running_var", tensor)
    default: (variable, tensor)
    }
  }

  private func recurrentVariables(
    _ recurrent: Tensor, source: String
  ) throws(DataError) -> [(String, Tensor)] {
    guard recurrent.rank == 2, recurrent.shape[0] > 0,
      let kernel = variables.first(where: { $0.name == "kernel" })?.tensor, kernel.rank == 2
    else {
      throw DataError(
        .invalid, file: source, reason: "the recurrent layer '\(name)' has no kernels of two axes")
    }
    let gates = recurrent.shape[1] / recurrent.shape[0]
    let bias = variables.first { $0.name == "bias" }?.tensor
    if gates == 3, let bias, bias.rank == 1 {
      throw DataError(
        .unsupported, file: source,
        reason: "the layer '\(name)' is a GRU with reset_after=False, which PyTorch's GRU is not")
    }
    func ordered(_ tensor: Tensor) -> Tensor {
      gates == 3 ? KerasKernels.torchGates(tensor) : tensor
    }
    var result = [
      ("\(name).weight_ih_l0\(suffix)", ordered(kernel).transposed()),
      ("\(name).weight_hh_l0\(suffix)", ordered(recurrent).transposed()),
    ]
    if let bias {
      let own = ordered(bias)
      let isDouble = bias.rank == 2
      result += [
        ("\(name).bias_ih_l0\(suffix)", isDouble ? own[0] : own),
        ("\(name).bias_hh_l0\(suffix)", isDouble ? own[1] : Tensor.zeros(own.shape)),
      ]
    }
    return result
  }
}

/// Keras's layouts of kernels turned into PyTorch's.
package enum KerasKernels {
  /// [k..., I, O] to [O, I, k...]; of transposed convolutions [k..., O, I] to [I, O, k...]; dense [I, O] to [O, I].
  package static func convolution(_ kernel: Tensor) -> Tensor {
    let rank = kernel.rank
    guard rank >= 2 else { return kernel }
    return kernel.permuted([rank - 1, rank - 2] + Array(0..<(rank - 2)))
  }

  /// [k..., C, M] to [C · M, 1, k...].
  package static func depthwise(_ kernel: Tensor) -> Tensor {
    let rank = kernel.rank
    guard rank >= 3 else { return kernel }
    let sizes = Array(kernel.shape.dropLast(2))
    let channels = kernel.shape[rank - 2] * kernel.shape[rank - 1]
    return kernel.permuted([rank - 2, rank - 1] + Array(0..<(rank - 2)))
      .reshaped([channels, 1] + sizes)
  }

  /// The last axis of a GRU's variables from the order update, reset, new to PyTorch's reset, update, new.
  package static func torchGates(_ tensor: Tensor) -> Tensor {
    let axis = tensor.rank - 1
    guard axis >= 0, tensor.shape[axis].isMultiple(of: 3) else { return tensor }
    let gates = tensor.split(3, axis: axis)
    return Tensor.concatenated([gates[1], gates[0], gates[2]], axis: axis)
  }
}
