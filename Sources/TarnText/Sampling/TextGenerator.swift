import TarnData

/// Writes text with a model.
///
/// ```swift
/// var writer = try TextGenerator(model, vocabulary, prime: "ROMEO:", seed: 123)
/// print(writer.prime, terminator: "")
/// for _ in 0..<2000 { print(writer.next(), terminator: "") }
/// ```
///
/// Everything follows from the seed. Without a prime the first symbol is drawn from all with equal chance, whatever the
/// temperature, as char-rnn's.
public struct TextGenerator {
  /// What it was given to begin with.
  public let prime: String
  private let vocabulary: Vocabulary
  private let choice: SymbolChoice
  private let stepper: any SymbolStepper
  private var generator: SeededGenerator
  /// What may come next; nil before anything was read.
  private var logits: [Float]?
  private var assembler: TextAssembler

  /// - Throws: ``UnknownSymbols`` if the prime has symbols that the model has never seen.
  public init(
    _ model: some LanguageModel, _ vocabulary: Vocabulary, prime: String = "",
    choice: SymbolChoice = SymbolChoice(), seed: UInt64 = 123
  ) throws {
    (self.prime, self.vocabulary, self.choice) = (prime, vocabulary, choice)
    stepper = model.stepper()
    generator = SeededGenerator(seed: seed)
    assembler = TextAssembler(vocabulary)
    for symbol in try vocabulary.encode(prime) { logits = stepper.logits(after: symbol) }
  }

  /// The next symbol's number.
  public mutating func nextSymbol() -> Int {
    let symbol =
      logits.map { choice.symbol($0, excluding: vocabulary.unknown, with: &generator) }
      ?? firstSymbol()
    logits = stepper.logits(after: symbol)
    return symbol
  }

  private mutating func firstSymbol() -> Int {
    let first = vocabulary.unknown == nil ? 0 : 1
    return first + generator.integer(below: vocabulary.count - first)
  }

  /// One more symbol as text. Bytes come out once they make up characters, so it may be empty.
  public mutating func next() -> String {
    let symbol = nextSymbol()
    return assembler.add(symbol)
  }

  /// What is left of characters that were begun.
  public mutating func finish() -> String { assembler.finish() }

  /// So many symbols more.
  public mutating func text(_ count: Int) -> String {
    var text = ""
    for _ in 0..<max(0, count) { text += next() }
    return text + finish()
  }
}

/// Puts symbols together to text: bytes are held back until they make up a character.
struct TextAssembler {
  private let vocabulary: Vocabulary
  private var pending: [UInt8] = []

  init(_ vocabulary: Vocabulary) { self.vocabulary = vocabulary }

  mutating func add(_ symbol: Int) -> String {
    guard vocabulary.unit == .bytes else { return vocabulary.text(of: symbol) }
    pending.append(UInt8(truncatingIfNeeded: symbol))
    return take(isLast: false)
  }

  mutating func finish() -> String { take(isLast: true) }

  private mutating func take(isLast: Bool) -> String {
    var text = ""
    while let first = pending.first {
      let found = pending.withUnsafeBytes { Scanner.scalar($0, at: 0) }
      if let (value, length) = found {
        text.unicodeScalars.append(Unicode.Scalar(value) ?? "\u{FFFD}")
        pending.removeFirst(length)
      } else if !isLast && mayGrow(first) {
        return text
      } else {
        text += "\u{FFFD}"
        pending.removeFirst()
      }
    }
    return text
  }

  /// Whether the bytes may be the beginning of a character.
  private func mayGrow(_ first: UInt8) -> Bool {
    let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
    return (0xC2...0xF4).contains(first) && pending.count < length
      && pending.dropFirst().allSatisfy { $0 & 0xC0 == 0x80 }
  }
}
