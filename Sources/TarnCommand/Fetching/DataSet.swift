import Foundation
import Tarn

/// A data set that this program knows: what it is, where its files are published, and what it is good for.
struct DataSet {
  /// What is done with the files once they are there.
  enum Form {
    case files
    /// A tar archive; the set is what is in this folder of it. Files may be named `CLASS_NUMBER.jpg`, which are then
    /// put into a folder for each class.
    case archive(folder: String, groups: Bool = false)
  }

  let name: String
  let title: String
  let samples: String
  let licence: String
  let source: String
  let resources: [Resource]
  var form = Form.files
  /// What to do with it; `DIR` stands for its folder.
  let use: String

  /// Where it lies once it was fetched.
  var folder: URL { Resource.folder(for: .data).appendingPathComponent(name) }

  /// Where it is, if it is somewhere; nil if not.
  var found: URL? {
    if let set = ImageSet(rawValue: name), set != .digits { return try? ImageSet.find(set, nil) }
    let isThere =
      switch form {
      case .files: resources.allSatisfy { $0.found(in: folder) != nil }
      case .archive(let inner, _):
        FileManager.default.fileExists(atPath: folder.appendingPathComponent(inner).path)
      }
    return isThere && !resources.isEmpty ? place : nil
  }

  /// The folder with the set's own files.
  var place: URL {
    if case .archive(let inner, _) = form { folder.appendingPathComponent(inner) } else { folder }
  }

  static func named(_ name: String) throws -> DataSet {
    if let set = all.first(where: { $0.name == name }) { return set }
    throw DataError(
      .missing, file: name, reason: "is no data set that this program knows",
      hint: "there are \(all.map(\.name).joined(separator: ", "))")
  }

  /// Gets what is missing and unpacks it.
  func fetch(_ console: Console) throws -> URL {
    for resource in resources { try console.fetch(resource, into: folder) }
    if case .archive(let inner, let groups) = form, let archive = resources.first {
      try unpack(archive, inner, groups: groups)
    }
    return place
  }

  /// The system's `tar`, which keeps to the folder it is told.
  private func unpack(_ archive: Resource, _ inner: String, groups: Bool) throws {
    if FileManager.default.fileExists(atPath: place.path) { return }
    // Into another folder first: half a set must not look like a whole one.
    let fresh = folder.appendingPathComponent(".unpacking")
    try? FileManager.default.removeItem(at: fresh)
    try FileManager.default.createDirectory(at: fresh, withIntermediateDirectories: true)
    let tar = Process()
    tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    tar.arguments = [
      "tar", "-xzf", folder.appendingPathComponent(archive.file).path, "-C", fresh.path,
    ]
    tar.standardOutput = FileHandle.standardError
    do { try tar.run() } catch {
      throw DataError(
        .unreadable, file: archive.file, reason: "cannot be unpacked: there is no `tar`",
        hint: "install tar, or unpack it by hand into \(folder.path)")
    }
    tar.waitUntilExit()
    let unpacked = fresh.appendingPathComponent(inner)
    guard tar.terminationStatus == 0, FileManager.default.fileExists(atPath: unpacked.path) else {
      throw DataError(
        .invalid, file: archive.file, reason: "cannot be unpacked",
        hint: "remove \(folder.path) and get it again")
    }
    if groups { try Self.group(unpacked) }
    try FileManager.default.moveItem(at: unpacked, to: place)
    try? FileManager.default.removeItem(at: fresh)
    try? FileManager.default.removeItem(at: folder.appendingPathComponent(archive.file))
  }
}

extension DataSet {
  /// Moves `great_pyrenees_12.jpg` to `great_pyrenees/great_pyrenees_12.jpg`; what has no number is taken out.
  private static func group(_ folder: URL) throws {
    let files = FileManager.default
    for name in try files.contentsOfDirectory(atPath: folder.path) {
      let file = folder.appendingPathComponent(name)
      let stem = file.deletingPathExtension().lastPathComponent
      guard file.pathExtension == "jpg", let cut = stem.lastIndex(of: "_"), cut > stem.startIndex
      else {
        try files.removeItem(at: file)
        continue
      }
      let own = folder.appendingPathComponent(String(stem[..<cut]))
      try files.createDirectory(at: own, withIntermediateDirectories: true)
      try files.moveItem(at: file, to: own.appendingPathComponent(name))
    }
  }
}

extension Console {
  /// Fetches a file with a progress bar, unless it is there.
  @discardableResult
  func fetch(_ resource: Resource, into folder: URL) throws -> URL {
    if let place = resource.found(in: folder) { return place }
    note("getting \(resource.file) from \(resource.address)")
    let total = resource.bytes.map { max($0 / 1_000_000, 1) }
    let bar = ProgressBar(title: resource.file, total: total, unit: "MB", isQuiet: isQuiet)
    defer { bar.finish() }
    return try resource.fetch(into: folder) { progress in
      bar.update(done: progress.bytes / 1_000_000)
      return true
    }
  }
}
