import Foundation
import Tarn

/// A page with pictures and what they were taken for.
struct PredictionPage {
  let answer: PredictAnswer
  /// Pixels of a picture's longer side on the page.
  private static let side = 160
  /// A page with more would be slow to open.
  private static let most = 500

  init(_ answer: PredictAnswer) { self.answer = answer }

  func write(to path: String) throws {
    let name = answer.model ?? answer.run ?? "model"
    var report = HTMLReport(
      "Predictions of \(name)", subtitle: answer.weights.map { "weights \($0)" } ?? "")
    report.tiles = [.init("pictures", Text.count(answer.results.count))]
    if !answer.failures.isEmpty {
      report.tiles.append(.init("not read", Text.count(answer.failures.count)))
    }
    let shown = answer.results.prefix(Self.most)
    let grid = ImageGrid(
      shown.compactMap(picture),
      columns: 5, size: 150)
    report.add(.init("What they were taken for", [.figure(grid)]))
    var table = TextTable(["file", "likeliest classes"])
    for result in answer.results { table.add([result.file, result.text]) }
    report.add(.init("In numbers", [.table(table)]))
    if !answer.failures.isEmpty {
      let lines = answer.failures.map { "\($0.file): \($0.reason)" }
      report.add(.init("Not read", [.list(lines)]))
    }
    report.footer = "Tarn \(Root.version), seed \(answer.seed)"
    try report.write(to: path)
  }

  /// A small copy of the picture under its likeliest class; nil for what is no picture.
  private func picture(_ result: Prediction) -> GridImage? {
    guard let image = try? Image(contentsOf: URL(fileURLWithPath: result.file)) else { return nil }
    let scale = min(1, Double(Self.side) / Double(max(image.width, image.height)))
    let small = image.resized(
      width: max(1, Int(Double(image.width) * scale)),
      height: max(1, Int(Double(image.height) * scale)))
    let best = result.top?.first
    let title = best.map { guess in
      let name = guess.name.split(separator: ",").first.map(String.init) ?? guess.name
      return "\(name) \(Text.number((guess.probability * 100).rounded())) %"
    }
    return GridImage(
      bytes: small.bytes, width: small.width, height: small.height, channels: small.channels,
      title: title ?? "")
  }
}
