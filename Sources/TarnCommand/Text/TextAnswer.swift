import Tarn

/// What came of a run on a text.
struct TextAnswer: Answer {
  /// The run's folder and its page.
  var run: String
  var report: String?
  var data: String
  var model: String
  var size: Int
  var layers: Int
  var parameters: Int
  /// Symbols of the vocabulary and of the text.
  var vocabulary: Int
  var symbols: Int
  var trainBatches: Int
  var validationBatches: Int
  var testBatches: Int
  var seed: UInt64
  var threads: Int
  var simd: String
  /// Steps taken in all, and how many passes over the text they make.
  var iterations: Int
  var epochs: Double
  /// Nats a symbol: smoothed over the last some hundred steps; of the last validation; of the best.
  var trainLoss: Double?
  var valLoss: Double?
  var bestValLoss: Double?
  var bestIteration: Int?
  /// After the last whole epoch.
  var learningRate: Double?
  /// Of this session, validation included.
  var seconds: Double
  /// The median.
  var msPerIteration: Double?
  var peakRssMb: Double
  var stopReason: String
  var isInterrupted: Bool
  /// What to type to go on.
  var resume: String

  var exitCode: Int32 { isInterrupted ? 1 : 0 }

  private enum CodingKeys: CodingKey {
    case run, report, data, model, size, layers, parameters, vocabulary, symbols, trainBatches
    case validationBatches, testBatches, seed, threads, simd, iterations, epochs, trainLoss
    case valLoss, bestValLoss, bestIteration, learningRate, seconds, msPerIteration, peakRssMb
    case stopReason, resume
  }

  var text: String {
    if isInterrupted { return "\(run)  seed \(seed)" }
    var lines = ["", "\(model) of \(layers) × \(size) on \(data): \(result)"]
    lines.append(
      "\(Text.count(iterations)) iterations in \(Text.seconds(seconds))"
        + (msPerIteration.map { ", \(Text.number($0, digits: 3)) ms each" } ?? "")
        + ", \(Text.count(parameters)) parameters, seed \(seed), \(stopReason)")
    lines.append("run     \(run)")
    if let report { lines.append("report  \(report)") }
    lines.append("try     tarn sample \(run) --temperature 0.5,0.8,1 --length 500")
    return lines.joined(separator: "\n")
  }

  /// The losses in words.
  private var result: String {
    let train = trainLoss.map { "training loss \(Text.number($0))" }
    let validation = valLoss.map { "validation loss \(Text.number($0)) nats a symbol" }
    return [validation, train].compactMap { $0 }.joined(separator: ", ")
  }
}

/// What came of a run that was taken up again, of whichever kind.
enum ResumeAnswer: Answer {
  case examples(TrainingAnswer)
  case text(TextAnswer)

  private var inner: any Answer {
    switch self {
    case .examples(let answer): answer
    case .text(let answer): answer
    }
  }

  var text: String { inner.text }
  var exitCode: Int32 { inner.exitCode }
  func encode(to encoder: any Encoder) throws { try inner.encode(to: encoder) }
}
