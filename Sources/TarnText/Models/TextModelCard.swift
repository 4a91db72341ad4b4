import Foundation
import TarnCore
import TarnData
import TarnNN

/// Which language model: what a run keeps to make it again.
///
/// ```swift
/// let card = TextModelCard(.lstm, vocabulary: 65, size: 128, layers: 2)
/// let model = try card.model(seed: 123)              // 240,321 parameters
/// ```
public struct TextModelCard: Codable, Hashable, Sendable {
  /// The kinds of model.
  public enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
    case lstm, gru, rnn, transformer

    /// Whether its state goes from one piece of text to the next.
    public var isRecurrent: Bool { self != .transformer }
  }

  public var kind: Kind
  /// Symbols in the vocabulary.
  public var vocabulary: Int
  /// Units of a layer.
  public var size: Int
  public var layers: Int
  /// Share of the outputs of each layer that is dropped in training.
  public var dropout: Double
  /// Length of the vectors that stand for symbols; nil: one-hot vectors (a transformer's are as long as its layers).
  public var embedding: Int?
  /// Whether a GRU's reset gate meets the state before the product, as in char-rnn.
  public var resetBefore: Bool
  /// A transformer's attention heads, and the symbols it sees at most.
  public var heads: Int
  public var context: Int

  public init(
    _ kind: Kind, vocabulary: Int, size: Int = 128, layers: Int = 2, dropout: Double = 0,
    embedding: Int? = nil, resetBefore: Bool = false, heads: Int = 4, context: Int = 64
  ) {
    (self.kind, self.vocabulary, self.size, self.layers) = (kind, vocabulary, size, layers)
    (self.dropout, self.embedding, self.resetBefore) = (dropout, embedding, resetBefore)
    (self.heads, self.context) = (heads, context)
  }

  /// The model with random weights that depend on the seed only.
  ///
  /// - Throws: `DataError` for sizes no model has.
  public func model(seed: UInt64) throws -> any LanguageModel {
    if let problem {
      throw DataError(.invalid, file: "model", reason: problem, hint: "choose other sizes")
    }
    return kind.isRecurrent
      ? RecurrentLanguageModel(self, key: RandomKey(seed: seed))
      : Initialization.seeded(seed) { TransformerLanguageModel(self) }
  }

  /// Why there can be no such model; nil if there can.
  var problem: String? {
    let sizes = [vocabulary, size, layers, embedding ?? 1, heads, context]
    guard sizes.allSatisfy({ (1...1 << 24).contains($0) }), layers <= 1000 else {
      return "sizes must be at least 1 and not absurd: vocabulary \(vocabulary), size \(size), "
        + "layers \(layers)"
    }
    guard dropout >= 0 && dropout < 1 else { return "the dropout is \(dropout)" }
    if kind == .transformer && size % heads != 0 {
      return "\(heads) heads do not divide a size of \(size)"
    }
    let numbers =
      Double(layers) * 12 * Double(size) * Double(size)
      + 3 * Double(vocabulary) * Double(size)
    guard 4 * numbers < Double(ProcessInfo.processInfo.physicalMemory) else {
      return "its weights would not fit this machine's memory"
    }
    return nil
  }
}
