import Foundation
import TarnData

/// A folder for what must be a file, and where the repository is.
enum Workplace {
  /// Of this process.
  static let folder: URL = {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("tarn-fuzz-\(ProcessInfo.processInfo.processIdentifier)")
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }()

  static let repository = URL(fileURLWithPath: FileManager.default.currentDirectoryPath)

  static func file(_ name: String) -> URL { folder.appendingPathComponent(name) }

  /// Writes a file into the folder, over the one before.
  static func write(_ file: FileBytes, _ name: String) throws -> URL {
    let url = self.file(name)
    try file.withBytes { try Data($0).write(to: url) }
    return url
  }

  static func clear() { try? FileManager.default.removeItem(at: folder) }
}
