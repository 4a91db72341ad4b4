import Foundation
import Tarn
import Testing

/// Docs/ErrorMessages.md shows what the library says; here it is made to say it.
@Suite struct ErrorMessagesTests {
  /// A mistake by its heading in the page. The page's code is that of the closure, line by line.
  private static let mistakes: [(heading: String, make: @Sendable (URL) throws -> Void)] = [
    (
      "Matrix product",
      { _ in
        _ = Tensor.zeros([32, 28, 28]).matmul(Tensor.zeros([784, 128]))
      }
    ),
    (
      "Broadcasting",
      { _ in
        _ = Tensor.zeros([2, 3]) + Tensor.zeros([2])
      }
    ),
    (
      "Reshaping",
      { _ in
        _ = Tensor.zeros([24]).reshaped(3, 4)
      }
    ),
    (
      "Condition",
      { _ in
        let x = Tensor.zeros([2, 3])
        _ = which(x, x, 0)
      }
    ),
    (
      "Index type",
      { _ in
        _ = Tensor.zeros([2, 3]).take(Tensor([0.0]))
      }
    ),
    (
      "Axis",
      { _ in
        _ = Tensor.zeros([2, 3]).sum(2)
      }
    ),
    (
      "Element",
      { _ in
        _ = Tensor.zeros([2, 3])[2]
      }
    ),
    (
      "Linear",
      { _ in
        _ = Linear(784, 128)(Tensor.zeros([32, 1, 28, 28]))
      }
    ),
    (
      "Channels last",
      { _ in
        _ = Conv2d(3, 8, kernel: 3)(Tensor.zeros([2, 16, 16, 3]))
      }
    ),
    (
      "No batch axis",
      { _ in
        _ = Conv2d(3, 8, kernel: 3)(Tensor.zeros([3, 16, 16]))
      }
    ),
    (
      "Bytes",
      { _ in
        _ = Conv2d(3, 8, kernel: 3)(Tensor.zeros([2, 3, 16, 16], dtype: .uint8))
      }
    ),
    (
      "Residual",
      { _ in
        let block = Residual(Conv2d(2, 2, kernel: 3))
        _ = block(Tensor.zeros([1, 2, 5, 5]))
      }
    ),
    (
      "Label range",
      { _ in
        let labels = Tensor([1, 4, 10, 7])
        _ = crossEntropy(Tensor.zeros([4, 10]), labels)
      }
    ),
    (
      "Label type",
      { _ in
        let labels = Tensor([1.0, 4.0, 9.0, 7.0])
        _ = crossEntropy(Tensor.zeros([4, 10]), labels)
      }
    ),
    (
      "Predictions and targets",
      { _ in
        _ = squaredError(Tensor.zeros([8, 1]), Tensor.zeros([8]))
      }
    ),
    (
      "Loss that is not a number",
      { _ in
        let features = Tensor.full([4, 2], Double.nan)
        let data = TensorSource(features: features, labels: Tensor.zeros([4], dtype: .int64))
        var model = LinearClassifier(inputShape: [2], classes: 3)
        try fit(&model, Classification(), train: data)
      }
    ),
    (
      "Weights that do not fit",
      { _ in
        let weights = Weights([("weight", Tensor.zeros([2, 3])), ("scale", Tensor.zeros([2]))])
        _ = try Linear(4, 2).loading(weights)
      }
    ),
    (
      "No such file",
      { folder in
        let file = folder.appendingPathComponent("model.safetensors")
        _ = try Weights(contentsOf: file)
      }
    ),
    (
      "File cut short",
      { folder in
        let file = folder.appendingPathComponent("model.safetensors")
        try Linear(4, 2).save(to: folder)
        try Data(contentsOf: file).dropLast(8).write(to: file)
        _ = try Weights(contentsOf: file)
      }
    ),
    (
      "Configuration of another model",
      { folder in
        try Linear(4, 2).save(to: folder)
        _ = try BatchNorm1d(contentsOf: folder)
      }
    ),
  ]

  private static func text(of mistake: (URL) throws -> Void) throws -> String {
    let folder = try TemporaryFolder()
    do {
      try Diagnostic.catching { try mistake(folder.url) }
      return ""
    } catch {
      return "\(error)".replacing(folder.url.path, with: "FOLDER")
    }
  }

  @Test func thePageShowsWhatIsSaid() throws {
    let page = try Page()
    #expect(page.examples.map(\.heading) == Self.mistakes.map(\.heading))
    let source = try String(contentsOfFile: #filePath, encoding: .utf8)
    for (example, mistake) in zip(page.examples, Self.mistakes) {
      let said = try Self.text(of: mistake.make)
      #expect(example.message == said, "\(example.heading)")
      for line in example.code.split(separator: "\n") {
        #expect(source.contains(line.trimmingCharacters(in: .whitespaces)), "\(example.heading)")
      }
    }
  }
}

/// The examples of the page: a heading, a block of code, a block with the message.
private struct Page {
  struct Example {
    var heading: String
    var code = ""
    var message = ""
  }
  var examples: [Example] = []

  init() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Docs/ErrorMessages.md")
    let blocks = try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n### ")
    for block in blocks.dropFirst() {
      var example = Example(heading: String(block.prefix { $0 != "\n" }))
      let fenced = block.components(separatedBy: "```")
      guard fenced.count == 5 else {
        Issue.record("\(example.heading): two blocks are expected")
        continue
      }
      example.code = fenced[1].dropFirst("swift".count).trimmingCharacters(in: .newlines)
      example.message = fenced[3].dropFirst("text".count).trimmingCharacters(in: .newlines)
      examples.append(example)
    }
  }
}
