import Foundation
import TarnCore
import TarnData
import TarnNN
import TarnTrain

/// Small problems that the tests train on, and what they look at.
enum Problem {
  /// 50 points in three well separated clouds.
  static let clouds = Synthetic.blobs(
    50, centres: [[0, 0], [4, 0], [0, 4]], deviation: 0.5, seed: 1)
  static let otherClouds = Synthetic.blobs(
    20, centres: [[0, 0], [4, 0], [0, 4]], deviation: 0.5, seed: 2)

  /// All of `clouds` as one batch.
  static let wholeClouds = Batch(features: clouds.features.tensor, labels: clouds.labels.tensor)

  static func model(dropout: Double = 0) -> MLP {
    Initialization.seeded(3) {
      MLP(inputShape: [2], hidden: [8], classes: 3, dropout: dropout)
    }
  }

  static var options: TrainingOptions {
    var options = TrainingOptions()
    options.epochs = 3
    options.batchSize = 8
    options.learningRate = 0.01
    options.seed = 7
    return options
  }
}

extension TensorStructure {
  /// Every tensor's bytes by name.
  var bits: [String: [UInt8]] {
    Dictionary(uniqueKeysWithValues: namedTensors.map { ($0.name, $0.tensor.bytes()) })
  }
}

/// A folder for one test, removed after it.
final class Scratch {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory
      .appendingPathComponent("tarn-train-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func url(_ name: String) -> URL { url.appendingPathComponent(name) }
}

/// Ends training after so many steps in all.
final class StopAfter: Callback {
  let step: Int
  init(_ step: Int) { self.step = step }
  func didEndStep(_ step: StepReport, _ training: Training) {
    if step.globalStep == self.step { training.requestStop(.requested("enough")) }
  }
}

/// Records the learning rate of every step.
final class Rates: Callback {
  private(set) var rates: [Double] = []
  func didEndStep(_ step: StepReport, _ training: Training) { rates.append(step.learningRate) }
}
