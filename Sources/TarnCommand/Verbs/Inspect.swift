import ArgumentParser
import Foundation
import Tarn

/// `tarn inspect`.
struct Inspect: Verb {
  static let configuration = CommandConfiguration(
    abstract: "Lists what is in a file of weights, arrays or a model.",
    discussion: """
      Weights and arrays: safetensors, PyTorch, Keras, MXNet, Caffe, NPZ, NPY, IDX. Of an ONNX model also its inputs, \
      outputs and operators, and all that is not supported.
      """)

  @Argument(help: ArgumentHelp("The file.", valueName: "file"))
  var file: String

  @OptionGroup var common: CommonOptions

  func answer(_ console: Console) throws -> InspectAnswer {
    let url = URL(fileURLWithPath: file)
    if Self.looksLikeIDX(url) {
      return InspectAnswer(
        file: file, format: "idx", tensors: [.init("", try IDX.read(contentsOf: url))])
    }
    let name = url.pathExtension.lowercased()
    if name == "npy" {
      return InspectAnswer(
        file: file, format: "npy", tensors: [.init("", try NPY.read(contentsOf: url))])
    }
    let weights = try Weights(contentsOf: url)
    var answer = InspectAnswer(
      file: file, format: weights.format?.rawValue ?? "weights",
      tensors: weights.all.map { .init($0.name, $0.tensor) },
      metadata: weights.metadata.sorted { $0.key < $1.key }.map {
        .init(key: $0.key, value: $0.value)
      })
    if weights.format == .onnx { answer.graph = .init(try ONNXModel(contentsOf: url)) }
    return answer
  }

  /// By the name's end, or by the magic number: two zeros, a type, a rank.
  private static func looksLikeIDX(_ url: URL) -> Bool {
    let name = url.lastPathComponent.lowercased()
    if name.hasSuffix("-ubyte") || name.hasSuffix("-ubyte.gz") || name.hasSuffix(".idx") {
      return true
    }
    guard let file = try? FileHandle(forReadingFrom: url) else { return false }
    defer { try? file.close() }
    let magic = [UInt8]((try? file.read(upToCount: 4)) ?? Data())
    return magic.count == 4 && magic[0] == 0 && magic[1] == 0
      && [8, 9, 11, 12, 13, 14].contains(magic[2]) && (1...8).contains(magic[3])
  }
}

struct InspectAnswer: Answer {
  struct Entry: Encodable {
    var name: String
    var dtype: String
    var shape: [Int]
    var bytes: Int

    init(_ name: String, _ tensor: Tensor) {
      (self.name, shape, dtype) = (name, tensor.shape, "\(tensor.dtype)")
      bytes = tensor.count * tensor.dtype.byteCount
    }
  }

  struct Note: Encodable {
    var key: String
    var value: String
  }

  var file: String
  var format: String
  var tensors: [Entry]
  var metadata: [Note] = []
  /// What an ONNX file computes.
  var graph: GraphAnswer?
  var elements: Int { tensors.reduce(0) { $0 + $1.shape.reduce(1, *) } }
  var bytes: Int { tensors.reduce(0) { $0 + $1.bytes } }

  private enum CodingKeys: CodingKey {
    case file, format, tensors, metadata, elements, bytes, graph
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(file, forKey: .file)
    try container.encode(format, forKey: .format)
    try container.encode(tensors, forKey: .tensors)
    try container.encode(metadata, forKey: .metadata)
    try container.encode(elements, forKey: .elements)
    try container.encode(bytes, forKey: .bytes)
    try container.encodeIfPresent(graph, forKey: .graph)
  }

  var text: String {
    var table = TextTable(["name", "type", "shape", "elements"], alignments: [3: .right])
    for tensor in tensors {
      table.add(
        [tensor.name, tensor.dtype, "\(tensor.shape)", Text.count(tensor.shape.reduce(1, *))])
    }
    let notes = metadata.map { "\($0.key): \($0.value)" }
    let count = "\(tensors.count) \(tensors.count == 1 ? "tensor" : "tensors")"
    let total =
      "\(file): \(format), \(count), \(Text.count(elements)) elements, \(Text.megabytes(bytes))"
    let graphText = graph.map { ["", $0.text] } ?? []
    return ([total, "", table.description] + (notes.isEmpty ? [] : [""] + notes) + graphText)
      .joined(separator: "\n")
  }
}
