import Foundation
import Tarn

/// Tells of the epochs, a line for each or for every few.
final class EpochLines: Callback {
  private let console: Console
  private let every: Int

  init(_ console: Console, every: Int = 1) {
    (self.console, self.every) = (console, max(1, every))
  }

  func willStart(_ training: Training) {
    guard training.isResumed else { return }
    console.note(
      training.step > 0
        ? "goes on in epoch \(training.epoch + 1) after step \(training.globalStep)"
        : "goes on after epoch \(training.epoch)")
  }

  func didEndEpoch(_ record: EpochRecord, _ training: Training) {
    let total = training.options.epochs
    guard record.epoch % every == 0 || record.epoch == total || record.epoch == 1 else { return }
    var words = ["epoch \(pad(record.epoch, to: total))/\(total)"]
    words.append("loss \(fixed(record["loss"]))")
    if let accuracy = record["accuracy"] { words.append("accuracy \(Text.percent(accuracy))") }
    if let loss = record["validation_loss"] { words.append("validation loss \(fixed(loss))") }
    if let accuracy = record["validation_accuracy"] {
      words.append("accuracy \(Text.percent(accuracy))")
    }
    if let r2 = record["validation_r2"] { words.append("R² \(fixed(r2))") }
    words.append(Text.seconds(record.seconds))
    console.note(words.joined(separator: "  "))
  }

  private func pad(_ number: Int, to greatest: Int) -> String {
    let text = String(number)
    return String(repeating: " ", count: max(0, String(greatest).count - text.count)) + text
  }

  private func fixed(_ value: Double?) -> String {
    value.map { String(format: "%.4f", $0) } ?? "–"
  }
}
