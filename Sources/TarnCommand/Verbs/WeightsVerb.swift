import ArgumentParser
import Foundation
import Tarn

/// `tarn weights`.
struct WeightsVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "weights", abstract: "Lists weights that were published, and gets them.",
    subcommands: [ListWeights.self, GetWeights.self], defaultSubcommand: ListWeights.self)
}

/// `tarn weights list`.
struct ListWeights: Verb {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists weights that were published for networks of the zoo.")

  @Argument(help: ArgumentHelp("Only of these networks.", valueName: "model"))
  var models: [String] = []

  @OptionGroup var common: CommonOptions

  func answer(_ console: Console) throws -> WeightsAnswer {
    let entries = models.isEmpty ? Zoo.entries : try models.map(Zoo.entry)
    return WeightsAnswer(
      weights: entries.flatMap { entry in
        entry.weights.map { WeightsAnswer.Entry(entry.name, $0) }
      })
  }
}

/// `tarn weights get`.
struct GetWeights: Verb {
  static let configuration = CommandConfiguration(
    commandName: "get",
    abstract: "Gets published weights into the cache, or goes on where that was broken off.",
    discussion: """
      The cache is TARN_CACHE, else $XDG_CACHE_HOME/tarn, else ~/.cache/tarn. TARN_MIRROR names another address to get \
      the files from; their digests are checked all the same.
      """)

  @Argument(
    help: ArgumentHelp(
      "A network, or NETWORK:NAME for others than its first.", valueName: "model[:name]"))
  var models: [String]

  @OptionGroup var common: CommonOptions

  func answer(_ console: Console) throws -> WeightsAnswer {
    let chosen = try models.map(Self.find)
    for (_, weights) in chosen {
      if let instructions = weights.instructions,
        weights.resource.found(in: Resource.folder(for: .weights)) == nil
      {
        throw DataError(
          .unsupported, file: weights.resource.url,
          reason: "is not the address of \(weights.resource.file) itself: \(instructions)",
          hint: "put the file at "
            + Resource.folder(for: .weights).appendingPathComponent(weights.resource.file).path)
      }
      try console.fetch(weights.resource, into: Resource.folder(for: .weights))
    }
    return WeightsAnswer(weights: chosen.map { WeightsAnswer.Entry($0.entry.name, $0.weights) })
  }

  private static func find(
    _ what: String
  ) throws -> (entry: Zoo.Entry, weights: PublishedWeights) {
    let parts = what.split(separator: ":", maxSplits: 1).map(String.init)
    let entry = try Zoo.entry(parts.first ?? what)
    let found =
      parts.count > 1
      ? entry.weights.first { $0.name.lowercased() == parts[1].lowercased() } : entry.weights.first
    if let found { return (entry, found) }
    let names = entry.weights.map { "\(entry.name):\($0.name)" }
    throw DataError(
      .missing, file: what, reason: "no such weights are known",
      hint: names.isEmpty
        ? "nobody has published any for \(entry.name)"
        : "there are \(names.joined(separator: ", "))")
  }
}

struct WeightsAnswer: Answer {
  struct Entry: Encodable {
    var model: String
    var name: String
    var file: String
    var url: String
    var bytes: Int?
    var sha256: String?
    var licence: String?
    var classes: Int
    var top1: Double?
    var top5: Double?
    var instructions: String?
    /// Where it is; nil if it was not fetched.
    var path: String?

    init(_ model: String, _ weights: PublishedWeights) {
      (self.model, name, file) = (model, weights.name, weights.resource.file)
      (url, bytes, sha256) = (weights.resource.url, weights.resource.bytes, weights.resource.sha256)
      (licence, classes) = (weights.resource.licence, weights.classes)
      (top1, top5) = (weights.accuracy?.top1, weights.accuracy?.top5)
      instructions = weights.instructions
      path = weights.resource.found(in: Resource.folder(for: .weights))?.path
    }
  }

  var weights: [Entry]

  var text: String {
    var table = TextTable(
      ["model", "weights", "top 1", "top 5", "file", "here"], alignments: [2: .right, 3: .right])
    for entry in weights {
      table.add([
        entry.model, entry.name, entry.top1.map { Text.number($0) } ?? "–",
        entry.top5.map { Text.number($0) } ?? "–", entry.file, entry.path == nil ? "" : "yes",
      ])
    }
    return table.description
      + "\n\ntop 1 and top 5: per cent, as published. tarn weights get MODEL[:WEIGHTS]"
  }
}
