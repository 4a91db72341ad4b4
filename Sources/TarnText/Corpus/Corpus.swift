import Foundation
import TarnData
import TarnTrain

/// A text to learn from, as numbers of symbols.
///
/// Files of any length are read with little memory: a text of one byte a symbol (ASCII, or ``Vocabulary/Unit/bytes``) is
/// mapped and read in place, any other is written once as numbers of 1, 2 or 4 bytes to a temporary file. Files packed with gzip are
/// unpacked to one.
///
/// ```swift
/// let corpus = try Corpus(contentsOf: URL(fileURLWithPath: "input.txt"))
/// print(corpus.count, corpus.vocabulary.count)        // 1115394 65
/// ```
public struct Corpus: Sendable {
  /// What people call it.
  public let name: String
  /// The file.
  public let url: URL
  public let vocabulary: Vocabulary
  /// Length of the text in bytes, unpacked.
  public let byteCount: Int
  /// A number that changes when the text does.
  public let digest: UInt64
  let tokens: TokenStore

  /// Symbols in the text.
  public var count: Int { tokens.count }

  /// The symbols from `range.lowerBound` on, as numbers.
  public subscript(range: Range<Int>) -> [Int] { tokens[range.clamped(to: 0..<count)] }

  /// Reads a file and makes a vocabulary of what occurs in it.
  ///
  /// - Parameters:
  ///   - url: of the file, or of a folder with an `input.txt` in it.
  ///   - words: for words: how many to keep at most, the most frequent ones.
  /// - Throws: `DataError` for a file that is missing, empty or (but for bytes) not UTF-8 text, with the place.
  public init(
    contentsOf url: URL, unit: Vocabulary.Unit = .characters, words: Int = 20_000
  ) throws {
    let file = try CorpusFile(url, unit: unit)
    let survey = try Survey(file, unit: unit)
    try self.init(url, file, survey, survey.vocabulary(words: words))
  }

  /// A text that is there already, with a vocabulary of what occurs in it.
  ///
  /// - Parameter name: what people call it.
  public init(
    _ text: String, name: String = "text", unit: Vocabulary.Unit = .characters, words: Int = 20_000
  ) throws {
    let file = try CorpusFile(FileBytes(Array(text.utf8), name: name), unit: unit)
    let survey = try Survey(file, unit: unit)
    try self.init(URL(fileURLWithPath: name), file, survey, survey.vocabulary(words: words))
  }

  /// Reads a file with the vocabulary of a model.
  ///
  /// - Throws: as ``init(contentsOf:unit:words:)``, and `DataError` if there are symbols that are not in the vocabulary.
  public init(contentsOf url: URL, vocabulary: Vocabulary) throws {
    let file = try CorpusFile(url, unit: vocabulary.unit)
    let survey = try Survey(file, unit: vocabulary.unit)
    if let problem = survey.unknown(to: vocabulary) {
      throw DataError(
        .invalid, file: file.bytes.name, reason: problem.description,
        hint: "take them out of the text, or train a model on texts that have them")
    }
    try self.init(url, file, survey, vocabulary)
  }

  private init(
    _ url: URL, _ file: CorpusFile, _ survey: Survey, _ vocabulary: Vocabulary
  ) throws {
    (self.url, self.vocabulary) = (url, vocabulary)
    name = url.lastPathComponent
    (byteCount, digest) = (file.bytes.count, survey.digest)
    let table = SymbolTable(vocabulary)
    if vocabulary.unit == .bytes || survey.isASCII && vocabulary.unit == .characters {
      let numbers = (0..<256).map { byte in
        vocabulary.unit == .bytes
          ? Int64(byte) : Int64(table.number(scalar: UInt32(byte)) ?? 0)
      }
      tokens = TokenStore(bytes: file.bytes, from: file.start, numbers: numbers)
    } else {
      tokens = try TokenStore(limit: vocabulary.count, name: file.bytes.name) { append in
        try file.forEachSymbol(of: vocabulary.unit) { range, scalar, bytes in
          try append(table.number(range, scalar, bytes) ?? 0)
        }
      }
    }
  }

  /// What a run keeps about it.
  public var description: DataDescription {
    DataDescription(
      name: name, count: count, featureShape: [vocabulary.count], digest: digest)
  }
}

extension CorpusFile {
  /// Calls `body` with each symbol, letting go of the pages behind.
  func forEachSymbol(
    of unit: Vocabulary.Unit,
    _ body: (Range<Int>, UInt32, UnsafeRawBufferPointer) throws -> Void
  ) throws {
    try bytes.withBytes { whole in
      let text = UnsafeRawBufferPointer(rebasing: whole[start...])
      var released = 0
      let problem = try Scanner.forEachSymbol(of: unit, in: text) { range, scalar in
        if scalar == 0 && unit != .bytes {
          throw Self.notText(bytes.name, at: start + range.lowerBound, 0)
        }
        try body(range, scalar, text)
        if range.lowerBound - released >= Self.stretch {
          bytes.release(released..<range.lowerBound)
          released = range.lowerBound
        }
      }
      if let problem { throw Self.notText(bytes.name, at: start + problem, text[problem]) }
      bytes.release(released..<bytes.count)
    }
  }
}

/// What occurs in a text.
private struct Survey {
  /// A bit for each code point.
  private var scalars = [UInt64](repeating: 0, count: 0x11_0000 / 64)
  private var words: [String: Int] = [:]
  private(set) var isASCII = true
  private(set) var digest: UInt64 = 0
  private let unit: Vocabulary.Unit

  /// Words kept while counting: beyond, those that occurred once are forgotten.
  private static let mostWords = 4_000_000

  init(_ file: CorpusFile, unit: Vocabulary.Unit) throws {
    self.unit = unit
    if unit != .bytes { try count(file) }
    var sum = Digest()
    file.bytes.withBytes { whole in
      for first in stride(from: 0, to: whole.count, by: CorpusFile.stretch) {
        let range = first..<min(whole.count, first + CorpusFile.stretch)
        sum.add(UnsafeRawBufferPointer(rebasing: whole[range]))
        file.bytes.release(range)
      }
    }
    digest = sum.value
  }

  private mutating func count(_ file: CorpusFile) throws {
    try file.forEachSymbol(of: unit) { range, scalar, bytes in
      if scalar >= 0x80 { isASCII = false }
      if unit == .characters {
        scalars[Int(scalar >> 6)] |= 1 << UInt64(scalar & 63)
      } else {
        words[String(decoding: bytes[range], as: UTF8.self), default: 0] += 1
        if words.count > Self.mostWords { words = words.filter { $0.value > 1 } }
      }
    }
  }

  private var characters: [String] {
    scalars.enumerated().flatMap { index, bits in
      bits == 0
        ? []
        : (0..<64).compactMap { bit in
          bits >> UInt64(bit) & 1 == 1
            ? Unicode.Scalar(UInt32(64 * index + bit)).map { String($0) } : nil
        }
    }
  }

  func vocabulary(words limit: Int) -> Vocabulary {
    switch unit {
    case .bytes: return .bytes
    case .characters: return Vocabulary(unit: .characters, symbols: characters)
    case .words:
      let frequent = words.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(max(1, limit))
      return Vocabulary(
        unit: .words, symbols: [Vocabulary.unknownWord] + frequent.map(\.key))
    }
  }

  func unknown(to vocabulary: Vocabulary) -> UnknownSymbols? {
    guard unit == .characters else { return nil }
    let known = Set(vocabulary.symbols)
    let missing = characters.filter { !known.contains($0) }
    return missing.isEmpty ? nil : UnknownSymbols(symbols: missing, known: vocabulary.count)
  }
}
