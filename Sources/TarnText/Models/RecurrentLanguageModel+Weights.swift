import Foundation
import TarnCore
import TarnData
import TarnInterop
import TarnNN
import TarnTrain

extension RecurrentLanguageModel {
  /// A model for weights that were trained elsewhere, such as by the PyTorch module shown at ``RecurrentLanguageModel``. Kind and sizes
  /// follow from names and shapes.
  ///
  /// - Throws: `DataError` where the weights are not those of such a model, or not for so large a vocabulary.
  public init(_ weights: Weights, vocabulary: Int) throws {
    func shape(_ name: String) throws -> (rows: Int, columns: Int) {
      let shape = try weights.tensor(name).shape
      guard shape.count == 2, shape.allSatisfy({ $0 > 0 }) else {
        throw DataError(
          .invalid, file: weights.source, reason: "'\(name)' is \(shape), not a matrix",
          hint: Self.expected)
      }
      return (shape[0], shape[1])
    }
    let (gates, size) = try shape("rnn.weight_hh_l0")
    let symbols = try shape("decoder.weight").rows
    let kinds: [Int: TextModelCard.Kind] = [4: .lstm, 3: .gru, 1: .rnn]
    guard gates % size == 0, let kind = kinds[gates / size] else {
      throw DataError(
        .invalid, file: weights.source,
        reason:
          "'rnn.weight_hh_l0' is [\(gates), \(size)], neither an LSTM's, a GRU's nor an RNN's",
        hint: Self.expected)
    }
    guard symbols == vocabulary else {
      throw DataError(
        .invalid, file: weights.source,
        reason: "the model knows \(symbols) symbols, the vocabulary has \(vocabulary)",
        hint: "give the vocabulary the model was trained with")
    }
    let layers = weights.names.count {
      $0.hasPrefix("rnn.weight_hh_l") && !$0.hasSuffix("_reverse")
    }
    let embedding = weights["embedding.weight"] == nil ? nil : try shape("embedding.weight").columns
    let card = TextModelCard(
      kind, vocabulary: symbols, size: size, layers: layers, embedding: embedding)
    guard let fresh = try Initialization.skipped({ try card.model(seed: 0) }) as? Self else {
      throw DataError(.invalid, file: weights.source, reason: "is no recurrent model")
    }
    self = try fresh.loading(weights).model
  }

  private static var expected: String {
    "expected are rnn.weight_ih_l0, rnn.weight_hh_l0, …, decoder.weight and decoder.bias"
  }
}

extension Vocabulary {
  /// Reads a vocabulary: JSON as a run keeps it, a JSON list of characters in the order of their numbers, a JSON object from
  /// characters to numbers; or any other text, whose characters in the order of their code points are taken.
  public init(readingFrom url: URL) throws {
    let file = try FileBytes(mapping: url)
    let first = file.withBytes { $0.first }
    guard first == UInt8(ascii: "{") || first == UInt8(ascii: "["),
      let found = Self.fromJSON(url, isList: first == UInt8(ascii: "["))
    else {
      self = try Corpus(contentsOf: url).vocabulary
      return
    }
    if let problem = found.problem {
      throw DataError(
        .invalid, file: url.path, reason: problem, hint: "give one character for each number")
    }
    self = found
  }

  private static func fromJSON(_ url: URL, isList: Bool) -> Vocabulary? {
    if isList {
      return (try? JSONFile.read([String].self, from: url)).map {
        Vocabulary(unit: .characters, symbols: $0)
      }
    }
    if let own = try? JSONFile.read(Vocabulary.self, from: url) { return own }
    guard let numbers = try? JSONFile.read([String: Int].self, from: url),
      Set(numbers.values) == Set(0..<numbers.count)
    else { return nil }
    return Vocabulary(
      unit: .characters, symbols: numbers.sorted { $0.value < $1.value }.map(\.key))
  }
}
