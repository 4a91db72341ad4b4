import Foundation
import TarnData

/// Where PyTorch puts pickle and storages.
enum TorchLayout {
  private static let zipHint = "torch.save writes it; fetch or save the file again"

  static func open(_ file: FileBytes) throws(DataError) -> PickledTensors {
    file.starts(with: ZipArchive.magic) ? try openArchive(file) : try openLegacy(file)
  }

  // MARK: - Zip archives

  /// The entry with the pickle: `NAME/data.pkl`, and what stands before it.
  static func pickleEntry(_ archive: ZipArchive) -> (entry: ZipArchive.Entry, prefix: String)? {
    for entry in archive.entries where entry.name == "data.pkl" || entry.name.hasSuffix("/data.pkl")
    {
      return (entry, String(entry.name.dropLast("data.pkl".count)))
    }
    return nil
  }

  private static func openArchive(_ file: FileBytes) throws(DataError) -> PickledTensors {
    let archive = try ZipArchive(file)
    guard let (entry, prefix) = pickleEntry(archive) else {
      throw DataError(
        .invalid, file: file.name, reason: "the archive has no entry 'data.pkl'", hint: zipHint)
    }
    let program = try archive.contents(of: entry, allowsNoChecksum: true)
    var reader = ByteReader(program)
    let pickle = try Unpickler.read(&reader)
    let isBigEndian = try byteOrder(archive, prefix) == "big"
    let size = archive.entries.reduce(0) { $0 &+ $1.size }
    let cache = ContentsCache()
    return PickledTensors(program, pickle, size: size) {
      (storage) throws(DataError) -> PickledTensors.Contents in
      try cache.contents(storage.key) { () throws(DataError) in
        try contents(storage, archive, prefix, isBigEndian: isBigEndian)
      }
    }
  }

  private static func byteOrder(
    _ archive: ZipArchive, _ prefix: String
  ) throws(DataError) -> String {
    guard let entry = archive["\(prefix)byteorder"] else { return "little" }
    let order = try archive.contents(of: entry, allowsNoChecksum: true)
      .withBytes { String(decoding: $0.prefix(16), as: UTF8.self) }
    guard order == "little" || order == "big" else {
      throw DataError(
        .invalid, file: archive.file.name, at: .byte(entry.range.lowerBound),
        reason: "the byte order is neither little nor big", hint: zipHint)
    }
    return order
  }

  private static func contents(
    _ storage: PickledStorage, _ archive: ZipArchive, _ prefix: String, isBigEndian: Bool
  ) throws(DataError) -> PickledTensors.Contents {
    // TorchScript names entries of their own for constants; both lie in the same folder.
    guard let entry = archive["\(prefix)data/\(storage.key)"] else {
      throw DataError(
        .invalid, file: archive.file.name,
        reason: "the archive lacks the storage 'data/\(storage.key)' that its pickle refers to",
        hint: zipHint)
    }
    let size = checkedProduct(storage.count, storage.element.size)
    guard let size, size <= entry.size else {
      throw DataError(
        .invalid, file: archive.file.name, at: .byte(entry.range.lowerBound),
        reason: "the storage '\(storage.key)' has \(entry.size) bytes, too few for "
          + "\(storage.count) elements of \(storage.element.rawValue)", hint: zipHint)
    }
    return PickledTensors.Contents(
      bytes: try archive.contents(of: entry, allowsNoChecksum: true), isBigEndian: isBigEndian)
  }

  // MARK: - Rows of pickles

  /// The magic number of files before PyTorch 1.6, as a two's complement integer.
  static let legacyMagic: [UInt8] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]
  private static let legacyVersion = 1001

  private static func openLegacy(_ file: FileBytes) throws(DataError) -> PickledTensors {
    var reader = ByteReader(file)
    let first = try Unpickler.read(&reader)
    guard case .wide(let magic) = first.root, magic == legacyMagic else {
      // Any other pickle: arrays of NumPy, and no storages.
      return PickledTensors(file, first, size: file.count) {
        (storage) throws(DataError) -> PickledTensors.Contents in
        throw missing(storage, file)
      }
    }
    let version = try Unpickler.read(&reader).root
    guard version.int == legacyVersion else {
      throw reader.error("the protocol's version is not \(legacyVersion)", kind: .unsupported)
    }
    // The saving machine's sizes of types; storages are little-endian regardless.
    _ = try Unpickler.read(&reader)
    let pickle = try Unpickler.read(&reader)
    let keys = try Unpickler.read(&reader)
    let contents = try legacyStorages(&reader, pickle, keys)
    return PickledTensors(file, pickle, size: file.count) {
      (storage) throws(DataError) -> PickledTensors.Contents in
      guard let bytes = contents[storage.key] else { throw missing(storage, file) }
      return PickledTensors.Contents(bytes: bytes)
    }
  }

  private static func missing(_ storage: PickledStorage, _ file: FileBytes) -> DataError {
    DataError(
      .invalid, file: file.name,
      reason: "has no storage '\(storage.key)', which its pickle refers to", hint: zipHint)
  }

  /// After the pickles each storage: its number of elements, then these.
  private static func legacyStorages(
    _ reader: inout ByteReader, _ pickle: Pickle, _ keys: Pickle
  ) throws(DataError) -> [String: FileBytes] {
    var elements: [String: TorchElement] = [:]
    for storage in pickle.storages { elements[storage.key] = storage.element }
    guard case .container(let place) = keys.root, keys.containers[place].kind == .list else {
      throw reader.error("the list of storages is no list")
    }
    var contents: [String: FileBytes] = [:]
    for key in keys.containers[place].items {
      guard let name = key.text ?? key.int.map(String.init), let element = elements[name] else {
        throw reader.error("a storage that the pickle does not refer to")
      }
      let start = reader.offset
      let count = try reader.integer(UInt64.self, .little, "a storage's length")
      guard let count = Int(exactly: count), let size = checkedProduct(count, element.size) else {
        throw reader.error("the storage '\(name)' has the absurd length \(count)", at: start)
      }
      let range = try reader.take(size, "the storage '\(name)'")
      contents[name] = FileBytes(part: range, of: reader.bytes, name: reader.name)
    }
    return contents
  }
}

/// Entries that were opened (and checked, and unpacked) once.
private final class ContentsCache: @unchecked Sendable {
  private let lock = NSLock()
  private var known: [String: PickledTensors.Contents] = [:]

  func contents(
    _ key: String, _ open: () throws(DataError) -> PickledTensors.Contents
  ) throws(DataError) -> PickledTensors.Contents {
    lock.lock()
    defer { lock.unlock() }
    if let contents = known[key] { return contents }
    let contents = try open()
    known[key] = contents
    return contents
  }
}
