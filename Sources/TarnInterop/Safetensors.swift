import Foundation
import TarnCore
import TarnData

/// The safetensors format: a JSON header that names each tensor with its type, shape and place,
/// then the bytes.
///
/// The file is mapped into memory and only what is asked for is copied. Nothing in it is trusted:
/// places must lie within the file, follow each other without gap or overlap, and fit the shapes.
///
/// ```swift
/// let file = try Safetensors(contentsOf: URL(fileURLWithPath: "model.safetensors"))
/// let weight = try file.tensor("fc.weight")
/// ```
public struct Safetensors: Sendable {
  /// One tensor of the file.
  public struct Entry: Sendable, Hashable {
    public let name: String
    public let dtype: DType
    public let shape: [Int]
    /// Where its bytes lie in the file.
    package let range: Range<Int>
  }

  /// The tensors, in the order of their bytes.
  public let entries: [Entry]
  /// The free texts of the header's `__metadata__`.
  public let metadata: [String: String]
  private let file: FileBytes
  private let places: [String: Int]

  /// No header may be longer than this.
  static let longestHeader = 100_000_000

  /// Opens a file and checks its header.
  public init(contentsOf url: URL) throws {
    try self.init(FileBytes(mapping: url))
  }

  package init(_ file: FileBytes) throws(DataError) {
    var reader = ByteReader(file)
    let length = try reader.integer(UInt64.self, .little, "the header's length")
    guard length <= Self.longestHeader else {
      throw reader.error(
        "says its header is \(length) bytes long; \(Self.longestHeader) is the most", at: 0,
        hint: "this is no safetensors file, or it is damaged")
    }
    let header = try reader.take(Int(length), "the header")
    let parsed = try SafetensorsHeader(file, header, dataStart: reader.offset)
    (self.file, entries, metadata) = (file, parsed.entries, parsed.metadata)
    places = Dictionary(uniqueKeysWithValues: parsed.entries.enumerated().map { ($1.name, $0) })
  }

  /// The tensors' names, in the order of their bytes.
  public var names: [String] { entries.map(\.name) }

  /// Copies one tensor out of the file.
  public func tensor(_ name: String) throws -> Tensor {
    guard let place = places[name] else {
      throw DataError(
        .invalid, file: file.name, reason: "has no tensor '\(name)'",
        hint: suggestion(for: name, among: names))
    }
    return try tensor(entries[place])
  }

  package func tensor(_ entry: Entry) throws(DataError) -> Tensor {
    if entry.dtype == .bool { try checkBooleans(entry) }
    return file.withBytes(entry.range) {
      Tensor(bytes: $0, shape: entry.shape, dtype: entry.dtype)
    }
  }

  private func checkBooleans(_ entry: Entry) throws(DataError) {
    guard let bad = file.withBytes(entry.range, { $0.firstIndex { $0 > 1 } }) else { return }
    throw DataError(
      .invalid, file: file.name, at: .byte(entry.range.lowerBound + bad),
      reason: "an element of the bool tensor '\(entry.name)' is neither 0 nor 1")
  }
}

extension Safetensors {
  /// Writes named tensors, sorted by type (widest first, so that each lies aligned) and name; the
  /// same tensors give the same bytes.
  public static func write(
    _ tensors: [(name: String, tensor: Tensor)], metadata: [String: String] = [:], to url: URL
  ) throws {
    let sorted = tensors.sorted {
      ($1.tensor.dtype.byteCount, $0.name) < ($0.tensor.dtype.byteCount, $1.name)
    }
    let header = try header(sorted, metadata, name: url.path)
    try AtomicWrite.write(to: url) { sink in
      try withUnsafeBytes(of: UInt64(header.count).littleEndian) { try sink.write($0) }
      try sink.write(header)
      for (_, tensor) in sorted { try tensor.bytes().withUnsafeBytes { try sink.write($0) } }
    }
  }

  private static func header(
    _ tensors: [(name: String, tensor: Tensor)], _ metadata: [String: String], name file: String
  ) throws -> [UInt8] {
    var members: [String] = []
    if !metadata.isEmpty {
      let texts = metadata.sorted { $0.key < $1.key }.map {
        "\(JSON.quoted($0.key)):\(JSON.quoted($0.value))"
      }
      members.append("\"__metadata__\":{\(texts.joined(separator: ","))}")
    }
    var (start, seen): (Int, Set<String>) = (0, [])
    for (name, tensor) in tensors {
      guard name != "__metadata__", seen.insert(name).inserted else {
        throw DataError(
          .unwritable, file: file,
          reason: name == "__metadata__"
            ? "no tensor may be named __metadata__" : "two tensors are named '\(name)'")
      }
      let end = start + tensor.count * tensor.dtype.byteCount
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      members.append(
        "\(JSON.quoted(name)):{\"dtype\":\"\(SafetensorsType.name(of: tensor.dtype))\","
          + "\"shape\":[\(shape)],\"data_offsets\":[\(start),\(end)]}")
      start = end
    }
    var header = Array("{\(members.joined(separator: ","))}".utf8)
    // The bytes begin at a multiple of 8.
    header += [UInt8](repeating: 32, count: (8 - header.count % 8) % 8)
    return header
  }
}
