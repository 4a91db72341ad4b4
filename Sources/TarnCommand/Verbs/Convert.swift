import ArgumentParser
import Foundation
import Tarn

/// `tarn convert`.
struct Convert: Verb {
  static let configuration = CommandConfiguration(
    abstract: "Writes a file of weights in another format.",
    discussion: """
      The input's format is told by its contents, the output's by the end of its name.
      """)

  @Argument(help: ArgumentHelp("A file of weights in any format that is read.", valueName: "in"))
  var input: String

  @Argument(help: ArgumentHelp("The file to write: .safetensors, .npz", valueName: "out"))
  var output: String

  @Option(help: "Another element type for floating-point tensors.")
  var dtype: FloatKind?

  @Option(
    help: ArgumentHelp("Only tensors whose names begin so, without it.", valueName: "prefix"))
  var strip: String?

  @Flag(help: "Replace the output if it is there.")
  var force = false

  @OptionGroup var common: CommonOptions

  func answer(_ console: Console) throws -> ConvertAnswer {
    let (source, target) = (URL(fileURLWithPath: input), URL(fileURLWithPath: output))
    if !force, FileManager.default.fileExists(atPath: target.path) {
      throw DataError(
        .unwritable, file: output, reason: "is there already", hint: "give --force to replace it")
    }
    var weights = try Weights(contentsOf: source)
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
