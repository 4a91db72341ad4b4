import Foundation
import TarnData

/// A text file's plain bytes, however long it is: mapped into memory, and if it is packed with gzip unpacked into a
/// temporary file first.
struct CorpusFile: Sendable {
  let bytes: FileBytes
  /// Where the text begins: after a byte order mark.
  let start: Int

  /// - Parameter url: of the file, or of a folder with an `input.txt` in it.
  init(_ url: URL, unit: Vocabulary.Unit) throws {
    var isFolder: ObjCBool = false
    let inner = url.appendingPathComponent("input.txt")
    let exists = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
    let usesInner =
      exists && isFolder.boolValue && FileManager.default.fileExists(atPath: inner.path)
    try self.init(try FileBytes(mapping: usesInner ? inner : url), unit: unit)
  }

  /// - Parameter file: a text's bytes, packed with gzip or not.
  init(_ file: FileBytes, unit: Vocabulary.Unit) throws {
    bytes = file.starts(with: Gzip.magic) ? try Self.unpacked(file) : file
    start = unit != .bytes && bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    if bytes.count == start {
      throw DataError(
        .invalid, file: bytes.name, reason: "is empty",
        hint: "give a text of some ten thousand characters at least")
    }
  }

  private static func unpacked(_ file: FileBytes) throws -> FileBytes {
    try TemporaryFile.mapped(name: file.name) { sink in
      try Gzip.inflate(file) { piece throws(DataError) in try sink.write(piece) }
    }
  }

  /// How much is gone through before its pages are let go.
  static let stretch = 1 << 22

  static func notText(_ name: String, at place: Int, _ byte: UInt8) -> DataError {
    let hex = String(byte, radix: 16, uppercase: true)
    return DataError(
      .invalid, file: name, at: .byte(place),
      reason: byte == 0
        ? "there is a zero byte, as in binary files"
        : "is not UTF-8: the byte 0x\(hex) cannot stand here",
      hint: "--bytes learns the bytes as they are; a text in another encoding can be converted: "
        + "iconv -f LATIN1 -t UTF-8")
  }
}

/// Files that are gone when the program ends, however it ends.
enum TemporaryFile {
  /// What `body` writes, mapped. The file has no name any more.
  static func mapped(name: String, _ body: (ByteSink) throws -> Void) throws -> FileBytes {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("tarn-text-\(UUID().uuidString)")
    defer { unlink(url.path) }
    try AtomicWrite.write(to: url, body)
    let file = try FileBytes(mapping: url)
    return FileBytes(part: 0..<file.count, of: file, name: name)
  }
}
