import Foundation
import TarnCore
import TarnData
import TarnInterop
import TarnNN
import TarnTrain

/// What a run on a text is made of, beside its training options: kept in its folder as `text.json`.
public struct TextSetup: Codable, Hashable, Sendable {
  /// The text's file.
  public var file: String
  public var card: TextModelCard
  /// Streams side by side, and symbols in a piece.
  public var batch: Int
  public var steps: Int
  /// Shares of the text to validate with and to leave out.
  public var validation: Double
  public var test: Double
  /// Batches to validate with at most.
  public var validationBatches: Int
  /// Symbols of the samples shown while it learns; 0: none.
  public var sampleLength: Int

  public init(
    file: String, card: TextModelCard, batch: Int = 50, steps: Int = 50, validation: Double = 0.05,
    test: Double = 0, validationBatches: Int = 500, sampleLength: Int = 200
  ) {
    (self.file, self.card, self.batch, self.steps) = (file, card, batch, steps)
    (self.validation, self.test) = (validation, test)
    (self.validationBatches, self.sampleLength) = (validationBatches, sampleLength)
  }

  /// What no run can have been made with; nil if there is nothing.
  fileprivate var problem: String? {
    if let problem = card.problem { return problem }
    guard (1...1 << 20).contains(batch), (1...1 << 20).contains(steps), batch * steps <= 1 << 26
    else { return "a batch is \(batch) × \(steps)" }
    guard validation >= 0, test >= 0, validation + test < 1 else {
      return "the shares to validate with and to test on are \(validation) and \(test)"
    }
    guard validationBatches >= 1, (0...1 << 24).contains(sampleLength) else {
      return "it validates with \(validationBatches) batches and shows \(sampleLength) symbols"
    }
    return nil
  }

  /// Cuts a text as the run does.
  public func layout(of corpus: Corpus) throws -> StreamLayout {
    try StreamLayout(
      count: corpus.count, batch: batch, steps: steps, validation: validation, test: test,
      name: corpus.name)
  }
}

/// The folder of a run on a text.
///
/// ```swift
/// let run = try TextRun(RunFolder(opening: url))
/// var writer = try TextGenerator(run.model(), run.vocabulary, prime: "The ")
/// ```
public struct TextRun: Sendable {
  public let folder: RunFolder
  public let setup: TextSetup
  public let vocabulary: Vocabulary

  private static let setupFile = "text.json"
  private static let vocabularyFile = "vocabulary.json"

  /// Whether the run in a folder is one on a text.
  public static func isText(_ folder: RunFolder) -> Bool {
    FileManager.default.fileExists(atPath: folder.url(setupFile).path)
  }

  /// Writes what belongs to a new run into its folder.
  public init(_ folder: RunFolder, setup: TextSetup, vocabulary: Vocabulary) throws {
    (self.folder, self.setup, self.vocabulary) = (folder, setup, vocabulary)
    try JSONFile.write(vocabulary, to: folder.url(Self.vocabularyFile))
    try JSONFile.write(setup, to: folder.url(Self.setupFile))
  }

  /// Reads what is in a run's folder.
  ///
  /// - Throws: `DataError` if the run is not one on a text, or its files are damaged.
  public init(_ folder: RunFolder) throws {
    self.folder = folder
    guard Self.isText(folder) else {
      throw DataError(
        .unsupported, file: folder.url.path, reason: "is not a run on a text",
        hint: "name the folder of a run that `tarn train text` made")
    }
    setup = try JSONFile.read(TextSetup.self, from: folder.url(Self.setupFile))
    if let problem = setup.problem {
      throw DataError(
        .invalid, file: folder.url(Self.setupFile).path, reason: "is damaged: \(problem)",
        hint: "restore the file, or train anew")
    }
    vocabulary = try Self.vocabulary(folder.url(Self.vocabularyFile))
    guard vocabulary.count == setup.card.vocabulary else {
      throw DataError(
        .invalid, file: folder.url(Self.vocabularyFile).path,
        reason: "has \(vocabulary.count) symbols, the model \(setup.card.vocabulary)",
        hint: "restore the file, or train anew")
    }
  }

  /// Reads a vocabulary.
  private static func vocabulary(_ file: URL) throws -> Vocabulary {
    let vocabulary = try JSONFile.read(Vocabulary.self, from: file)
    if let problem = vocabulary.problem {
      throw DataError(
        .invalid, file: file.path, reason: problem, hint: "restore the file, or train anew")
    }
    return vocabulary
  }

  /// The model with the run's weights.
  public func model(_ stage: RunFolder.Stage = .last) throws -> any LanguageModel {
    func loaded(_ model: some LanguageModel) throws -> any LanguageModel {
      try folder.load(model, stage)
    }
    let empty: any LanguageModel = try Initialization.skipped { try setup.card.model(seed: 0) }
    return try loaded(empty)
  }

  /// The text it was trained on.
  public func corpus() throws -> Corpus {
    try Corpus(contentsOf: URL(fileURLWithPath: setup.file), vocabulary: vocabulary)
  }
}

extension Vocabulary {
  /// Why it is none; nil if it is.
  var problem: String? {
    if unit == .bytes { return symbols.isEmpty ? nil : "symbols of bytes are not listed" }
    if symbols.isEmpty { return "has no symbols" }
    if Set(symbols).count != symbols.count { return "has a symbol twice" }
    if unit == .characters, let odd = symbols.first(where: { $0.unicodeScalars.count != 1 }) {
      return "'\(odd.prefix(20))' is not one character"
    }
    return nil
  }
}
