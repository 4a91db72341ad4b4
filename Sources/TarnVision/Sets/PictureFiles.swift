import Foundation
import TarnCore
import TarnData

/// Finds picture files in folders.
enum PictureFiles {
  /// Folders in folders are gone through so deep.
  private static let greatestDepth = 32

  /// Names that pictures have. A file of another name is taken only if its contents are a picture's, and
  /// otherwise passed over in silence.
  private static let extensions: Set<String> = [
    "jpg", "jpeg", "jpe", "jfif", "png", "bmp", "dib", "ppm", "pgm", "pnm", "pbm", "gif", "webp",
    "tif", "tiff", "heic", "avif",
  ]

  static func isNamedAsPicture(_ url: URL) -> Bool {
    extensions.contains(url.pathExtension.lowercased())
  }

  /// The folders in a folder, sorted; hidden ones (whose names begin with a dot) are left out.
  static func folders(in folder: URL) throws -> [URL] {
    try entries(of: folder).filter(isFolder)
  }

  /// The files in a folder and the folders in it, sorted; hidden ones are left out.
  static func files(below folder: URL, depth: Int = 0) throws -> [URL] {
    guard depth < greatestDepth else { return [] }
    var files: [URL] = []
    for entry in try entries(of: folder) {
      if !isFolder(entry) {
        files.append(entry)
      } else if !isLink(entry) {
        // A link could lead back up.
        files += try self.files(below: entry, depth: depth + 1)
      }
    }
    return files
  }

  private static func entries(of folder: URL) throws -> [URL] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder.path)
        .filter { !$0.hasPrefix(".") && $0 != "__MACOSX" }
        .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        .map { folder.appendingPathComponent($0) }
    } catch {
      let isThere = FileManager.default.fileExists(atPath: folder.path)
      throw DataError(
        isThere ? .unreadable : .missing, file: folder.path,
        reason: isThere ? "is no folder that can be listed" : "there is no such folder",
        hint: isThere ? nil : "check the spelling and the folder you are in")
    }
  }

  private static func isFolder(_ url: URL) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
      && isFolder.boolValue
  }

  private static func isLink(_ url: URL) -> Bool {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: url.path)) != nil
  }

  /// Looks at every file with several threads.
  /// - Returns: for each the reason why it cannot be read; nil where it can.
  static func check(
    _ files: [URL], _ reading: ImageReading, _ checking: LabelledImages.Checking, threads: Int?,
    cache: ByteCache?
  ) -> [FileFailure?] {
    var reading = reading
    reading.reduction = 8
    let fast = reading
    return parallelMap(files.count, threads: threads) { index in
      do {
        let file = try cache?.bytes(of: files[index]) ?? FileBytes(mapping: files[index])
        _ = try ImagePart(file, fast) { size in
          checking == .contents ? PixelRectangle(width: size.width, height: size.height) : nil
        }
        return nil
      } catch { return FileFailure(file: files[index], index: index, error) }
    }
  }
}
