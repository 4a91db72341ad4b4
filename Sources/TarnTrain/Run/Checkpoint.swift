import Foundation
import TarnCore
import TarnData
import TarnNN

/// How far a run has come: everything in a checkpoint but the tensors.
struct RunState: Codable, Hashable {
  var formatVersion = RunDescription.currentFormatVersion
  /// The batch that comes next.
  var position = DataPosition()
  /// Steps taken in all.
  var step = 0
  /// Of the epoch that is under way.
  var totals = Totals()
  /// Seconds the epoch that is under way has taken, and those of them spent in steps.
  var epochSeconds = 0.0
  var stepSeconds = 0.0
  var learningRate = 0.0
  var history = History()
  /// The best value of the monitored figure.
  var bestValue: Double?
  /// Of each callback, by name.
  var callbacks: [String: [String: Double]] = [:]
  var options = TrainingOptions()
  /// Hexadecimal.
  var dataDigest: String?
}

/// One whole state of a run, in a folder of its own.
struct Checkpoint {
  let url: URL

  static let stateFile = "state.json"
  static let modelFile = "model.safetensors"
  /// Structures kept as two files, with `.json` and `.safetensors` after their names.
  static let optimizer = "optimizer"
  static let average = "average"
  /// The weights to use: the average's where there is one, at the end those that training returned.
  static let resultFile = "result.safetensors"
  static let bestFile = "best.safetensors"
  /// What the last batch left for the next, where batches follow on one another.
  static let carriedFile = "carried.safetensors"

  func url(_ file: String) -> URL { url.appendingPathComponent(file) }
  func has(_ file: String) -> Bool { FileManager.default.fileExists(atPath: url(file).path) }

  private struct Version: Decodable { let formatVersion: Int }

  func state() throws -> RunState {
    let file = url(Self.stateFile)
    try RunFolder.check(version: JSONFile.read(Version.self, from: file).formatVersion, file: file)
    return try JSONFile.read(RunState.self, from: file)
  }
}

/// The size and checksum of each file of a checkpoint, so that a damaged one is told from a whole one.
struct Manifest: Codable {
  struct Entry: Codable {
    let size: Int
    let crc32: UInt32

    init(_ url: URL) throws {
      let file = try FileBytes(mapping: url)
      (size, crc32) = (file.count, file.withBytes { Gzip.crc32($0) })
    }
  }

  static let file = "manifest.json"
  var files: [String: Entry] = [:]

  init(of folder: URL, names: [String]) throws {
    for name in names { files[name] = try Entry(folder.appendingPathComponent(name)) }
  }

  /// Checks every file against what was written.
  func verify(in folder: URL) throws {
    let hint = "the checkpoint was damaged after it was written; restore the folder from a copy"
    for (name, expected) in files.sorted(by: { $0.key < $1.key }) {
      let url = folder.appendingPathComponent(name)
      guard !name.contains("/") else {
        throw DataError(
          .invalid, file: folder.appendingPathComponent(Self.file).path,
          reason: "names a file '\(name)' outside the checkpoint")
      }
      let found = try Entry(url)
      if found.size != expected.size {
        throw DataError(
          .invalid, file: url.path, at: .byte(min(found.size, expected.size)),
          reason: found.size < expected.size
            ? "the file ends here; it had \(expected.size) bytes when it was written"
            : "the file goes on here; it had \(expected.size) bytes when it was written",
          hint: hint)
      }
      if found.crc32 != expected.crc32 {
        throw DataError(
          .invalid, file: url.path, at: .byte(0),
          reason: "its \(found.size) bytes are not those that were written: the checksum is "
            + "\(String(found.crc32, radix: 16)), not \(String(expected.crc32, radix: 16))",
          hint: hint)
      }
    }
    for name in [Checkpoint.stateFile, Checkpoint.modelFile, Checkpoint.resultFile]
    where files[name] == nil {
      throw DataError(
        .invalid, file: folder.appendingPathComponent(Self.file).path,
        reason: "does not list '\(name)', which every checkpoint has", hint: hint)
    }
  }
}
