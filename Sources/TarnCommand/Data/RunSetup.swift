import Foundation
import Tarn

/// What the command keeps in a run's folder, beside what the library keeps: which data, and how it is cut.
struct RunSetup: Codable, Hashable {
  enum Source: Codable, Hashable {
    /// A known set, and the folder its files were found in.
    case images(ImageSet, folder: String?)
    case table(file: String, TableSetup)
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
    }
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
    }
  }

  func write(to run: RunFolder) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try AtomicWrite.write(try encoder.encode(self), to: run.url(Self.file))
  }

  static func read(from run: RunFolder) throws -> RunSetup {
    let file = run.url(Self.file)
    guard let data = try? Data(contentsOf: file) else {
      throw DataError(
        .missing, file: file.path, reason: "is not there, so this run was not made by `tarn train`",
        hint: "load such a run in a program with RunFolder(opening:)")
    }
    do { return try JSONDecoder().decode(RunSetup.self, from: data) } catch {
      throw DataError(
        .invalid, file: file.path, reason: "is damaged: \(error)",
        hint: "restore the file, or train anew")
    }
  }
}
