import Foundation
import Tarn

/// A network that the command was told of by name or file, with its weights: of the zoo, ONNX's or Keras's.
struct Network {
  enum Body {
    /// Of the zoo: it reads `input` and writes `logits`.
    case layer(any Layer)
    case onnx(ONNXModel)
    case keras(KerasModel)
  }

  /// As given.
  let name: String
  let body: Body
  /// Where the weights are from; nil for ones inside an ONNX file.
  let weights: URL?
  /// What pictures go through; nil where the network is not one for pictures.
  let preprocessing: Preprocessing?
  /// Whether the rule for pictures is only a guess.
  let isGuessed: Bool
  /// The names of its classes; nil where they are not known.
  let labels: ClassLabels?
  let inputShape: [Int]

  /// How names of files with whole networks end.
  private static let files = ["onnx", "keras", "h5", "hdf5"]

  /// Whether this is a network of the zoo or a file with one, and not a run.
  static func isMeant(by what: String) -> Bool {
    let isKnown = (try? Zoo.entry(what)) != nil
    if let isFolder = Paths.isFolder(what) {
      // Weights often lie in a folder of the network's name, which is no run.
      return !isFolder || (isKnown && !Paths.isRun(what))
    }
    return isKnown || isNamedAsFile(what) || suggestion(for: what, among: Zoo.names) != nil
  }

  private static func isNamedAsFile(_ what: String) -> Bool {
    files.contains((what as NSString).pathExtension.lowercased())
  }

  /// - Parameter change: what is said of the rule for pictures.
  static func open(
    _ what: String, weights: String?, console: Console,
    change: (Preprocessing) -> Preprocessing = { $0 }
  ) throws -> Network {
    if Paths.isFolder(what) == false { return try file(what, weights, change) }
    if isNamedAsFile(what) {
      throw DataError(
        .missing, file: what, reason: "there is no such file",
        hint: "check the spelling and the folder you are in")
    }
    let entry = try Zoo.entry(what)
    let place = try weights.map { URL(fileURLWithPath: $0) } ?? cached(entry)
    let loaded = try Zoo.load(entry, contentsOf: place)
    if let published = loaded.published {
      console.note("weights: \(published.name), \(published.resource.file)")
    } else if let origin = loaded.origin {
      console.note("weights: \(origin)'s names and its way of computing and of reading pictures")
    }
    return Network(
      name: entry.name, body: .layer(loaded.model), weights: place,
      preprocessing: change(loaded.preprocessing), labels: loaded.labels,
      inputShape: loaded.inputShape)
  }

  /// The first published weights that were fetched.
  static func cached(_ entry: Zoo.Entry) throws -> URL {
    let folder = Resource.folder(for: .weights)
    let found = entry.weights.lazy.compactMap { $0.resource.found(in: folder) }.first
    if let found { return found }
    let isPublished = entry.weights.contains { $0.instructions == nil }
    throw DataError(
      .missing, file: entry.name, reason: "its weights are not here",
      hint: (isPublished ? "tarn weights get \(entry.name), or " : "")
        + "give the file with --weights; `tarn weights list` says where there are some")
  }

  private static func file(
    _ path: String, _ weights: String?, _ change: (Preprocessing) -> Preprocessing
  ) throws -> Network {
    if let weights {
      throw DataError(
        .unsupported, file: path,
        reason: "has its own weights, so --weights \(weights) is not used",
        hint: "leave --weights out, or name a network of the zoo")
    }
    let url = URL(fileURLWithPath: path)
    if ["keras", "h5", "hdf5"].contains(url.pathExtension.lowercased()) {
      let model = try KerasModel(contentsOf: url)
      return Network(
        path, .keras(model), [model.inputs.map(\.shape)].flatMap { $0 }, change: change)
    }
    let model = try ONNXModel(contentsOf: url)
    return Network(path, .onnx(model), model.inputs.map { $0.shape ?? [] }, change: change)
  }

