import Foundation
import TarnData

/// Folders made, removed and flushed, with errors that name them.
enum Folders {
  static func make(_ url: URL) throws {
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    } catch {
      throw unwritable(url, "make the folder", error)
    }
  }

  static func remove(_ url: URL) throws {
    guard FileManager.default.fileExists(atPath: url.path) else { return }
    do {
      try FileManager.default.removeItem(at: url)
    } catch {
      throw unwritable(url, "remove it", error)
    }
  }

  static func rename(_ old: URL, to new: URL) throws {
    guard systemRename(old.path, new.path) == 0 else {
      throw DataError.system(.unwritable, file: new.path, doing: "put it in place", code: errno)
    }
  }

  /// Makes a file's contents, or the names in a folder, last through a power cut. Some file systems refuse, which loses nothing else.
  static func flush(_ url: URL) {
    let descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }

  /// Gives the file `old` a second name, or copies it where the file system has none to give.
  static func link(_ old: URL, to new: URL) throws {
    if systemLink(old.path, new.path) == 0 { return }
    let file = try FileBytes(mapping: old)
    try AtomicWrite.write(to: new) { sink in try file.withBytes { try sink.write($0) } }
  }

  /// Puts a second name of `new` in place of `old` at once.
  static func replace(_ old: URL, with new: URL) throws {
    let temporary = old.appendingPathExtension("tmp")
    try remove(temporary)
    try link(new, to: temporary)
    try rename(temporary, to: old)
    // Renaming one name of a file to another of the same file leaves both.
    try remove(temporary)
  }

  private static func unwritable(_ url: URL, _ action: String, _ error: any Error) -> DataError {
    let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
    let words =
      cause.flatMap { $0.domain == NSPOSIXErrorDomain ? systemMessage(Int32($0.code)) : nil }
      ?? error.localizedDescription
    return DataError(.unwritable, file: url.path, reason: "cannot \(action): \(words)")
  }
}

private func systemRename(_ old: String, _ new: String) -> Int32 { rename(old, new) }
private func systemLink(_ old: String, _ new: String) -> Int32 { link(old, new) }
