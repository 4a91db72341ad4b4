import Foundation
import TarnCore

/// NumPy's archive of named arrays: a ZIP archive with an NPY file for each.
///
/// ```swift
/// let arrays = try NPZ.read(contentsOf: URL(fileURLWithPath: "data.npz"))
/// try NPZ.write([("x", x), ("y", y)], to: URL(fileURLWithPath: "out.npz"))
/// ```
public enum NPZ {
  /// Reads all arrays, in the order of the archive.
  public static func read(contentsOf url: URL) throws -> [(name: String, tensor: Tensor)] {
    try read(FileBytes(mapping: url))
  }

  package static func read(
    _ file: FileBytes
  ) throws(DataError) -> [(name: String, tensor: Tensor)] {
    let archive = try ZipArchive(file)
    var arrays: [(name: String, tensor: Tensor)] = []
    for entry in archive.entries where !entry.name.hasSuffix("/") {
      guard entry.name.hasSuffix(".npy") else {
        throw DataError(
          .invalid, file: file.name, at: .byte(entry.range.lowerBound),
          reason: "the archive's entry '\(entry.name)' is no NPY array",
          hint: "an NPZ archive, as numpy.savez writes it, holds .npy entries only")
      }
      let tensor = try NPY.read(archive.contents(of: entry))
      arrays.append((String(entry.name.dropLast(4)), tensor))
    }
    return arrays
  }

  /// Writes named tensors.
  /// - Parameter isPacked: deflates them, as `numpy.savez_compressed` does.
  public static func write(
    _ arrays: [(name: String, tensor: Tensor)], to url: URL, isPacked: Bool = false
  ) throws {
    var seen: Set<String> = []
    for (name, _) in arrays where name.isEmpty || !seen.insert(name).inserted {
      throw DataError(
        .unwritable, file: url.path,
        reason: name.isEmpty ? "an array has no name" : "two arrays are named '\(name)'")
    }
    try AtomicWrite.write(to: url) { sink in
      var archive = ZipWriter(sink)
      for (name, tensor) in arrays {
        try archive.add(name + ".npy", NPY.encode(tensor), isDeflated: isPacked)
      }
      try archive.finish()
    }
  }
}
