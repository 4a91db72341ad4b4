import Foundation
import Tarn

/// What the model of a run makes of pictures or rows.
struct RunPrediction {
  let folder: RunFolder
  let setup: RunSetup
  let top: Int

  init(_ folder: RunFolder, top: Int) throws {
    (self.folder, self.top) = (folder, top)
    setup = try RunSetup.read(from: folder)
  }

  func answer(_ files: [String]) throws -> PredictAnswer {
    let model = try folder.model()
    let shape = try folder.card().inputShape
    let results = try files.flatMap { file in
      try predictions(file, Self.outputs(model, features(file, shape)))
    }
    return PredictAnswer(
      run: Paths.shown(folder.url), seed: setup.split.seed, results: results)
  }

  private static func outputs(_ model: some Layer, _ features: Tensor) -> Tensor {
    predict(model, features: features)
  }

  private func features(_ file: String, _ shape: [Int]) throws -> Tensor {
    switch setup.source {
    case .images: try Pictures.read(file, shape: shape)
    case .pictures(let set):
      try set.preprocessing(contentsOf: URL(fileURLWithPath: file)).expandedDims(0)
    case .table(_, let table):
      try table.encoder.encode(CSV.read(contentsOf: URL(fileURLWithPath: file)))
    }
  }

  private func predictions(_ file: String, _ outputs: Tensor) throws -> [Prediction] {
    guard outputs.count > 0 else { return [] }
    if let table = setup.table, table.task == .regression {
      return outputs.array(of: Double.self).enumerated().map {
        Prediction(file: file, index: $0, value: $1 * table.deviation + table.mean)
      }
    }
    let classes = outputs.shape[1]
    let shares = outputs.softmax(axis: -1).array(of: Double.self)
    return (0..<outputs.shape[0]).map { index in
      let row = shares[(index * classes)..<((index + 1) * classes)]
      return Prediction(
        file: file, index: index,
        top: Prediction.guesses(row, top: top) { setup.className($0) })
    }
  }
}

extension RunSetup {
  /// What a class number means.
  func className(_ place: Int) -> String {
    let names: [String] =
      switch source {
      case .images(let set, _): set.classes
      case .table(_, let table): table.classes
      case .pictures(let set): set.classes
      }
    return names.indices.contains(place) ? names[place] : "\(place)"
  }
}
