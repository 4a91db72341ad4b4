import Foundation
import Tarn

/// Paths as people type them.
enum Paths {
  /// Relative to the working folder where it lies in it.
  static func shown(_ url: URL) -> String {
    let base = FileManager.default.currentDirectoryPath + "/"
    let path = url.standardizedFileURL.path
    return path.hasPrefix(base) ? String(path.dropFirst(base.count)) : path
  }

  /// The path as one word of a shell command.
  static func word(_ url: URL) -> String {
    let path = shown(url)
    let isPlain = path.allSatisfy { $0.isLetter || $0.isNumber || "/._-+@".contains($0) }
    return isPlain && !path.isEmpty
      ? path
      : "'"
        + path.split(separator: "'", omittingEmptySubsequences: false)
        .joined(separator: "'\\''") + "'"
  }

  /// Whether there is a folder of this path, or a file; nil: nothing is there.
  static func isFolder(_ path: String) -> Bool? {
    var isFolder: ObjCBool = false
    let isThere = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    return isThere ? isFolder.boolValue : nil
  }

  /// Whether a folder holds a run.
  static func isRun(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: path + "/run.json")
  }

  /// The run in a folder; with a worded error where there is none.
  static func run(_ path: String) throws -> RunFolder {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue
    else {
      throw DataError(
        .missing, file: path, reason: "there is no such folder",
        hint: "name the folder of a run, such as runs/demo-1; `tarn demo` makes one")
    }
    return try RunFolder(opening: URL(fileURLWithPath: path))
  }
}
