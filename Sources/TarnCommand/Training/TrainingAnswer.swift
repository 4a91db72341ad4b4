import Tarn

/// What came of a training run.
struct TrainingAnswer: Answer {
  /// The run's folder and its page.
  var run: String
  var report: String?
  var data: String
  var model: String
  var parameters: Int
  var trainSamples: Int
  var validationSamples: Int
  var testSamples: Int
  var seed: UInt64
  var threads: Int
  var simd: String

  /// Epochs done in all, and the steps in them.
  var epochs: Int
  var steps: Int
  var bestEpoch: Int?
  var stopReason: String
  /// Of this session's training, validation included.
  var seconds: Double
  var samplesPerSecond: Double?
  var peakRssMb: Double
  /// The most that tensors held at once.
  var peakTensorMb = 0.0

  var trainLoss: Double?
  var trainAccuracy: Double?
  var validationLoss: Double?
  var validationAccuracy: Double?
  var testLoss: Double?
  var testAccuracy: Double?
  /// The mean over the classes.
  var testF1: Double?
  var testRmse: Double?
  var testMae: Double?
  var testR2: Double?

  /// Whether it stopped before its end, at Ctrl-C.
  var isInterrupted: Bool
  /// What to type to go on.
  var resume: String

  var exitCode: Int32 { isInterrupted ? 1 : 0 }

  private enum CodingKeys: CodingKey {
    case run, report, data, model, parameters, trainSamples, validationSamples, testSamples, seed
    case threads, simd, epochs, steps, bestEpoch, stopReason, seconds, samplesPerSecond, peakRssMb
    case peakTensorMb
    case trainLoss, trainAccuracy, validationLoss, validationAccuracy
    case testLoss, testAccuracy, testF1, testRmse, testMae, testR2, resume
  }

  var text: String {
    if isInterrupted { return "\(run)  seed \(seed)" }
    var lines = ["", "\(model) on \(data): \(result)"]
    lines.append(
      "\(epochs) \(epochs == 1 ? "epoch" : "epochs") in \(Text.seconds(seconds))"
        + (samplesPerSecond.map { ", \(Text.rate($0)) samples/s" } ?? "")
        + ", \(Text.count(parameters)) parameters, seed \(seed), \(stopReason)")
    lines.append("run     \(run)")
    if let report { lines.append("report  \(report)") }
    return lines.joined(separator: "\n")
  }

  /// The figures on held-out samples in words.
  var result: String {
    if let testAccuracy {
      let f1 = testF1.map { ", F1 \(Text.number($0))" } ?? ""
      return
        "\(Text.percent(testAccuracy)) of \(Text.count(testSamples)) held-out samples right\(f1)"
    }
    if let testRmse, let testMae, let testR2 {
      return "RMSE \(Text.number(testRmse)), MAE \(Text.number(testMae)), R² \(Text.number(testR2))"
        + " on \(Text.count(testSamples)) held-out rows"
    }
    return "nothing was held out to test on"
  }
}
