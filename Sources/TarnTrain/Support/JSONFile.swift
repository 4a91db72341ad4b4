import Foundation
import TarnCore
import TarnData

/// Values as JSON files, for people to read as well.
package enum JSONFile {
  /// No file of these is longer.
  private static let greatestSize = 1 << 28

  package static func write(_ value: some Encodable, to url: URL) throws {
    try AtomicWrite.write(try data(value), to: url)
  }

  static func data(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return try encoder.encode(value) + Data("\n".utf8)
  }

  /// Reads a file. Broken text is told with its place, text of another form with the path of the value.
  package static func read<Value: Decodable>(_ type: Value.Type, from url: URL) throws -> Value {
    let file = try FileBytes(mapping: url)
    guard file.count <= greatestSize else {
      throw DataError(
        .invalid, file: url.path, at: .byte(greatestSize),
        reason: "is \(file.count) bytes long; such files are far shorter")
    }
    // Foundation does not say where a text is broken; this parser does.
    _ = try JSON(file, 0..<file.count)
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    do {
      return try decoder.decode(type, from: file.withBytes { Data($0) })
    } catch let error as DecodingError {
      throw DataError(.invalid, file: url.path, reason: error.words)
    }
  }
}

extension DecodingError {
  /// What was wrong and where in the document.
  fileprivate var words: String {
    func at(_ context: Context, _ last: (any CodingKey)? = nil) -> String {
      let path = (context.codingPath + [last].compactMap { $0 }).map(\.stringValue)
      return path.isEmpty ? "" : " at \(path.joined(separator: "."))"
    }
    return switch self {
    case .keyNotFound(let key, let context): "there is nothing\(at(context, key))"
    case .valueNotFound(_, let context): "there is no value\(at(context))"
    case .typeMismatch(let type, let context): "what stands\(at(context)) is no \(type)"
    case .dataCorrupted(let context): "\(context.debugDescription)\(at(context))"
    @unknown default: "\(self)"
    }
  }
}
