import Foundation
import Tarn

/// What a network of the zoo or an ONNX file makes of pictures.
struct PicturePrediction {
  let network: Network
  /// A text with the names of the classes.
  let labels: String?
  let top: Int
  /// Pictures that are read and held at once.
  private static let batch = 16

  func answer(_ files: [String], _ console: Console) throws -> PredictAnswer {
    let rule = try rule()
    if network.isGuessed {
      console.note(
        "\(network.name) does not say how pictures are read: taking torchvision's rule for "
          + "ImageNet; --resize, --crop, --mean, --deviation, --scale and --channels change it")
    }
    let files = try files.flatMap(Self.pictures)
    var results: [Prediction] = []
    var failures: [PredictAnswer.Failure] = []
    for start in stride(from: 0, to: files.count, by: Self.batch) {
      let part = Array(files[start..<min(files.count, start + Self.batch)])
      let batch = try rule.batch(contentsOf: part.map { URL(fileURLWithPath: $0) })
      failures += batch.failures.map { .init(file: part[$0.index], reason: $0.reason) }
      guard !batch.indices.isEmpty else { continue }
      let outputs = try network.classify(batch.features)
      results += try predictions(outputs, batch.indices.map { part[$0] })
    }
    for failure in failures { console.warn("\(failure.file): \(failure.reason)") }
    if results.isEmpty, let first = failures.first {
      throw DataError(
        .invalid, file: first.file, reason: first.reason,
        hint: files.count > 1
          ? "none of the \(files.count) files is a picture that can be read" : nil)
    }
    return PredictAnswer(
      model: network.name, weights: network.weights.map(Paths.shown), preprocessing: rule,
      seed: console.seed, results: results, failures: failures)
  }

  private func rule() throws -> Preprocessing {
    if let rule = network.preprocessing { return rule }
    throw DataError(
      .unsupported, file: network.name,
      reason: "does not take pictures: its inputs are "
        + network.inputNames.map { "'\($0)'" }.joined(separator: ", "),
      hint: "feed it tensors: tarn run \(network.name) --input FILE.safetensors")
  }

  /// The file itself, or the pictures in a folder.
  private static func pictures(_ path: String) throws -> [String] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw DataError(
        .missing, file: path, reason: "there is no such file",
        hint: "check the spelling and the folder you are in")
    }
    guard isFolder.boolValue else { return [path] }
    let names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    let pictures = names.filter { name in
      !name.hasPrefix(".") && ImageFormat(fileExtension: (name as NSString).pathExtension) != nil
    }
    guard !pictures.isEmpty else {
      throw DataError(
        .invalid, file: path, reason: "there are no pictures in this folder",
        hint: "their names should end in .jpg, .png, .bmp, .pgm or .ppm")
    }
    return pictures.map { (path as NSString).appendingPathComponent($0) }
  }

  private func predictions(_ outputs: Tensor, _ files: [String]) throws -> [Prediction] {
    guard outputs.rank == 2, outputs.shape[0] == files.count, outputs.shape[1] > 0 else {
      throw DataError(
        .unsupported, file: network.name,
        reason: "gives \(outputs.shape), not one number for each class and picture",
        hint: "feed it tensors: tarn run \(network.name) --input FILE.safetensors")
    }
    let classes = outputs.shape[1]
    let (names, firstClass) = try network.names(classes, labels)
    let shares = Network.probabilities(outputs).array(of: Double.self)
    return files.enumerated().map { index, file in
      let row = shares[(index * classes)..<((index + 1) * classes)]
      return Prediction(
        file: file, index: 0,
        top: Prediction.guesses(row, top: top, firstClass: firstClass) {
          names.isEmpty ? "class \($0)" : names[$0]
        })
    }
  }
}
