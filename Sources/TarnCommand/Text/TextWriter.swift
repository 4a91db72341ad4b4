import Foundation
import Tarn

/// A model that writes, of a run or a file of weights, with its vocabulary.
struct TextWriter {
  let model: any LanguageModel
  let vocabulary: Vocabulary
  private let name: String

  init(_ path: String, vocabulary: String?, best: Bool) throws {
    name = path
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    if exists && !isFolder.boolValue {
      guard let vocabulary else {
        throw DataError(
          .invalid, file: path, reason: "is a file of weights, which does not tell its characters",
          hint: "give --vocabulary, such as the text that the model learned from")
      }
      self.vocabulary = try Vocabulary(readingFrom: URL(fileURLWithPath: vocabulary))
      let weights = try Weights(contentsOf: URL(fileURLWithPath: path))
      model = try RecurrentLanguageModel(weights, vocabulary: self.vocabulary.count)
    } else {
      let run = try TextRun(Paths.run(path))
      self.vocabulary = run.vocabulary
      model = try run.model(best ? .best : .last)
    }
  }

  /// Writes on from `prime`.
  func generator(prime: String, choice: SymbolChoice, seed: UInt64) throws -> TextGenerator {
    func made(_ model: some LanguageModel) throws -> TextGenerator {
      do {
        return try TextGenerator(model, vocabulary, prime: prime, choice: choice, seed: seed)
      } catch let error as UnknownSymbols {
        throw DataError(
          .invalid, file: "--prime", reason: error.description,
          hint: "leave them out; \(name) knows \(known)")
      }
    }
    return try made(model)
  }

  /// The vocabulary, or the beginning of a long one.
  private var known: String {
    let all = vocabulary.symbols.map {
      $0.unicodeScalars.map { $0.escaped(asASCII: false) }.joined()
    }
    return all.prefix(120).joined(separator: " ") + (all.count > 120 ? " …" : "")
  }
}
