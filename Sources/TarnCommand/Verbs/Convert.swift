import ArgumentParser
import Foundation
import Tarn

/// `tarn convert`.
struct Convert: Verb {
  static let configuration = CommandConfiguration(
    abstract: "Writes a file of weights in another format, or a network as ONNX.",
    discussion: """
      The input's format is told by its contents, the output's by the end of its name. ONNX needs the network too: a \
      run's folder as input, or --model with a file of weights for it.
      """)

  @Argument(
    help: ArgumentHelp(
      "A file of weights in any format that is read, or a run's folder.", valueName: "in"))
  var input: String

  @Argument(
    help: ArgumentHelp(
      "The file to write: .safetensors, .npz, .pt, .pth or .onnx.", valueName: "out"))
  var output: String

  @Option(help: "The network of the zoo that the weights are for, to write .onnx.")
  var model: String?

  @Option(help: "The version of ONNX's operators to write for.")
  var opset = 17

  @Option(help: "Another element type for floating-point tensors.")
  var dtype: FloatKind?

  @Option(
    help: ArgumentHelp("Only tensors whose names begin so, without it.", valueName: "prefix"))
  var strip: String?

  @Flag(help: "Replace the output if it is there.")
  var force = false

  @OptionGroup var common: CommonOptions

  func validate() throws {
    let isONNX = output.lowercased().hasSuffix(".onnx")
    if model != nil && !isONNX { throw ValidationError("--model is for an output in .onnx.") }
    if isONNX && (dtype != nil || strip != nil) {
      throw ValidationError("--dtype and --strip are for files of weights, not for .onnx.")
    }
    guard (17...21).contains(opset) else {
      throw ValidationError("--opset \(opset): give a number from 17 to 21.")
    }
  }

  func answer(_ console: Console) throws -> ConvertAnswer {
    let (source, target) = (URL(fileURLWithPath: input), URL(fileURLWithPath: output))
    if !force, FileManager.default.fileExists(atPath: target.path) {
      throw DataError(
        .unwritable, file: output, reason: "is there already", hint: "give --force to replace it")
    }
    if output.lowercased().hasSuffix(".onnx") { return try network(to: target) }
    var weights = try Weights(contentsOf: Self.weights(source))
    if let strip { weights = weights.strippingPrefix(strip) }
    guard weights.count > 0 else {
      throw DataError(
        .invalid, file: input,
        reason: strip.map { "no tensor's name begins with '\($0)'" } ?? "holds no tensors",
        hint: "`tarn inspect` lists what is in it")
    }
    if let dtype {
      for (name, tensor) in weights.all where tensor.dtype.isFloating {
        weights[name] = tensor.cast(to: dtype.dtype)
      }
    }
    try weights.write(to: target)
    let bytes = try target.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
    return ConvertAnswer(
      input: input, output: output, tensors: weights.count, elements: weights.elementCount,
      bytes: bytes)
  }
}

extension Convert {
  /// The file itself, or that of a run.
  private static func weights(_ source: URL) throws -> URL {
    var isFolder: ObjCBool = false
    let isThere = FileManager.default.fileExists(atPath: source.path, isDirectory: &isFolder)
    guard isThere, isFolder.boolValue else { return source }
    return try Paths.run(source.path).url("model.safetensors")
  }

  private func network(to target: URL) throws -> ConvertAnswer {
    let (network, shape) = try network()
    func write(_ layer: some Layer) throws -> ConvertAnswer {
      try layer.exportONNX(
        to: target, inputs: [("input", .zeros([1] + shape))],
        options: ONNXExportOptions(opset: opset)
      ) { layer, inputs in inputs["input"].map { ["logits": layer($0)] } ?? [:] }
      let bytes = try target.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
      let tensors = layer.namedTensors
      return ConvertAnswer(
        input: input, output: output, tensors: tensors.count,
        elements: tensors.reduce(0) { $0 + $1.tensor.count }, bytes: bytes)
    }
    return try write(network)
  }

  private func network() throws -> (any Layer, shape: [Int]) {
    if let model {
      let loaded = try Zoo.load(Zoo.entry(model), contentsOf: URL(fileURLWithPath: input))
      let size = loaded.preprocessing.outputSize ?? Array(loaded.inputShape.suffix(2))
      return (loaded.model, [loaded.inputShape[0]] + size)
    }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: input, isDirectory: &isFolder), isFolder.boolValue
    else {
      throw DataError(
        .unsupported, file: input, reason: "does not say which network its weights are for",
        hint: "give --model, a network of the zoo, or the folder of a run as input")
    }
    let run = try Paths.run(input)
    return (try run.model(), try run.card().inputShape)
  }
}

/// Types that weights can be written in.
enum FloatKind: String, CaseIterable, ExpressibleByArgument {
  case float64, float32, float16, bfloat16

  var dtype: DType {
    switch self {
    case .float64: .float64
    case .float32: .float32
    case .float16: .float16
    case .bfloat16: .bfloat16
    }
  }
}

struct ConvertAnswer: Answer {
  var input: String
  var output: String
  var tensors: Int
  var elements: Int
  var bytes: Int

  var text: String {
    "\(output): \(tensors) tensors, \(Text.count(elements)) elements, \(Text.megabytes(bytes))"
  }
}