  private init(
    _ path: String, _ body: Body, _ inputs: [[Int?]], change: (Preprocessing) -> Preprocessing
  ) {
    let shape = inputs.count == 1 ? inputs[0].dropFirst().map { $0 ?? 0 } : []
    // [n, C, H, W] or [n, H, W, C]
    let side = shape.count == 3 ? max(shape[2] == 3 ? shape[0] : shape[2], 0) : 0
    let size = side > 0 ? side : 224
    let isForPictures = inputs.count == 1 && (inputs[0].isEmpty || shape.count == 3)
    let rule = Preprocessing(resize: .shortSide(size * 256 / 224), crop: [size, size])
    (name, self.body, weights, labels) = (path, body, nil, nil)
    (preprocessing, isGuessed) = (isForPictures ? change(rule) : nil, true)
    inputShape = shape
  }

  private init(
    name: String, body: Body, weights: URL?, preprocessing: Preprocessing?, labels: ClassLabels?,
    inputShape: [Int]
  ) {
    (self.name, self.body, self.weights) = (name, body, weights)
    (self.preprocessing, isGuessed, self.labels) = (preprocessing, false, labels)
    self.inputShape = inputShape
  }

  /// Names of what it reads.
  var inputNames: [String] {
    switch body {
    case .layer: ["input"]
    case .onnx(let model): model.inputs.map(\.name)
    case .keras(let model): model.inputs.map(\.name)
    }
  }

  /// What it makes of tensors, by name, in order.
  func run(_ inputs: [String: Tensor]) throws -> [(name: String, tensor: Tensor)] {
    switch body {
    case .layer(let layer):
      guard let input = inputs["input"] else { return [] }
      return [("logits", Self.logits(layer, input))]
    case .onnx(let model):
      let results = try Phase.inference { try model.run(inputs) }
      Tensor.evaluate(Array(results.values))
      return model.outputs.compactMap { port in results[port.name].map { (port.name, $0) } }
    case .keras(let model):
      let results = try model.run(inputs)
      Tensor.evaluate(results.map(\.tensor))
      return results
    }
  }

  /// What it makes of pictures [n, 3, H, W]: [n, classes].
  func classify(_ pictures: Tensor) throws -> Tensor {
    switch body {
    case .layer(let layer): return Self.logits(layer, pictures)
    case .onnx, .keras:
      let isChannelsLast = inputShape.count == 3 && inputShape[2] == 3 && inputShape[0] != 3
      let input = isChannelsLast ? pictures.permuted([0, 2, 3, 1]) : pictures
      let count = pictures.shape[0]
      let size = fixedBatch ?? count
      let outputs = try stride(from: 0, to: count, by: size).map { start in
        let part = input[start..<min(count, start + size)]
        guard let output = try run([inputNames[0]: part]).first?.tensor else { return part }
        return output.flattened(from: 1)
      }
      return outputs.count == 1 ? outputs[0] : Tensor.concatenated(outputs, axis: 0)
    }
  }

  /// Many ONNX files take one picture at a time.
  private var fixedBatch: Int? {
    guard case .onnx(let model) = body, let shape = model.inputs.first?.shape else { return nil }
    return shape.first.flatMap { $0 }.flatMap { $0 > 0 ? $0 : nil }
  }

  /// The names of its classes, from a text or as they are known, and how many outputs come before the first; no
  /// names where none are known.
  func names(_ outputs: Int, _ file: String?) throws -> (names: [String], firstClass: Int) {
    if let file { return try LabelFile.read(file, outputs: outputs) }
    guard let labels, labels.names.count == outputs else { return ([], 0) }
    return (labels.names, labels.firstClass)
  }

  /// The softmax of logits; many ONNX and Keras files have it in them.
  static func probabilities(_ outputs: Tensor) -> Tensor {
    let sums = outputs.sum(axes: [-1])
    let isShares = outputs.min().item() >= 0 && (sums - 1).abs().max().item() < 1e-3
    return isShares ? outputs : outputs.softmax(axis: -1)
  }

  private static func logits(_ layer: some Layer, _ input: Tensor) -> Tensor {
    predict(layer, features: input, batchSize: 16)
  }
}
