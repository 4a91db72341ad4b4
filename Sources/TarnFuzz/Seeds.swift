import Foundation
import Tarn
import TarnData
import TarnInterop

/// Gathers the files that a reader begins with.
enum Seeds {
  /// Longer ones are left out: they only make it slow.
  private static let longest = 100_000

  /// Copies a reader's corpus and what its patterns name into a folder; how many there are.
  static func gather(for reader: Reader, into folder: URL) throws -> Int {
    try? FileManager.default.removeItem(at: folder)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    var seeds: [(name: String, contents: [UInt8])] = []
    for pattern in ["Tools/fuzz/corpus/\(reader.name)/*"] + reader.seeds {
      seeds += try matches(pattern)
    }
    seeds.removeAll { $0.contents.count > longest }
    for (i, seed) in seeds.enumerated() {
      let name = "\(i)-\(seed.name.replacingOccurrences(of: "/", with: "-"))"
      try Data(seed.contents).write(to: folder.appendingPathComponent(name))
    }
    return seeds.count
  }

  private static func matches(_ pattern: String) throws -> [(name: String, contents: [UInt8])] {
    let parts = pattern.split(separator: ":").map(String.init)
    let path = parts[0] as NSString
    let folder = Workplace.repository.appendingPathComponent(path.deletingLastPathComponent)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    var found: [(name: String, contents: [UInt8])] = []
    for name in names.sorted() where fnmatch(path.lastPathComponent, name, 0) == 0 {
      let url = folder.appendingPathComponent(name)
      if parts.count == 1 {
        found.append((name, try FileBytes(mapping: url).withBytes { Array($0) }))
      } else {
        found += try entries(of: url, matching: parts[1])
      }
    }
    return found
  }

  /// What lies in an archive: files that are kept as arrays of bytes come out as they were.
  private static func entries(
    of url: URL, matching pattern: String
  ) throws -> [(name: String, contents: [UInt8])] {
    if url.pathExtension == "zip" {
      let archive = try ZipArchive(FileBytes(mapping: url))
      return try archive.entries.filter { fnmatch(pattern, $0.name, 0) == 0 }.map { entry in
        (entry.name, try archive.contents(of: entry).withBytes { Array($0) })
      }
    }
    return try Weights(contentsOf: url).all.filter { fnmatch(pattern, $0.name, 0) == 0 }
      .map { name, tensor in
        (name, tensor.dtype == .uint8 ? tensor.array(of: UInt8.self) : NPY.encode(tensor))
      }
  }
}
