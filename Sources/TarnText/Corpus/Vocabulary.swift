import TarnData

/// The symbols of a text and their numbers.
///
/// A symbol is a Unicode scalar, a byte or a word. Scalars, not what a reader sees as one letter: an emoji with a skin colour or
/// an Arabic letter with its marks is a sequence of them, which a model learns as it learns words, and any text keeps a
/// vocabulary of some hundred symbols. Text is taken as it is: no case folding, no normal form, `\r\n` is two symbols.
///
/// ```swift
/// let corpus = try Corpus(contentsOf: url)
/// let numbers = try corpus.vocabulary.encode("ROMEO:")      // [30, 27, 25, 17, 27, 10]
/// corpus.vocabulary.decode(numbers)                         // "ROMEO:"
/// ```
public struct Vocabulary: Codable, Hashable, Sendable {
  /// What one symbol is.
  public enum Unit: String, Codable, Hashable, Sendable, CaseIterable {
    /// A Unicode scalar.
    case characters
    /// A byte; there are always 256.
    case bytes
    /// A run of letters and digits or one other character, with the space before it; symbol 0 stands for all
    /// words that are not in the vocabulary.
    case words

    /// One of them, or with a number, several.
    public func name(_ count: Int? = nil) -> String {
      count == 1 ? String(rawValue.dropLast()) : rawValue
    }
  }

  public let unit: Unit
  /// The text of each symbol, in the order of their numbers; empty for bytes, whose numbers are the bytes.
  public let symbols: [String]

  /// All bytes.
  public static let bytes = Vocabulary(unit: .bytes, symbols: [])

  /// The characters that occur in a text, in the order of their code points.
  public init(charactersOf text: String) {
    let scalars = Set(text.unicodeScalars).sorted { $0.value < $1.value }
    self.init(unit: .characters, symbols: scalars.map { String($0) })
  }

  init(unit: Unit, symbols: [String]) { (self.unit, self.symbols) = (unit, symbols) }

  /// How words that are not in the vocabulary are shown.
  static let unknownWord = "<unk>"

  /// How many symbols there are.
  public var count: Int { unit == .bytes ? 256 : symbols.count }

  /// The symbol that stands for what is not in the vocabulary; nil where there is none.
  public var unknown: Int? { unit == .words ? 0 : nil }

  /// The numbers of a text's symbols.
  ///
  /// - Throws: ``UnknownSymbols`` with those that are not in the vocabulary. Words never are: they become the unknown word.
  public func encode(_ text: String) throws(UnknownSymbols) -> [Int] {
    var text = text
    let table = SymbolTable(self)
    var numbers: [Int] = []
    var missing: [String] = []
    text.withUTF8 { bytes in
      let raw = UnsafeRawBufferPointer(bytes)
      // A `String` is sound UTF-8, so nothing is left out.
      _ = Scanner.forEachSymbol(of: unit, in: raw) { range, scalar in
        if let number = table.number(range, scalar, raw) {
          numbers.append(number)
        } else {
          let symbol = String(decoding: raw[range], as: UTF8.self)
          if !missing.contains(symbol) { missing.append(symbol) }
        }
      }
    }
    if missing.isEmpty { return numbers }
    throw UnknownSymbols(symbols: missing, known: count)
  }

  /// The text of some symbols. Bytes that are not UTF-8 become U+FFFD.
  public func decode(_ numbers: some Sequence<Int>) -> String {
    if unit == .bytes {
      return String(decoding: numbers.map { UInt8(truncatingIfNeeded: $0) }, as: UTF8.self)
    }
    return numbers.map { text(of: $0) }.joined()
  }

  /// One symbol as text; a byte that is no character of its own as `\xE2`.
  public func text(of number: Int) -> String {
    if unit == .bytes {
      let byte = UInt8(truncatingIfNeeded: number)
      return byte < 0x80
        ? String(UnicodeScalar(byte)) : "\\x" + String(byte, radix: 16, uppercase: true)
    }
    return symbols.indices.contains(number) ? symbols[number] : "\u{FFFD}"
  }
}

/// Symbols of a text that a model has never seen.
public struct UnknownSymbols: Error, Hashable, Sendable, CustomStringConvertible {
  public var symbols: [String]
  /// How many the vocabulary has.
  public var known: Int

  public init(symbols: [String], known: Int) { (self.symbols, self.known) = (symbols, known) }

  public var description: String {
    let shown = symbols.prefix(20).map(shownSymbol).joined(separator: ", ")
    let more = symbols.count > 20 ? " and \(symbols.count - 20) more" : ""
    return "the model has never seen \(shown)\(more); its vocabulary has \(known) symbols"
  }
}

/// A symbol in quotes with its code point, for messages: 'é' (U+00E9).
package func shownSymbol(_ symbol: String) -> String {
  let scalars = Array(symbol.unicodeScalars)
  let isPlain = scalars.allSatisfy { $0.properties.generalCategory != .control }
  let text = isPlain ? symbol : scalars.map { $0.escaped(asASCII: true) }.joined()
  guard scalars.count == 1, let scalar = scalars.first else { return "'\(text)'" }
  let code = String(scalar.value, radix: 16, uppercase: true)
  return "'\(text)' (U+\(String(repeating: "0", count: max(0, 4 - code.count)))\(code))"
}

/// Finds a symbol's number.
struct SymbolTable: Sendable {
  private let unit: Vocabulary.Unit
  /// By code point; −1 for none.
  private var scalars: [Int32] = []
  private var words: [String: Int] = [:]

  init(_ vocabulary: Vocabulary) {
    unit = vocabulary.unit
    switch unit {
    case .bytes: break
    case .characters:
      let codes = vocabulary.symbols.map { $0.unicodeScalars.first?.value ?? 0 }
      scalars = [Int32](repeating: -1, count: Int(codes.max() ?? 0) + 1)
      for (number, code) in codes.enumerated() { scalars[Int(code)] = Int32(number) }
    case .words:
      let pairs = vocabulary.symbols.enumerated().map { ($1, $0) }
      words = Dictionary(pairs) { first, _ in first }
    }
  }

  /// The number of a scalar of a text; nil if it is not in the vocabulary.
  func number(scalar: UInt32) -> Int? {
    guard scalar < UInt32(scalars.count) else { return nil }
    let number = scalars[Int(scalar)]
    return number < 0 ? nil : Int(number)
  }

  /// The number of a symbol found by ``Scanner``.
  func number(_ range: Range<Int>, _ scalar: UInt32, _ bytes: UnsafeRawBufferPointer) -> Int? {
    switch unit {
    case .bytes: Int(scalar)
    case .characters: number(scalar: scalar)
    case .words: words[String(decoding: bytes[range], as: UTF8.self)] ?? 0
    }
  }
}
