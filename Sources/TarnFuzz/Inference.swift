import Foundation
import Tarn
import TarnData
import TarnExchange
import TarnInterop

/// Runs of models that came out of files.
enum Inference {
  /// The most elements of an input.
  private static let most = 1 << 14

  /// Small numbers, of which some serve as indices and lengths as well. Nil for inputs that are too large to try.
  private static func input(_ shape: [Int?], _ dtype: DType) -> Tensor? {
    let lengths = shape.map { $0 ?? 2 }
    guard lengths.allSatisfy({ $0 >= 0 }), let count = checkedByteCount(lengths, elementSize: 1),
      count <= most
    else { return nil }
    return (Tensor.arange(count) % 3).reshaped(lengths).cast(to: dtype)
  }

  static func run(_ model: KerasModel) throws {
    var model = model
    model.elementLimit = 1 << 16
    let inputs = model.inputs.map { input([2] + $0.shape.dropFirst(), $0.dtype) }
    let given = inputs.compactMap { $0 }
    guard given.count == inputs.count else { return }
    try Diagnostic.catching {
      Tensor.evaluate(model(given))
    }
  }

  /// The weights of a sound file, to try other configurations on.
  private static let sound = Result {
    let archive = try ZipArchive(
      FileBytes(
        mapping: Workplace.repository.appendingPathComponent("Tests/Fixtures/weights/keras.zip")))
    guard let entry = archive["keras_cnn.keras"] else {
      throw DataError(.missing, file: "keras_cnn.keras", reason: "is not in keras.zip")
    }
    return try KerasFile(archive.contents(of: entry))
  }

  static func runKeras(configuration: FileBytes) throws {
    let text = configuration.withBytes { String(decoding: $0, as: UTF8.self) }
    let model = try KerasModel(sound.get(), configuration: text, source: configuration.name)
    try run(model)
  }

  /// Reads and runs a graph within limits that are meant for small machines.
  static func runONNX(_ file: FileBytes) throws {
    try Diagnostic.catching {
      var model = try ONNXModel(file.withBytes { Array($0) })
      (model.elementLimit, model.nodeLimit) = (1 << 16, 1 << 10)
      var inputs: [String: Tensor] = [:]
      for port in model.inputs {
        guard let tensor = input(port.shape ?? [2, 3], port.dtype ?? .float32) else { return }
        inputs[port.name] = tensor
      }
      Tensor.evaluate(Array(try model.run(inputs).values))
    }
  }
}
