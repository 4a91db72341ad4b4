import ArgumentParser
import Foundation
import Tarn

/// `tarn data`.
struct DataVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Lists the data sets this program knows, and gets them.",
    subcommands: [ListData.self, GetData.self], defaultSubcommand: ListData.self)
}

/// `tarn data list`.
struct ListData: Verb {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists the data sets this program knows.")

  @OptionGroup var common: CommonOptions

  func answer(_ console: Console) throws -> DataAnswer {
    DataAnswer(sets: DataSet.all.map(DataAnswer.Entry.init))
  }
}

/// `tarn data get`.
struct GetData: Verb {
  static let configuration = CommandConfiguration(
    commandName: "get",
    abstract: "Gets data sets into the cache, or goes on where that was broken off.",
    discussion: """
      The cache is TARN_CACHE, else $XDG_CACHE_HOME/tarn, else ~/.cache/tarn. TARN_MIRROR names another address to get
      the files from; their digests are checked all the same.
      """)

  @Argument(help: ArgumentHelp("Which; `tarn data list` shows them.", valueName: "name"))
  var names: [String]

  @OptionGroup var common: CommonOptions

  func answer(_ console: Console) throws -> DataAnswer {
    let sets = try names.map(DataSet.named)
    for set in sets where set.found == nil { _ = try set.fetch(console) }
    return DataAnswer(sets: sets.map(DataAnswer.Entry.init))
  }
}

struct DataAnswer: Answer {
  struct Entry: Encodable {
    struct File: Encodable {
      var file: String
      var url: String
      var bytes: Int?
      var sha256: String?
    }

    var name: String
    var title: String
    var samples: String
    var licence: String
    var source: String
    var files: [File]
    var isThere: Bool
    var folder: String?
    var use: String

    init(_ set: DataSet) {
      (name, title, samples) = (set.name, set.title, set.samples)
      (licence, source) = (set.licence, set.source)
      files = set.resources.map {
        File(file: $0.file, url: $0.url, bytes: $0.bytes, sha256: $0.sha256)
      }
      let found = set.found
      folder = found?.path
      isThere = found != nil || files.isEmpty
      let word = found.map(Paths.word) ?? "DIR"
      use =
        found?.path == ImageSet.fashionPackage
        ? "tarn train images fashion" : set.use.replacingOccurrences(of: "DIR", with: word)
    }
  }

  var sets: [Entry]

  var text: String {
    sets.map { set in
      let place = set.folder ?? "part of this program"
      let size = set.files.compactMap(\.bytes).reduce(0, +)
      return """
        \(set.name)  \(set.title): \(set.samples)
          licence  \(set.licence)
          source   \(set.source)
          \(set.isThere ? "found    \(place)" : "to get   tarn data get \(set.name)  (\(Text.megabytes(size)))")
          use      \(set.use)
        """
    }.joined(separator: "\n\n")
  }
}
