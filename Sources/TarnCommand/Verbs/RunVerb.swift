import ArgumentParser
import Foundation
import Tarn

/// `tarn run`.
struct RunVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Feeds named tensors to a network and keeps what comes out.",
    discussion: """
      A network of the zoo reads `input`, [n, channels, height, width], and writes `logits`, [n, classes]. An ONNX file \
      has names of its own; `tarn inspect FILE.onnx` shows them.
      """)

  @Argument(
    help: ArgumentHelp("A network of the zoo, or an ONNX file.", valueName: "model|file.onnx"))
  var what: String

  @Option(help: ArgumentHelp("Tensors by name: .safetensors or .npz.", valueName: "file"))
  var input: String

  @Option(
    help: ArgumentHelp("Where to write what comes out: .safetensors or .npz.", valueName: "file"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      "The file with the weights. (default: published ones from the cache)", valueName: "file"))
  var weights: String?

  @OptionGroup var common: CommonOptions

  func answer(_ console: Console) throws -> RunAnswer {
    let given = try Weights(contentsOf: URL(fileURLWithPath: input))
    let network = try Network.open(what, weights: weights, console: console)
    let names = network.inputNames
    let missing = names.filter { given[$0] == nil }
    guard missing.count < names.count || names.isEmpty else {
      throw DataError(
        .invalid, file: input,
        reason: "has no tensor '\(missing[0])', which \(network.name) reads",
        hint: "it has \(given.names.map { "'\($0)'" }.joined(separator: ", "))")
    }
    let ignored = given.names.filter { !names.contains($0) }
    if !ignored.isEmpty {
      console.note("not read by \(network.name): \(ignored.joined(separator: ", "))")
    }
    var inputs: [String: Tensor] = [:]
    for name in names { inputs[name] = given[name] }
    let results: [(name: String, tensor: Tensor)]
    let start = Date()
    do { results = try Diagnostic.catching { try network.run(inputs) } } catch let error
      as Diagnostic
    {
      throw DataError(.invalid, file: input, reason: "does not fit \(network.name)\n\(error)")
    }
    let seconds = Date().timeIntervalSince(start)
    if let output { try Weights(results).write(to: URL(fileURLWithPath: output)) }
    return RunAnswer(
      model: network.name, weights: network.weights.map(Paths.shown), input: input, output: output,
      ignored: ignored, seconds: seconds, outputs: results.map { .init($0.name, $0.tensor) })
  }
}

struct RunAnswer: Answer {
  /// What can be said of one tensor in a line.
  struct Output: Encodable {
    var name: String
    var dtype: String
    var shape: [Int]
    var minimum: Double?
    var maximum: Double?
    var mean: Double?
    /// The elements, where they are few.
    var values: [Double]?

    init(_ name: String, _ tensor: Tensor) {
      (self.name, shape, dtype) = (name, tensor.shape, "\(tensor.dtype)")
      guard tensor.count > 0 else { return }
      let numbers = tensor.cast(to: .float64)
      minimum = numbers.min().item()
      maximum = numbers.max().item()
      mean = numbers.mean().item()
      values = tensor.count <= 32 ? numbers.array(of: Double.self) : nil
    }
  }

  var model: String
  var weights: String?
  var input: String
  var output: String?
  var ignored: [String]
  var seconds: Double
  var outputs: [Output]

  var text: String {
    var table = TextTable(
      ["output", "type", "shape", "least", "greatest", "mean"],
      alignments: [3: .right, 4: .right, 5: .right])
    for output in outputs {
      table.add(
        [output.name, output.dtype, "\(output.shape)"]
          + [output.minimum, output.maximum, output.mean].map { $0.map { Text.number($0) } ?? "–" })
    }
    let place = output.map { "\n\nwritten to \($0)" } ?? ""
    return "\(model) in \(Text.seconds(seconds))\n\n\(table.description)\(place)"
  }
}
