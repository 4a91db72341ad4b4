import Foundation
import Tarn

/// What the command keeps in a run's folder, beside what the library keeps: which data, and how it is cut.
struct RunSetup: Codable, Hashable {
  enum Source: Codable, Hashable {
    /// A known set, and the folder its files were found in.
    case images(ImageSet, folder: String?)
    case table(file: String, TableSetup)
    case pictures(PictureSet)
  }

  var source: Source
  var split: Split
  var labelSmoothing: Double

  static let file = "setup.json"

  /// Reads the data again.
  /// - Parameter place: another folder or file than the one it was trained on.
  func samples(from place: String? = nil) throws -> Samples {
    switch source {
    case .images(let set, let folder): try set.load(folder: place ?? folder, split: split)
    case .table(let file, let table):
      try table.samples(try CSV.read(contentsOf: URL(fileURLWithPath: file)), split: split)
    case .pictures(let set): try set.samples(split: split).samples
    }
  }

  /// Refuses samples that the model of the run's card cannot take.
  static func check(_ shape: [Int], of data: String, against card: ModelCard) throws {
    guard shape != card.inputShape else { return }
    throw DataError(
      .invalid, file: data,
      reason: "its samples are \(shape), but the model takes \(card.inputShape)",
      hint: "give data of the kind the run was trained on")
  }

  var task: TableTask {
    if case .table(_, let table) = source { table.task } else { .classification }
  }

  var table: TableSetup? {
    if case .table(_, let table) = source { table } else { nil }
  }

  /// What the data is called.
  var name: String {
    switch source {
    case .images(let set, _): set.rawValue
    case .table(let file, _): URL(fileURLWithPath: file).lastPathComponent
    case .pictures(let set): set.name
    }
  }

  func write(to run: RunFolder) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try AtomicWrite.write(try encoder.encode(self), to: run.url(Self.file))
  }

  static func read(from run: RunFolder) throws -> RunSetup {
    let file = run.url(Self.file)
    if TextRun.isText(run) {
      throw DataError(
        .unsupported, file: run.url.path, reason: "is a run on a text",
        hint: "see `tarn sample`, `tarn evaluate` and `tarn explain text`")
    }
    guard let data = try? Data(contentsOf: file) else {
      throw DataError(
        .missing, file: file.path, reason: "is not there, so this run was not made by `tarn train`",
        hint: "load such a run in a program with RunFolder(opening:)")
    }
    func damaged(_ reason: String) -> DataError {
      DataError(
        .invalid, file: file.path, reason: "is damaged: \(reason)",
        hint: "restore the file, or train anew")
    }
    let setup: RunSetup
    do { setup = try JSONDecoder().decode(RunSetup.self, from: data) } catch {
      throw damaged("\(error)")
    }
    if let problem = try setup.problem(run.card()) { throw damaged(problem) }
    return setup
  }

  /// What no run can have been made with; nil if there is nothing.
  private func problem(_ card: ModelCard) -> String? {
    guard split.validation >= 0 && split.validation <= 0.5 else {
      return "the share to validate with is \(split.validation)"
    }
    guard labelSmoothing >= 0 && labelSmoothing < 1 else {
      return "the label smoothing is \(labelSmoothing)"
    }
    if case .pictures(let set) = source {
      return set.testFraction >= 0 && set.testFraction <= 0.5
        ? nil : "the share to test on is \(set.testFraction)"
    }
    guard let table else { return nil }
    guard table.testFraction >= 0 && table.testFraction <= 0.9 else {
      return "the share to test on is \(table.testFraction)"
    }
    guard table.mean.isFinite && table.deviation.isFinite && table.deviation > 0 else {
      return "numbers were standardised with \(table.mean) and \(table.deviation)"
    }
    guard Set(table.classes).count == table.classes.count else { return "two classes are the same" }
    let outputs = table.task == .regression ? 1 : table.classes.count
    guard card.inputShape == [table.encoder.width], card.classes == outputs else {
      return "it has \(table.encoder.width) features and \(outputs) outputs, "
        + "the model \(card.inputShape) and \(card.classes)"
    }
    return nil
  }
}
